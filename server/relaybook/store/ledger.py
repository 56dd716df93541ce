"""Events applied: appended, with every row that they change; and the one write that is no event."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from relaybook.core.task.case import Case, evolve, opened
from relaybook.core.task.effects import OUTCOMES
from relaybook.core.text import compact
from relaybook.model import Edge, Event, EventType, Task
from relaybook.store.base import Tx
from relaybook.store.bind import storable
from relaybook.store.learning import learn
from relaybook.store.scopes import save_scopes
from relaybook.store.table import Table
from relaybook.store.tables import ATTEMPTS, TASKS, WORKFLOWS

T = TypeVar("T", bound=NamedTuple)
K = TypeVar("K")

#: Events that change edges, and those that take or free what a task writes.
_REWIRING = frozenset({EventType.TASK_ADDED, EventType.TASK_REPLACED})
_SCOPING = frozenset({EventType.TASK_STARTED, *OUTCOMES})
_ADD_EDGE = (
    "INSERT INTO edges (workflow_id, needs, task_id, kind)"
    " VALUES (:workflow_id, :needs, :task_id, :kind)"
)
_DROP_EDGE = (
    "DELETE FROM edges WHERE workflow_id = :workflow_id AND needs = :needs AND task_id = :task_id"
)
_ADD_EVENT = (
    "INSERT INTO events (workflow_id, seq, type, task_id, actor, at, data)"
    " VALUES (:workflow_id, :seq, :type, :task_id, :actor, :at, :data)"
)


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
    kinds = {event.type for event in events}
    if kinds & _REWIRING:
        _save_edges(tx, before, after)
    if kinds & _SCOPING:
        save_scopes(tx, before, after)
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


def as_stored(events: Iterable[Event]) -> tuple[list[Event], list[str]]:
    """The events with every text in them as it can be stored, and the JSON text of their data."""
    kept: list[Event] = []
    texts: list[str] = []
    for event in events:
        text = compact(event.data)
        if "\\u0000" in text or "\ufffd" in text:  # what a database would not keep may be in it
            event = event._replace(data=storable(event.data))
            text = compact(event.data)
        kept.append(event)
        texts.append(text)
    return kept, texts


def _event_row(event: Event, data: str) -> dict[str, object]:
    return {**event._asdict(), "type": str(event.type), "data": data}


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
