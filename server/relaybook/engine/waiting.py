"""What a task that cannot go on waits for, as it was recorded."""

import json

from relaybook.errors import clip
from relaybook.model import EventType, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_task_events
from relaybook.store.tables import ATTEMPTS, TASKS


def hooks_left(task: Task) -> tuple[str, ...]:
    """The hooks of a stage that are neither run nor waived."""
    return tuple(json.loads(task.hooks_due or "[]"))


def gate_items(tx: Tx, task: Task) -> list[dict[str, str]]:
    """What sent a stage to review, as its gate said it last."""
    events = read_task_events(tx, task.workflow_id, task.id)
    failed = [event for event in events if event.type is EventType.GATE_FAILED]
    return list(failed[-1].data["items"]) if failed else []


def questions_of(tx: Tx, task: Task) -> list[str]:
    """What the last attempt at `task` asked, the first few questions, each clipped."""
    return [clip(question, 300) for question in all_questions(tx, task)[:5]]


def all_questions(tx: Tx, task: Task) -> list[str]:
    """What the last attempt at `task` asked."""
    where = "WHERE workflow_id = :workflow_id AND task_id = :task_id AND number = :number"
    params = {"workflow_id": task.workflow_id, "task_id": task.id, "number": task.attempt}
    asked = ATTEMPTS.find(tx, where, **params)[0].questions
    return json.loads(asked or "[]")


def undecided_tasks(tx: Tx, workflow: Workflow) -> list[Task]:
    """The first tasks that wait for nothing but the decision whether they apply."""
    if not workflow.undecided:
        return []
    where = "WHERE workflow_id = :id AND status = 'pending' AND undecided = 1 AND waiting_on = 1"
    return TASKS.find(tx, f"{where} ORDER BY position LIMIT 10", id=workflow.id)
