"""The `next` of an answer where the counters alone do not tell it: who runs, waits, has decided."""

from collections.abc import Sequence

from relaybook.core.policy import MAX_FAILURES
from relaybook.core.task.case import Case
from relaybook.core.task.status import breaker_open
from relaybook.engine.view.advice import after_failures, before_retry, from_when, next_call
from relaybook.engine.view.attention import count_held, running_tasks
from relaybook.model import EventType, Status, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_decisions

#: What may take the decision to change the plan back, or carry it out.
_AFTER_FAILURES = (EventType.DECISION_RECORDED, EventType.PLAN_CHANGED)
_DECISIONS = ("retry_failed", "adjust")


def next_after(tx: Tx, before: Case, after: Case, task_id: str, now: float, *, staged: bool) -> str:
    """What an orchestrator does next after an update of a task.

    Which tasks are held is looked up only where somebody writes and it can make a difference.
    """
    workflow, task = after.workflow, after.tasks[task_id]
    writing = before.others_write or (task.status is Status.IN_PROGRESS and task.writes is not None)
    held = count_held(tx, workflow, now) if writing else 0
    call = next_in(tx, workflow, now, held, staged=staged)
    if task.status is not Status.FAILED or workflow.decision is not None:
        return call
    return call if breaker_open(workflow.failed, workflow.total) else before_retry(task, call)


def next_in(
    tx: Tx,
    workflow: Workflow,
    now: float,
    held: int = 0,
    lost: Sequence[str] = (),
    *,
    staged: bool = False,
) -> str:
    """What an orchestrator does next in `workflow`, where `held` tasks are held, others `lost`."""
    running = running_tasks(tx, workflow) if workflow.decision is not None else ()
    adjusting = is_adjusting(tx, workflow)
    waiting, first = retries_waiting(tx, workflow, now)
    return next_call(
        workflow,
        held + waiting,
        staged=staged,
        running=running,
        adjusting=adjusting,
        lost=lost,
        later=from_when(first, now) if waiting else "",
    )


def retries_waiting(tx: Tx, workflow: Workflow, now: float) -> tuple[int, float]:
    """How many failed tasks are to wait before they are tried again, and until when the first."""
    if not workflow.retryable:
        return 0, now
    sql = (
        "SELECT count(*), min(not_before) FROM tasks WHERE workflow_id = :id AND status = 'failed'"
        " AND final = 0 AND failures < :most AND waiting_on = 0 AND not_before > :now"
    )
    waiting, first = tx.rows(sql, {"id": workflow.id, "most": MAX_FAILURES, "now": now})[0]
    return waiting, first or now


def settle_failures(tx: Tx, workflow: Workflow) -> str:
    """What goes on after failures that hold `workflow` up."""
    return after_failures(is_adjusting(tx, workflow))


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
