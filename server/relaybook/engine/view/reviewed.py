"""The call that carries out what a supervisor decided in its last review."""

from collections.abc import Mapping
from typing import Any

from relaybook.core.policy import IDLE_REVIEWS_LIMIT
from relaybook.core.task.status import all_done, is_retryable
from relaybook.engine.view.advice import has_fresh
from relaybook.errors import UnknownTask
from relaybook.model import OVER, EventType, Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_task
from relaybook.store.events import last_event

#: How many events a review stays the last word, whatever is put on record meanwhile.
LOOKED_BACK = 500
#: After one of these a review before it is carried out, or another is due.
_LATER = (
    EventType.REVIEW_RECORDED,
    EventType.PLAN_CHANGED,
    EventType.TASK_STARTED,
    EventType.TASK_COMPLETED,
    EventType.TASK_FAILED,
)


def after_review(tx: Tx, workflow: Workflow) -> str:
    """What the last review of an open supervisor workflow asks for; empty if nothing of its own."""
    last = last_event(tx, workflow.id, _LATER, after=workflow.seq - LOOKED_BACK)
    if last is None or last.type is not EventType.REVIEW_RECORDED:
        return ""
    if last.data["decision"] == "finish":
        return _finish(workflow)
    if workflow.idle_reviews >= IDLE_REVIEWS_LIMIT:
        return ""  # the whole is planned anew
    return _go_on(tx, workflow, last.data)


def _finish(workflow: Workflow) -> str:
    if all_done(workflow):
        return "aggregate, then resolve(decision='finish'), as the review decided"
    return "complete what is open, or drop it with change_plan(replaces=[…]); then resolve(decision='finish')"


def _go_on(tx: Tx, workflow: Workflow, said: Mapping[str, Any]) -> str:
    task = _meant(tx, workflow, said)
    if said["decision"] == "next_piece":
        if task is not None and task.status is Status.PENDING:
            return "" if task.waiting_on else _start(task)
        return "" if has_fresh(workflow, 0) else "change_plan(add=[the next piece])"
    who = " for another worker" if said["decision"] == "reassign" else ""
    if task is None or task.status in OVER:
        return f"change_plan(add=[the piece again{who}, with what its review found missing])"
    if said["decision"] == "retry" and (task.status is Status.PENDING or is_retryable(task)):
        return "" if task.waiting_on else _start(task)
    if task.status is Status.IN_PROGRESS:
        return ""
    return f"change_plan(replaces=[{task.id!r}], add=[the piece again{who}])"


def _meant(tx: Tx, workflow: Workflow, said: Mapping[str, Any]) -> Task | None:
    """The task that a review sends on to, else the one that it reviewed; None if in no plan."""
    name = said.get("next_task") or said.get("reviewed")
    if not name:
        return None
    try:
        return get_task(tx, workflow.id, name)
    except UnknownTask:
        return None


def _start(task: Task) -> str:
    return f"update_task(task_id={task.id!r}, status='in_progress'), as the review decided"
