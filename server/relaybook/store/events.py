"""Events read, a workflow's or a task's, in order."""

import json
from collections.abc import Sequence

from relaybook.core.names import SHOWN, Names
from relaybook.model import Event, EventType
from relaybook.store.base import Row, Tx

_EVENTS = (
    "SELECT workflow_id, seq, type, task_id, actor, at, data FROM events"
    " WHERE workflow_id = :workflow_id AND seq > :after ORDER BY seq LIMIT :limit"
)


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


def last_event(tx: Tx, workflow_id: str, kinds: Sequence[EventType], after: int) -> Event | None:
    """The last event of these kinds after number `after`."""
    names = {f"kind_{place}": str(kind) for place, kind in enumerate(kinds)}
    sql = (
        "SELECT workflow_id, seq, type, task_id, actor, at, data FROM events"
        f" WHERE workflow_id = :workflow_id AND type IN ({', '.join(f':{n}' for n in names)})"
        " AND seq > :after ORDER BY seq DESC LIMIT 1"
    )
    found = tx.rows(sql, {"workflow_id": workflow_id, "after": after, **names})
    return read_event(found[0]) if found else None


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
    workflow_id, seq, kind, task_id, actor, at, data = row
    return Event(workflow_id, seq, EventType(kind), task_id, actor, at, json.loads(data))
