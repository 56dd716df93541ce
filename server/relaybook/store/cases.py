"""Cases read from the ledger: workflows, tasks, attempts and what waits for them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from relaybook.core.task.case import Case
from relaybook.errors import StaleClaim, UnknownTask, UnknownWorkflow, nearest
from relaybook.model import Attempt, Edge, EdgeKind, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.tables import ATTEMPTS, TASKS, WORKFLOWS

_CASE = (
    f"SELECT {WORKFLOWS.full_columns}, {TASKS.full_columns}, {ATTEMPTS.full_columns},"
    " EXISTS (SELECT 1 FROM edges WHERE edges.workflow_id = :workflow_id"
    " AND edges.needs = :task_id),"
    " EXISTS (SELECT 1 FROM scopes WHERE scopes.project = workflows.project"
    " AND NOT (scopes.workflow_id = :workflow_id AND scopes.task_id = :task_id))"
    " FROM workflows JOIN tasks ON tasks.workflow_id = workflows.id"
    " LEFT JOIN attempts ON attempts.workflow_id = tasks.workflow_id"
    " AND attempts.task_id = tasks.id AND attempts.number = tasks.attempt"
    " WHERE workflows.id = :workflow_id AND tasks.id = :task_id"
)
_EDGES_FROM = "SELECT needs, task_id, kind FROM edges WHERE workflow_id = :workflow_id"


def get_workflow(tx: Tx, workflow_id: str, *, lock: bool = False) -> Workflow:
    """The workflow; with `lock`, no other transaction changes it or its tasks until the commit.

    Raises:
        UnknownWorkflow: there is none of that id; the error names the nearest.
    """
    where = f"WHERE id = :id AND {tx.sight.of_project} {tx.for_update if lock else ''}"
    found = WORKFLOWS.find(tx, where, id=workflow_id)
    if found:
        return found[0]
    recent = tx.rows(
        f"SELECT id, name FROM workflows WHERE {tx.sight.of_project}"
        " ORDER BY updated_at DESC LIMIT 200"
    )
    by_name = [row[0] for row in recent if row[1] == workflow_id]
    known = ", ".join(by_name[:3]) or nearest(workflow_id, [row[0] for row in recent])
    raise UnknownWorkflow(
        f"There is no workflow {workflow_id[:80]!r}."
        if workflow_id
        else "No workflow_id was given.",
        allowed=known,
        next="call get_workflow without an id for the list",
    )


def get_task(tx: Tx, workflow_id: str, task_id: str) -> Task:
    """The task of that id.

    Raises:
        UnknownWorkflow: there is no such workflow; the error names the nearest.
        UnknownTask: the workflow has none of that id; the error names the nearest.
    """
    where = f"WHERE workflow_id = :workflow_id AND id = :id AND {tx.sight.of_workflow}"
    found = TASKS.find(tx, where, workflow_id=workflow_id, id=task_id)
    if found:
        return found[0]
    get_workflow(tx, workflow_id)
    raise UnknownTask(
        f"Workflow {workflow_id!r} has no task {task_id[:128]!r}."
        if task_id
        else "No task_id was given.",
        allowed=nearest(task_id, first_tasks(tx, workflow_id)),
        next="call get_workflow for its tasks",
    )


def first_tasks(tx: Tx, workflow_id: str) -> list[str]:
    """Ids of the first tasks of a workflow, to choose from."""
    sql = "SELECT id FROM tasks WHERE workflow_id = :id ORDER BY position LIMIT 500"
    return [row[0] for row in tx.rows(sql, {"id": workflow_id})]


def spec_of(tx: Tx, workflow_id: str, task_id: str) -> str:
    """The name of a task's specification.

    Raises:
        UnknownWorkflow, UnknownTask: as `get_task` does.
    """
    sql = (
        "SELECT spec FROM tasks WHERE workflow_id = :workflow_id AND id = :id"
        f" AND {tx.sight.of_workflow}"
    )
    found = tx.rows(sql, {"workflow_id": workflow_id, "id": task_id})
    return found[0][0] if found else get_task(tx, workflow_id, task_id).spec


def load_tasks(tx: Tx, workflow_id: str, names: Sequence[str]) -> dict[str, Task]:
    """Those of the tasks named that the workflow has."""
    where = "WHERE workflow_id = :workflow_id AND id = :id"
    found = [TASKS.find(tx, where, workflow_id=workflow_id, id=name) for name in names]
    return {task.id: task for tasks in found for task in tasks}


def needs_of(tx: Tx, workflow_id: str, task_id: str, kind: EdgeKind = EdgeKind.NEEDS) -> list[str]:
    """The tasks whose results, or whose failure, a task waits for."""
    sql = (
        "SELECT needs FROM edges WHERE workflow_id = :workflow_id AND task_id = :task_id"
        " AND kind = :kind ORDER BY needs"
    )
    params = {"workflow_id": workflow_id, "task_id": task_id, "kind": str(kind)}
    return [row[0] for row in tx.rows(sql, params)]


def find_claim(tx: Tx, claim: str) -> tuple[str, str]:
    """Workflow and task of the attempt that `claim` names.

    Raises:
        StaleClaim: no attempt has this claim.
    """
    sql = (
        f"SELECT workflow_id, task_id FROM attempts WHERE claim = :claim AND {tx.sight.of_workflow}"
    )
    found = tx.rows(sql, {"claim": claim})
    if not found:
        raise StaleClaim(
            "There is no such claim.",
            allowed="the claim that claim_task answered, word for word",
            next="check the claim and call again with it; if it is right, stop",
        )
    return found[0][0], found[0][1]


def load_workflow_case(tx: Tx, workflow_id: str) -> Case:
    """The case of a command that concerns no single task."""
    return Case(workflow=get_workflow(tx, workflow_id, lock=True))


def load_case(tx: Tx, workflow_id: str, task_id: str, claim: str | None = None) -> Case:
    """All that a command on one task needs: its workflow, locked, its attempt, its dependents.

    With `claim`, the attempt of that claim too, whether it is the current one or not.
    """
    case, waited_for = _load_task(tx, workflow_id, task_id)
    task = case.tasks[task_id]
    if claim is not None and all(attempt.claim != claim for attempt in case.attempts.values()):
        attempts = {**case.attempts, **_load_attempt_of(tx, task, claim)}
        case = replace(case, attempts=attempts)
    if not waited_for:
        return case
    tasks = dict(case.tasks)
    edges = load_edges(tx, workflow_id, tasks)
    # Of handlers that may be called off.
    running = [other for other in tasks.values() if other.claim is not None and other is not task]
    attempts = {**case.attempts, **load_open_attempts(tx, running)}
    return replace(case, tasks=tasks, attempts=attempts, edges=edges)


def _load_task(tx: Tx, workflow_id: str, task_id: str) -> tuple[Case, bool]:
    """The workflow, locked, one of its tasks and its last attempt, in one statement.

    And whether another task waits for this one.
    """
    params = {"workflow_id": workflow_id, "task_id": task_id}
    lock = tx.for_update and f"{tx.for_update} OF workflows, tasks"
    found = tx.rows(f"{_CASE} AND {tx.sight.of_project} {lock}", params)
    if not found:
        get_task(tx, workflow_id, task_id)  # says which of them there is not
    row, first, second = found[0], len(WORKFLOWS.names), len(WORKFLOWS.names) + len(TASKS.names)
    task = TASKS.value(row[first:second])
    attempt = ATTEMPTS.value(row[second:-2]) if task.attempt else None
    case = Case(
        workflow=WORKFLOWS.value(row[:first]),
        tasks={task.id: task},
        attempts={(task.id, task.attempt): attempt} if attempt else {},
        others_write=bool(row[-1]),
    )
    return case, bool(row[-2])


def load_edges(tx: Tx, workflow_id: str, tasks: dict[str, Task]) -> dict[str, Sequence[Edge]]:
    """The edges from the tasks given, adding the tasks at their ends.

    Handlers and alternatives are followed further: they may become not applicable with it.
    """
    edges: dict[str, Sequence[Edge]] = {}
    queue = list(tasks)
    while queue:
        needs = queue.pop()
        params = {"workflow_id": workflow_id, "needs": needs}
        found = [
            Edge(row[0], row[1], EdgeKind(row[2]))
            for row in tx.rows(f"{_EDGES_FROM} AND needs = :needs", params)
        ]
        if not found:
            continue
        edges[needs] = found
        where = (
            "WHERE workflow_id = :workflow_id AND id IN (SELECT task_id FROM edges"
            " WHERE workflow_id = :workflow_id AND needs = :needs)"
        )
        tasks.update((task.id, task) for task in TASKS.find(tx, where, **params))
        queue.extend(
            edge.task_id
            for edge in found
            if edge.kind is not EdgeKind.NEEDS and edge.task_id not in edges
        )
    return edges


def load_open_attempts(tx: Tx, tasks: Iterable[Task]) -> dict[tuple[str, int], Attempt]:
    """The attempts in progress of those of `tasks` that have one."""
    found: dict[tuple[str, int], Attempt] = {}
    for task in tasks:
        if task.claim is not None:
            where = "WHERE workflow_id = :workflow_id AND task_id = :task_id AND number = :number"
            params = {"workflow_id": task.workflow_id, "task_id": task.id}
            found |= _by_number(ATTEMPTS.find(tx, where, **params, number=task.attempt))
    return found


def _load_attempt_of(tx: Tx, task: Task, claim: str) -> dict[tuple[str, int], Attempt]:
    where = "WHERE workflow_id = :workflow_id AND task_id = :task_id AND claim = :claim"
    params = {"workflow_id": task.workflow_id, "task_id": task.id, "claim": claim}
    return _by_number(ATTEMPTS.find(tx, where, **params))


def _by_number(attempts: Iterable[Attempt]) -> dict[tuple[str, int], Attempt]:
    return {(attempt.task_id, attempt.number): attempt for attempt in attempts}
