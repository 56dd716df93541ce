"""A task that is unsettled, its hooks due or in review: what it lacks, and the call that goes on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.core.task.status import breaker_open
from relaybook.engine.verdict import PARENT_ACTION
from relaybook.engine.view.advice import has_fresh
from relaybook.engine.view.ahead import next_in
from relaybook.engine.view.attention import held_now, lost_of, running_tasks
from relaybook.engine.view.review import gate_items, review_next
from relaybook.engine.view.stage_ids import has_stages
from relaybook.engine.view.waiting import hooks_left
from relaybook.errors import HooksPending, InReview, clip
from relaybook.model import Pattern, Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.tables import TASKS

#: How much of the hooks' names a call tells.
HOOKS_SHOWN = 110


def unsettled(tx: Tx, workflow: Workflow) -> Task | None:
    """The first task that is in review, or stage whose hooks hold back those after it."""
    waits = workflow.pending and not workflow.ready + workflow.in_progress
    hooks_hold = waits and workflow.pattern is Pattern.PIPELINE
    if workflow.ended_at is not None or not (workflow.review or hooks_hold):
        return None
    where = (
        "WHERE workflow_id = :id AND replaced_by IS NULL AND (status = 'review'"
        " OR (status = 'completed' AND hooks_due IS NOT NULL)) ORDER BY position LIMIT 1"
    )
    found = TASKS.find(tx, where, id=workflow.id)
    return found[0] if found else None


def why_unsettled(tx: Tx, task: Task) -> HooksPending | InReview:
    """The refusal of what has to wait for an unsettled task."""
    stage = f"Task {task.id!r}" if task.slug is None else f"Stage {task.position}"
    if task.status is Status.REVIEW:
        items = gate_items(tx, task)
        acts = all(item["rule"] == PARENT_ACTION for item in items)
        why = "its parent action is not decided" if acts else "its output gate failed"
        return InReview(
            f"{stage} is in review: {why}.",
            next=review_next(task, items),
            stage=task.position,
            items=items[:6],
        )
    names = hooks_left(task)
    return HooksPending(
        f"{stage} is completed, and its hooks wait: {', '.join(names)}.",
        next=hooks_next(task, names),
        stage=task.position,
        hooks=list(names),
    )


def hooks_next(task: Task, names: Sequence[str]) -> str:
    """How to go on from a stage whose hooks are due."""
    shown = clip(json.dumps(list(names), ensure_ascii=False), HOOKS_SHOWN)
    return (
        f"run its hooks, then advance_stage(stage={task.position}, hooks_run={shown}), or "
        f"resolve(decision='waive', task_id={task.id!r}, reason)"
    )


def next_now(tx: Tx, workflow: Workflow, now: float) -> str:
    """What an orchestrator does next, by which tasks are held, and which are lost, at `now`.

    Which are lost is looked up only where no other may start.
    """
    held = held_now(tx, workflow, now)
    running = () if has_fresh(workflow, len(held)) else running_tasks(tx, workflow)
    return next_of(tx, workflow, now, held, lost_of(running, now))


def next_of(
    tx: Tx, workflow: Workflow, now: float, held: Sequence[Mapping[str, Any]], lost: Sequence[str]
) -> str:
    """What an orchestrator does next, as `next_call` says it; of stages the one concerned named."""
    if not has_stages(tx, workflow):
        return next_in(tx, workflow, now, held, lost)
    waits_for_user = breaker_open(workflow.failed, workflow.total) or workflow.input_required
    task = None if waits_for_user else unsettled(tx, workflow)
    if task is None:
        return next_in(tx, workflow, now, held, lost, staged=True)
    return why_unsettled(tx, task).next
