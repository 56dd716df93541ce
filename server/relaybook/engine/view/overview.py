"""What is said of a workflow wherever it is shown."""

from collections.abc import Sequence
from typing import Any

from relaybook.core.policy import IDLE_REVIEWS_LIMIT, STALL_FACTOR, USER_UPDATE_AFTER_SECONDS
from relaybook.core.task.status import all_done, breaker_open, ready_now, workflow_status
from relaybook.engine.view.advice import progress, timestamp
from relaybook.model import Status, Task, Workflow


def overview(workflow: Workflow, running: Sequence[Task], now: float) -> dict[str, Any]:
    """What is said of a workflow wherever it is shown."""
    until = workflow.ended_at or now
    said: dict[str, Any] = {
        "workflow_id": workflow.id,
        "name": workflow.name,
        "type": str(workflow.pattern),
        "status": str(workflow_status(workflow)),
        "progress": progress(workflow),
        "counts": counts(workflow),
        "elapsed_seconds": round(until - workflow.created_at),
        "created_at": timestamp(workflow.created_at),
        "updated_at": timestamp(workflow.updated_at),
        "seq": workflow.seq,
    }
    if workflow.project != "default":
        said["project"] = workflow.project
    return said | flags(workflow, running, now)


def counts(workflow: Workflow) -> dict[str, int]:
    """How many tasks are in each state, empty states left out; ready and retryable beside them."""
    shown = {str(status): getattr(workflow, status) for status in Status}
    if workflow.ended_at is None:
        shown |= {"ready": ready_now(workflow), "retryable": workflow.retryable}
    return {name: number for name, number in shown.items() if number}


def flags(workflow: Workflow, running: Sequence[Task], now: float) -> dict[str, bool]:
    """The derived words beside the status, those that hold."""
    if workflow.ended_at is not None:
        return {}
    longest = max((task.expected_minutes for task in running), default=0.0) * 60
    can_start = workflow.ready + workflow.retryable + workflow.in_progress > 0
    told = workflow.told_at or workflow.created_at
    held = {
        "breaker_open": breaker_open(workflow.failed, workflow.total),
        "blocked": not can_start and not all_done(workflow),
        "stalled": bool(running) and now - workflow.progressed_at > STALL_FACTOR * longest,
        "update_due": now - told > USER_UPDATE_AFTER_SECONDS,
        "replan": workflow.idle_reviews >= IDLE_REVIEWS_LIMIT,
    }
    return {name: True for name, holds in held.items() if holds}
