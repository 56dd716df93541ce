"""What a task that cannot go on waits for, as it was recorded."""

import json
from collections.abc import Iterator

from relaybook.core.task.edges import lets_start
from relaybook.core.task.status import waits_for_decision
from relaybook.engine.view.review import gate_items, review_next
from relaybook.errors import Blocked, clip
from relaybook.model import EdgeKind, Event, Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.tables import ATTEMPTS, TASKS

#: How many of the tasks that one waits for a refusal names.
BLOCKERS_SHOWN = 3


def hooks_left(task: Task) -> tuple[str, ...]:
    """The hooks of a stage that are neither run nor waived."""
    return tuple(json.loads(task.hooks_due or "[]"))


def questions_of(tx: Tx, task: Task) -> list[str]:
    """What the last attempt at `task` asked, the first few questions, each clipped."""
    return [clip(question, 300) for question in all_questions(tx, task)[:5]]


def all_questions(tx: Tx, task: Task) -> list[str]:
    """What the last attempt at `task` asked."""
    where = "WHERE workflow_id = :workflow_id AND task_id = :task_id AND number = :number"
    params = {"workflow_id": task.workflow_id, "task_id": task.id, "number": task.attempt}
    asked = ATTEMPTS.find(tx, where, **params)[0].questions
    return json.loads(asked or "[]")


def answers_in(event: Event) -> list[str]:
    """What the user answered, by an event that says so, in the order of the questions."""
    return json.loads(event.data["answer"])


def blocked(tx: Tx, task: Task, refusal: Blocked) -> Blocked:
    """`refusal` of a start with the tasks that it waits for by name, and with the open decision."""
    found = list(_before(tx, task))
    if not found:
        return refusal
    names = "; ".join(_waited_for(kind, other) for kind, other in found[:BLOCKERS_SHOWN])
    more = f"; and {len(found) - BLOCKERS_SHOWN} more" if len(found) > BLOCKERS_SHOWN else ""
    calls = [call for kind, other in found if (call := _decides(tx, kind, other))]
    return Blocked(
        f"Task {task.id!r} waits for {names}{more}.",
        allowed=refusal.allowed,
        next=calls[0] if calls else refusal.next,
    )


def _decides(tx: Tx, kind: EdgeKind, other: Task) -> str:
    """The call by which `other` no longer holds a task back; empty if it is still to be done."""
    if kind is EdgeKind.INSTEAD_OF and waits_for_decision(other):
        return f"resolve(decision='applicable' or 'not_applicable', task_id={other.id!r})"
    return review_next(other, gate_items(tx, other)) if other.status is Status.REVIEW else ""


def _before(tx: Tx, task: Task) -> Iterator[tuple[EdgeKind, Task]]:
    """The tasks that hold `task` back, and how it waits for each."""
    where = (
        "WHERE workflow_id = :workflow_id AND id IN (SELECT needs FROM edges"
        " WHERE workflow_id = :workflow_id AND task_id = :task_id AND kind = :kind)"
        " ORDER BY position"
    )
    for kind in EdgeKind:
        params = {"workflow_id": task.workflow_id, "task_id": task.id, "kind": str(kind)}
        for other in TASKS.find(tx, where, **params):
            if not lets_start(kind, other):
                yield kind, other


def _waited_for(kind: EdgeKind, other: Task) -> str:
    if kind is EdgeKind.INSTEAD_OF:
        return f"the decision whether {other.id!r} applies"
    until = " to fail for good" if kind is EdgeKind.ON_FAILURE else ""
    hooks = ", its hooks are due" if other.hooks_due is not None else ""
    return f"{other.id!r}{until} ({other.status}{hooks})"


def undecided_tasks(tx: Tx, workflow: Workflow) -> list[Task]:
    """The first tasks that wait for nothing but the decision whether they apply."""
    if not workflow.undecided:
        return []
    where = "WHERE workflow_id = :id AND status = 'pending' AND undecided = 1 AND waiting_on = 1"
    return TASKS.find(tx, f"{where} ORDER BY position LIMIT 10", id=workflow.id)
