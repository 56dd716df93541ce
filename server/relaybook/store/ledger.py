"""Cases, events and texts on a transaction: every statement of the write path stands here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from relaybook.core.case import OUTCOMES, Case, evolve, opened
from relaybook.core.names import SHOWN, Names
from relaybook.core.text import compact, text_hash
from relaybook.errors import StaleClaim, UnknownTask, UnknownWorkflow, nearest
from relaybook.model import (
    Attempt,
    Edge,
    EdgeKind,
    Event,
    EventType,
    Scope,
    Status,
    Task,
    Workflow,
)
from relaybook.store.base import Row, Tx
from relaybook.store.bind import storable
from relaybook.store.learning import learn
from relaybook.store.table import Table

T = TypeVar("T")
K = TypeVar("K")

WORKFLOWS = Table("workflows", Workflow, key=["id"])
TASKS = Table("tasks", Task, key=["workflow_id", "id"])
ATTEMPTS = Table("attempts", Attempt, key=["workflow_id", "task_id", "number"])

#: Events that change edges, and those that take or free what a task writes.
_REWIRING = frozenset({EventType.TASK_ADDED, EventType.TASK_REPLACED})
_SCOPING = frozenset({EventType.TASK_STARTED, *OUTCOMES})

_CASE = (
    f"SELECT {WORKFLOWS.full_columns}, {TASKS.full_columns}, {ATTEMPTS.full_columns},"
    " EXISTS (SELECT 1 FROM edges WHERE edges.workflow_id = :workflow_id"
    " AND edges.needs = :task_id)"
    " FROM workflows JOIN tasks ON tasks.workflow_id = workflows.id"
    " LEFT JOIN attempts ON attempts.workflow_id = tasks.workflow_id"
    " AND attempts.task_id = tasks.id AND attempts.number = tasks.attempt"
    " WHERE workflows.id = :workflow_id AND tasks.id = :task_id"
)
_EDGES_FROM = "SELECT needs, task_id, kind FROM edges WHERE workflow_id = :workflow_id"
_ADD_EDGE = (
    "INSERT INTO edges (workflow_id, needs, task_id, kind)"
    " VALUES (:workflow_id, :needs, :task_id, :kind)"
)
_DROP_EDGE = (
    "DELETE FROM edges WHERE workflow_id = :workflow_id AND needs = :needs AND task_id = :task_id"
)
_ADD_SCOPE = (
    "INSERT INTO scopes (project, path, workflow_id, task_id)"
    " VALUES (:project, :path, :workflow_id, :task_id)"
)
_DROP_SCOPES = "DELETE FROM scopes WHERE workflow_id = :workflow_id AND task_id = :task_id"
_SCOPE_IN_THE_WAY = "SELECT path, workflow_id, task_id FROM scopes WHERE project = :project AND "
_ADD_EVENT = (
    "INSERT INTO events (workflow_id, seq, type, task_id, actor, at, data)"
    " VALUES (:workflow_id, :seq, :type, :task_id, :actor, :at, :data)"
)
_EVENTS = (
    "SELECT workflow_id, seq, type, task_id, actor, at, data FROM events"
    " WHERE workflow_id = :workflow_id AND seq > :after ORDER BY seq LIMIT :limit"
)
_ADD_TEXT = (
    "INSERT INTO texts (workflow_id, hash, body) VALUES (:workflow_id, :hash, :body)"
    " ON CONFLICT DO NOTHING"
)


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
        f"There is no workflow {workflow_id[:80]!r}.",
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
    known = tx.rows(
        "SELECT id FROM tasks WHERE workflow_id = :workflow_id ORDER BY position LIMIT 500",
        {"workflow_id": workflow_id},
    )
    raise UnknownTask(
        f"Workflow {workflow_id!r} has no task {task_id[:128]!r}.",
        allowed=nearest(task_id, [row[0] for row in known]),
        next="call get_workflow for its tasks",
    )


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
    attempts = dict(case.attempts)
    if claim is not None and all(attempt.claim != claim for attempt in attempts.values()):
        attempts |= _load_attempt_of(tx, task, claim)
    if not waited_for:
        return replace(case, attempts=attempts) if len(attempts) > len(case.attempts) else case
    tasks = dict(case.tasks)
    edges = load_edges(tx, workflow_id, tasks)
    # Of handlers that may be called off.
    running = [other for other in tasks.values() if other.claim is not None and other is not task]
    attempts |= load_open_attempts(tx, running)
    return Case(workflow=case.workflow, tasks=tasks, attempts=attempts, edges=edges)


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
    attempt = ATTEMPTS.value(row[second:-1]) if task.attempt else None
    case = Case(
        workflow=WORKFLOWS.value(row[:first]),
        tasks={task.id: task},
        attempts={(task.id, task.attempt): attempt} if attempt else {},
    )
    return case, bool(row[-1])


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


def apply(tx: Tx, before: Case | None, events: Sequence[Event]) -> Case:
    """Append `events` and write the rows that they change; answers the case after them.

    `before` is None for the first events of a new workflow.
    """
    events, texts = as_stored(events)
    after = evolve(opened(events[0]), events[1:]) if before is None else evolve(before, events)
    write_rows(tx, before, after, events, texts)
    learn(tx, after.workflow, before.tasks if before else {}, after.tasks, events)
    tx.tell(after.workflow.id, after.workflow.seq)
    return after


def write_rows(
    tx: Tx, before: Case | None, after: Case, events: Sequence[Event], texts: Sequence[str]
) -> None:
    """Append `events` and write what differs between the cases on either side of them."""
    if before is None:
        WORKFLOWS.insert(tx, [after.workflow])
    else:
        WORKFLOWS.update(tx, before.workflow, after.workflow)
    _save(tx, TASKS, before.tasks if before else {}, after.tasks)
    _save(tx, ATTEMPTS, before.attempts if before else {}, after.attempts)
    if any(event.type in _REWIRING for event in events):
        _save_edges(tx, before, after)
    if any(event.type in _SCOPING for event in events):
        _save_scopes(tx, before, after)
    tx.many(_ADD_EVENT, map(_event_row, events, texts))


def _save(tx: Tx, table: Table[T], before: Mapping[K, T], after: Mapping[K, T]) -> None:
    table.insert(tx, [value for key, value in after.items() if key not in before])
    for key, value in after.items():
        if key in before and before[key] is not value:
            table.update(tx, before[key], value)


def _save_edges(tx: Tx, before: Case | None, after: Case) -> None:
    old = {edge for edges in before.edges.values() for edge in edges} if before else set[Edge]()
    new = {edge: None for edges in after.edges.values() for edge in edges}  # in order
    workflow_id = after.workflow.id
    tx.many(_DROP_EDGE, [_edge_row(workflow_id, edge) for edge in old if edge not in new])
    tx.many(_ADD_EDGE, [_edge_row(workflow_id, edge) for edge in new if edge not in old])


def _edge_row(workflow_id: str, edge: Edge) -> dict[str, str]:
    return {
        "workflow_id": workflow_id,
        "needs": edge.needs,
        "task_id": edge.task_id,
        "kind": str(edge.kind),
    }


def _save_scopes(tx: Tx, before: Case | None, after: Case) -> None:
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


def as_stored(events: Iterable[Event]) -> tuple[list[Event], list[str]]:
    """The events with every text in them as it can be stored, and the JSON text of their data."""
    kept: list[Event] = []
    texts: list[str] = []
    for event in events:
        text = compact(event.data)
        if "\\u0000" in text or "\ufffd" in text:  # what a database would not keep may be in it
            event = replace(event, data=storable(event.data))
            text = compact(event.data)
        kept.append(event)
        texts.append(text)
    return kept, texts


def _event_row(event: Event, data: str) -> dict[str, object]:
    return {
        "workflow_id": event.workflow_id,
        "seq": event.seq,
        "type": event.type.value,
        "task_id": event.task_id,
        "actor": event.actor,
        "at": event.at,
        "data": data,
    }


def read_events(tx: Tx, workflow_id: str, after: int = 0, limit: int = 100) -> list[Event]:
    """Up to `limit` events that follow number `after`, in order."""
    params = {"workflow_id": workflow_id, "after": after, "limit": limit}
    return [read_event(row) for row in tx.rows(_EVENTS, params)]


def read_task_events(tx: Tx, workflow_id: str, task_id: str) -> list[Event]:
    """All events of a task, in order."""
    sql = (
        "SELECT workflow_id, seq, type, task_id, actor, at, data FROM events"
        " WHERE workflow_id = :workflow_id AND task_id = :task_id ORDER BY seq"
    )
    return [
        read_event(row) for row in tx.rows(sql, {"workflow_id": workflow_id, "task_id": task_id})
    ]


def read_decisions(
    tx: Tx, workflow_id: str, kinds: Sequence[EventType], after: int = 0, most: int = 1_000_000
) -> list[Event]:
    """The first `most` events of these kinds after number `after`, in order.

    It looks through every event of the workflow.
    """
    names = {f"kind_{place}": str(kind) for place, kind in enumerate(kinds)}
    sql = (
        "SELECT workflow_id, seq, type, task_id, actor, at, data FROM events"
        f" WHERE workflow_id = :workflow_id AND type IN ({', '.join(f':{n}' for n in names)})"
        " AND seq > :after ORDER BY seq LIMIT :most"
    )
    params = {"workflow_id": workflow_id, "after": after, "most": most, **names}
    return [read_event(row) for row in tx.rows(sql, params)]


def read_changed_tasks(tx: Tx, workflow_id: str, after: int) -> Names:
    """The ids of the tasks that events after number `after` are about."""
    sql = (
        "SELECT task_id, COUNT(*) OVER () FROM (SELECT DISTINCT task_id FROM events"
        " WHERE workflow_id = :workflow_id AND seq > :after AND task_id IS NOT NULL) AS changed"
        " ORDER BY task_id LIMIT :most"
    )
    params = {"workflow_id": workflow_id, "after": after, "most": SHOWN}
    rows = tx.rows(sql, params)
    return Names([row[0] for row in rows], rows[0][1] if rows else 0)


def read_event(row: Row) -> Event:
    """The event in a row of `events`, its columns in the order of the table."""
    return Event(
        workflow_id=row[0],
        seq=row[1],
        type=EventType(row[2]),
        task_id=row[3],
        actor=row[4],
        at=row[5],
        data=json.loads(row[6]),
    )


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
    """How to find scopes that overlap `path`: itself, a folder it lies in, what lies in it."""
    for place, char in enumerate(path):
        if char == "/":
            yield "path = :path", {"path": path[: place + 1]}
    if path.endswith("/"):
        # "0" is the character after "/".
        yield "path > :path AND path < :end", {"path": path, "end": f"{path[:-1]}0"}
    else:
        yield "path = :path", {"path": path}


def renew_lease(tx: Tx, task: Task, now: float, seconds: float) -> None:
    """A sign of life: no event, and no other column."""
    tx.rows(
        "UPDATE tasks SET lease_until = :until, last_seen_at = :now"
        " WHERE workflow_id = :workflow_id AND id = :id",
        {
            "until": now + seconds,
            "now": now,
            "workflow_id": task.workflow_id,
            "id": task.id,
        },
    )


def put_texts(tx: Tx, workflow_id: str, bodies: Iterable[str]) -> None:
    """Keep each of `bodies`, once, under the hash of what was sent."""
    tx.many(
        _ADD_TEXT,
        ({"workflow_id": workflow_id, "hash": text_hash(body), "body": body} for body in bodies),
    )


def get_text(tx: Tx, workflow_id: str, name: str) -> str:
    """The text that `name`, a hash on record, stands for."""
    sql = "SELECT body FROM texts WHERE workflow_id = :workflow_id AND hash = :hash"
    return tx.rows(sql, {"workflow_id": workflow_id, "hash": name})[0][0]
