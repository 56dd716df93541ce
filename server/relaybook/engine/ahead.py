"""The `next` of an answer where the counters alone do not tell it: who runs, waits, has decided."""

from relaybook.core.status import breaker_open
from relaybook.engine.advice import next_call
from relaybook.engine.attention import running_tasks
from relaybook.model import EventType, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_decisions

#: What may take the decision to change the plan back, or carry it out.
_AFTER_FAILURES = (EventType.DECISION_RECORDED, EventType.PLAN_CHANGED)
_DECISIONS = ("retry_failed", "adjust")


def next_in(tx: Tx, workflow: Workflow, held: int = 0) -> str:
    """What an orchestrator does next in `workflow`, of whose tasks `held` are held."""
    running = running_tasks(tx, workflow) if workflow.decision is not None else ()
    return next_call(workflow, held, running=running, adjusting=is_adjusting(tx, workflow))


def is_adjusting(tx: Tx, workflow: Workflow) -> bool:
    """Whether the user decided after failures to adjust the plan, and it has not changed since."""
    if workflow.decision is not None or not waits_after_failures(workflow):
        return False
    for event in reversed(read_decisions(tx, workflow.id, _AFTER_FAILURES)):
        if event.type is EventType.PLAN_CHANGED:
            return False
        if event.data.get("decision") in _DECISIONS:
            return event.data["decision"] == "adjust"
    return False


def waits_after_failures(workflow: Workflow) -> bool:
    """Whether nothing starts, or nothing is left to start, after failures."""
    if not workflow.failed:
        return False
    return workflow.ended_at is not None or breaker_open(workflow.failed, workflow.total)
