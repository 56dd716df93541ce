"""What is said of a task after its end: the items of its gate, the hooks due, how to start again."""

import json
from typing import Any

from relaybook.core.result.evidence import (
    gather,
    of_attempt,
)
from relaybook.core.task.case import Case
from relaybook.core.task.status import breaker_open, failed_for_good
from relaybook.engine.desk import Desk
from relaybook.engine.tasks.hooks import gate_again, hook_tasks
from relaybook.engine.tasks.stage import hooks_of
from relaybook.engine.verdict import OUTPUT
from relaybook.engine.view.advice import HAND_OVER, before_retry, from_when, next_call
from relaybook.engine.view.review import gate_items, review_next
from relaybook.engine.view.skill_breaker import resting
from relaybook.engine.view.waiting import hooks_left
from relaybook.model import WORDS, Event, EventType, Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_task_events


def gate_answer(desk: Desk, tx: Tx, case: Case, task_id: str) -> dict[str, Any]:
    """What is said of a task after its end: the items of its gate; of a stage the hooks due."""
    task = case.tasks[task_id]
    said: dict[str, Any] = {}
    if task.slug is not None:
        status = WORDS[task.status].item
        said = {"stage": task.position, "item": task.slug, "item_status": status}
    if task.status is Status.REVIEW:
        items = gate_items(tx, task)
        gate = {"gate": OUTPUT, "verdict": "fail", "items": items}
        return said | {"gate": gate, "next": review_next(task, items)}
    if task.slug is None or task.status not in (Status.COMPLETED, Status.FAILED):
        return said
    names = hooks_left(task)
    if not hooks_of(case.workflow)[1]:
        names = hooks_of(case.workflow)[0]
    events = of_attempt(read_task_events(tx, task.workflow_id, task.id))
    records = gather(events)
    gate = gate_again(desk, tx, case.workflow, task, records)
    if waived := [e.data["waived"] for e in events if _waives_gate(e)]:
        gate["waived"] = waived[-1]
    if task.status is Status.COMPLETED or gate["verdict"] != "pass":
        said["gate"] = gate
    if found := hook_tasks(desk, tx, case.workflow, task, records, names):
        said["hooks"] = found
    again = _starting_again(tx, case.workflow, task, desk.clock())
    if hooks_left(task):
        said["next"] = (
            f"run these hooks (render_prompt with task_id and template has their prompts), then "
            f"advance_stage(stage={task.position}, hooks_run={json.dumps(list(names))})"
        ) + (f"; then {again}" if again else "")
    elif again:
        said["next"] = again
    return said


def _waives_gate(event: Event) -> bool:
    """Whether the stage was completed although its gate failed; its hooks are waived otherwise."""
    return event.type is EventType.TASK_COMPLETED and "waived" in event.data


def _starting_again(tx: Tx, workflow: Workflow, task: Task, now: float) -> str:
    """What to call once the hooks of a failed stage are run; empty if it did not fail."""
    if task.status is not Status.FAILED:
        return ""
    if breaker_open(workflow.failed, workflow.total) or failed_for_good(task):
        return next_call(workflow)
    call = f"advance_stage without an outcome: it starts stage {task.position} again"
    rest = resting(tx, task.skill, now)
    start = max(task.not_before or now, rest.until if rest else now)
    if start <= now:
        return before_retry(task, call)
    return f"{call}, {from_when(start, now)}" + (f"; {HAND_OVER}" if rest else "")
