"""What tasks are writing: each path or resource of a project has one writer at a time."""

import json
from collections.abc import Iterable
from dataclasses import replace

from relaybook.core.scope import as_folder
from relaybook.core.task.case import Case
from relaybook.model import Scope, Status, Task
from relaybook.store.base import Tx

_ADD_SCOPE = (
    "INSERT INTO scopes (project, path, workflow_id, task_id)"
    " VALUES (:project, :path, :workflow_id, :task_id)"
)
_DROP_SCOPES = "DELETE FROM scopes WHERE workflow_id = :workflow_id AND task_id = :task_id"
_SCOPE_IN_THE_WAY = (
    "SELECT path, workflow_id, task_id,"
    " (SELECT decision FROM workflows WHERE id = scopes.workflow_id)"
    " FROM scopes WHERE project = :project AND "
)


def save_scopes(tx: Tx, before: Case | None, after: Case) -> None:
    """Tasks in progress hold what they declare that they write; others hold nothing."""
    for task in after.tasks.values():
        if task.writes is None or before is None:
            continue
        was = before.tasks[task.id].status if task.id in before.tasks else Status.PENDING
        if was is not Status.IN_PROGRESS and task.status is Status.IN_PROGRESS:
            hold_scopes(tx, after, task)
        elif was is Status.IN_PROGRESS and task.status is not Status.IN_PROGRESS:
            tx.rows(_DROP_SCOPES, {"workflow_id": task.workflow_id, "task_id": task.id})


def hold_scopes(tx: Tx, case: Case, task: Task) -> None:
    """Take what a task declares that it writes."""
    paths = json.loads(task.writes or "[]")
    tx.many(_ADD_SCOPE, [_scope_row(case, task, path) for path in paths])


def _scope_row(case: Case, task: Task, path: str) -> dict[str, str]:
    return {
        "project": case.workflow.project,
        "path": path,
        "workflow_id": task.workflow_id,
        "task_id": task.id,
    }


def lock_scopes(tx: Tx, project: str) -> None:
    """Let no other transaction take what the tasks of the project write until the commit."""
    tx.lock(f"scopes of {project}")


def load_holders(tx: Tx, case: Case, task_id: str) -> Case:
    """`case` with what others are writing that overlaps what the task would write."""
    task = case.tasks[task_id]
    if task.writes is None:
        return case
    lock_scopes(tx, case.workflow.project)
    return replace(case, held_by=find_holders(tx, case.workflow.project, task))


def find_holders(tx: Tx, project: str, task: Task) -> list[Scope]:
    """What other tasks of the project are writing that overlaps what `task` would write."""
    held = [
        Scope(*row)
        for path in json.loads(task.writes or "[]")
        for where, params in _in_the_way(path)
        for row in tx.rows(_SCOPE_IN_THE_WAY + where, {"project": project, **params})
    ]
    return [s for s in held if s.task_id != task.id or s.workflow_id != task.workflow_id]


def _in_the_way(path: str) -> Iterable[tuple[str, dict[str, str]]]:
    """How to find scopes that overlap `path`: itself, what it lies in, what lies in it.

    Each is there with or without a `/` at its end.
    """
    folder = as_folder(path)
    for place, char in enumerate(folder):
        if char == "/":
            above = {"path": folder[:place], "folder": folder[: place + 1]}
            yield "path IN (:path, :folder)", above
    # "0" is the character after "/".
    yield "path > :path AND path < :end", {"path": folder, "end": f"{folder[:-1]}0"}
