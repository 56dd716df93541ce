"""The `next` of an answer where the counters alone do not tell it: who runs, waits, has decided."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.core.policy import MAX_FAILURES
from relaybook.core.task.case import Case
from relaybook.core.task.status import breaker_open, is_ready, is_retryable
from relaybook.engine.view.advice import (
    HAND_OVER,
    after_failures,
    before_retry,
    next_call,
    start_later,
)
from relaybook.engine.view.attention import held_now, running_tasks
from relaybook.engine.view.handled import way_out
from relaybook.engine.view.review import next_of_review
from relaybook.engine.view.reviewed import after_review
from relaybook.engine.view.skill_breaker import resting
from relaybook.model import EventType, Pattern, Status, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_decisions

#: What may take the decision to change the plan back, or carry it out.
_AFTER_FAILURES = (EventType.DECISION_RECORDED, EventType.PLAN_CHANGED)
_DECISIONS = ("retry_failed", "adjust")


def next_after(tx: Tx, before: Case, after: Case, task_id: str, now: float, *, staged: bool) -> str:
    """What an orchestrator does next after an update of a task.

    Which tasks are held is looked up only where somebody writes, or a skill rests, and it can
    make a difference.
    """
    workflow, task = after.workflow, after.tasks[task_id]
    writing = before.others_write or (task.status is Status.IN_PROGRESS and task.writes is not None)
    looked_up = writing or (staged and _any_rests(tx, after, now))
    held = held_now(tx, workflow, now) if looked_up else ()
    call = next_in(tx, workflow, now, held, staged=staged)
    if task.status is not Status.FAILED or workflow.decision is not None:
        return call
    return call if breaker_open(workflow.failed, workflow.total) else before_retry(task, call)


def _any_rests(tx: Tx, case: Case, now: float) -> bool:
    """Whether a task of the case could start, did the breaker of its skill let it."""
    may_start = [task for task in case.tasks.values() if is_ready(task) or is_retryable(task)]
    return any(resting(tx, skill, now) for skill in {task.skill for task in may_start})


def next_in(
    tx: Tx,
    workflow: Workflow,
    now: float,
    held: Sequence[Mapping[str, Any]] = (),
    lost: Sequence[str] = (),
    *,
    staged: bool = False,
) -> str:
    """What an orchestrator does next in `workflow`, with tasks `held` as told, and others `lost`."""
    running = running_tasks(tx, workflow) if workflow.decision is not None else ()
    adjusting = is_adjusting(tx, workflow)
    supervised = workflow.pattern is Pattern.SUPERVISOR and workflow.ended_at is None
    waiting, first = retries_waiting(tx, workflow, now)
    later = start_later(first, now, staged=staged) if waiting else ""
    return next_call(
        workflow,
        len(held) + waiting,
        staged=staged,
        running=running,
        adjusting=adjusting,
        lost=lost,
        review=next_of_review(tx, workflow),
        handled=way_out(tx, workflow) if workflow.ended_at else "",
        reviewed=after_review(tx, workflow) if supervised else "",
        later=(when_held(held, now) if held else "") or later,
    )


def when_held(held: Sequence[Mapping[str, Any]], now: float) -> str:
    """What to do where the skill of a task `held` rests; empty if none does."""
    rests = [now + line["retry_after_seconds"] for line in held if "skill" in line]
    return f"{start_later(min(rests), now, staged=True)}; {HAND_OVER}" if rests else ""


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
