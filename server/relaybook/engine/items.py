"""Work items: every task as the playbook sees it, one, many, their events, graph and figures."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from relaybook.core.item import WorkItem, item_slug, item_status, work_item
from relaybook.core.item import item_events as events_of
from relaybook.engine.desk import Desk
from relaybook.errors import InvalidArguments, UnknownItem, nearest
from relaybook.model import ITEM_EVENTS, WORDS, EventType, Status, Task
from relaybook.store.base import Tx
from relaybook.store.cases import get_task, get_workflow
from relaybook.store.events import read_event, read_task_events
from relaybook.store.tables import TASKS

PAGE = 50
#: The largest number that every database counts with.
MOST_ROWS = 2**63 - 1
EVENTS_LIMIT = 500
GRAPH_LIMIT = 500
#: Of how many of the newest items, whether stages or not, a refusal chooses.
NEWEST_SHOWN = 10
BLOCKED = WORDS[Status.INPUT_REQUIRED].item
#: The words that an item's status may be.
STATUSES = tuple(dict.fromkeys(words.item for words in WORDS.values()))
EVENT_NAMES = tuple(dict.fromkeys(name for names in ITEM_EVENTS.values() for name in names))

_NEEDS = "SELECT needs FROM edges WHERE workflow_id = :id AND task_id = :task_id ORDER BY needs"
_NEEDED = "SELECT task_id FROM edges WHERE workflow_id = :id AND needs = :task_id ORDER BY task_id"


def load_item(desk: Desk, slug: str = "", *, workflow_id: str = "", task_id: str = "") -> WorkItem:
    """The work item of that slug, or of that task.

    Raises:
        UnknownItem, UnknownTask, UnknownWorkflow: there is none; the error names the nearest.
    """
    with desk.store.read() as tx:
        return _item(desk, tx, _task(tx, slug, workflow_id, task_id))


def list_items(
    desk: Desk,
    *,
    status: str = "",
    project: str = "",
    skill: str = "",
    workflow_id: str = "",
    skip: int = 0,
    limit: int = PAGE,
) -> list[WorkItem]:
    """Work items, those of the newest workflows first, each workflow's in plan order.

    Raises:
        InvalidArguments: `status` is no word of the work-item view.
    """
    where = ["tasks.workflow_id = w.id", "replaced_by IS NULL", *_with_status(status)]
    where += ["skill = :skill"] if skill else []
    where += ["workflow_id = :workflow_id"] if workflow_id else []
    where += ["w.project = :project"] if project else []
    params = {
        "skill": skill,
        "workflow_id": workflow_id,
        "project": project,
        "limit": max(1, min(limit, PAGE)),
        "skip": min(skip, MOST_ROWS),
    }
    with desk.store.read() as tx:
        # The workflows outside, in the order of their index: a page reads no more than it shows.
        sql = (
            f"SELECT {TASKS.full_columns} FROM workflows w CROSS JOIN tasks"
            f" WHERE {' AND '.join([*where, tx.sight.of_workflow])}"
            " ORDER BY w.created_at DESC, w.id, position LIMIT :limit OFFSET :skip"
        )
        found = [TASKS.value(row) for row in tx.rows(sql, params)]
        return [_item(desk, tx, task) for task in found]


def item_events(
    desk: Desk, slug: str = "", *, limit: int = 10, workflow_id: str = "", task_id: str = ""
) -> list[dict[str, Any]]:
    """The last events of a work item, oldest first, under the twelve names of its view.

    Raises:
        UnknownItem: there is none of that slug.
    """
    with desk.store.read() as tx:
        task = _task(tx, slug, workflow_id, task_id)
        events = read_task_events(tx, task.workflow_id, task.id)
    shown = [line for event in events for line in events_of(item_slug(task), event)]
    return shown[-max(1, min(limit, EVENTS_LIMIT)) :]


def hook_events(
    desk: Desk, type: str, *, since: str = "", limit: int = EVENTS_LIMIT
) -> list[dict[str, Any]]:
    """The events of one of the twelve names, oldest first, from the time `since` on.

    `since` is an ISO 8601 date, which means its first moment in UTC, or a date-time.

    Raises:
        InvalidArguments: there is no such name, or `since` is no date.
    """
    if type not in EVENT_NAMES:
        raise InvalidArguments(
            f"There is no event {type[:40]!r}.",
            allowed=", ".join(EVENT_NAMES),
            next="use one of these",
        )
    kinds = {f"kind_{n}": str(kind) for n, kind in enumerate(_kinds_of(type))}
    # Only a workflow that changed since can hold such an event.
    sql = (
        "SELECT e.workflow_id, e.seq, e.type, e.task_id, e.actor, e.at, e.data, t.slug"
        " FROM workflows w CROSS JOIN events e CROSS JOIN tasks t"
        " WHERE e.workflow_id = w.id AND t.workflow_id = e.workflow_id AND t.id = e.task_id"
        " AND w.updated_at >= :since AND e.at >= :since AND {}"
        f" AND e.type IN ({', '.join(f':{name}' for name in kinds)})"
        " ORDER BY e.at, e.workflow_id, e.seq LIMIT :limit"
    )
    params = {"since": _moment(since), "limit": max(1, min(limit, EVENTS_LIMIT)), **kinds}
    with desk.store.read() as tx:
        rows = tx.rows(sql.format(tx.sight.of_project), params)
    lines = [
        line
        for row in rows
        for line in events_of(row[7] or f"{row[0]}/{row[3]}", read_event(row[:7]))
    ]
    return [line for line in lines if line["type"] == type]


def items_graph(desk: Desk, *, workflow_id: str = "") -> list[dict[str, Any]]:
    """What waits for what: each item with its status and blockers; all open work by default."""
    if workflow_id:
        where = "workflow_id = :id"
    else:
        where = "workflow_id IN (SELECT id FROM workflows WHERE ended_at IS NULL)"
    order = "ORDER BY workflow_id, position LIMIT :limit"
    with desk.store.read() as tx:
        if workflow_id:
            get_workflow(tx, workflow_id)
        where += f" AND replaced_by IS NULL AND {tx.sight.of_workflow}"
        found = TASKS.find(tx, f"WHERE {where} {order}", id=workflow_id, limit=GRAPH_LIMIT)
        return [
            {
                "slug": item_slug(task),
                "status": item_status(task),
                "blockers": _slugs(tx, task.workflow_id, _names(tx, _NEEDS, task)),
            }
            for task in found
        ]


def items_stats(desk: Desk) -> dict[str, dict[str, int]]:
    """How many items there are by status, project and skill."""
    sql = (
        "SELECT t.status, t.waiting_on > 0, w.project, t.skill, count(*)"
        " FROM tasks t JOIN workflows w ON w.id = t.workflow_id WHERE t.replaced_by IS NULL"
        " AND {} GROUP BY t.status, t.waiting_on > 0, w.project, t.skill"
    )
    counted = {name: Counter[str]() for name in ("status", "project", "skill")}
    with desk.store.read() as tx:
        for status, waits, project, skill, count in tx.rows(sql.format(tx.sight.of_project)):
            is_blocked = waits and status == Status.PENDING
            counted["status"][BLOCKED if is_blocked else WORDS[Status(status)].item] += count
            counted["project"][project] += count
            if skill is not None:
                counted["skill"][skill] += count
    return {name: dict(sorted(counts.items())) for name, counts in counted.items()}


def _task(tx: Tx, slug: str, workflow_id: str, task_id: str) -> Task:
    if workflow_id and task_id:
        return get_task(tx, workflow_id, task_id)
    found = TASKS.find(tx, f"WHERE slug = :slug AND {tx.sight.of_workflow}", slug=slug)
    if found:
        return found[0]
    workflow, _, task = slug.partition("/")
    if task:
        return get_task(tx, workflow, task)
    mine = f"SELECT slug FROM tasks WHERE {tx.sight.of_workflow} AND slug"
    sql = (
        f"SELECT slug FROM ({mine} >= :near ORDER BY slug LIMIT 50) a"
        f" UNION SELECT slug FROM ({mine} < :near ORDER BY slug DESC LIMIT 50) b"
    )
    known = [row[0] for row in tx.rows(sql, {"near": slug[:200]})]
    newest = (
        "SELECT coalesce(slug, w.id || '/' || tasks.id) FROM workflows w CROSS JOIN tasks"
        f" WHERE tasks.workflow_id = w.id AND {tx.sight.of_workflow}"
        f" ORDER BY w.created_at DESC, w.id, position LIMIT {NEWEST_SHOWN}"
    )
    known += [row[0] for row in tx.rows(newest)]
    raise UnknownItem(
        f"There is no work item {slug[:120]!r}.",
        allowed=nearest(slug, known),
        next="read ledger://items for the slugs",
    )


def _item(desk: Desk, tx: Tx, task: Task) -> WorkItem:
    return work_item(
        get_workflow(tx, task.workflow_id),
        task,
        desk.spec(tx, task.workflow_id, task.spec),
        read_task_events(tx, task.workflow_id, task.id),
        _slugs(tx, task.workflow_id, _names(tx, _NEEDS, task)),
        _slugs(tx, task.workflow_id, _names(tx, _NEEDED, task)),
    )


def _names(tx: Tx, sql: str, task: Task) -> list[str]:
    return [row[0] for row in tx.rows(sql, {"id": task.workflow_id, "task_id": task.id})]


def _slugs(tx: Tx, workflow_id: str, names: Sequence[str]) -> list[str]:
    sql = "SELECT slug FROM tasks WHERE workflow_id = :id AND id = :task_id"
    found = [tx.rows(sql, {"id": workflow_id, "task_id": name})[0][0] for name in names]
    return [slug or f"{workflow_id}/{name}" for slug, name in zip(found, names, strict=True)]


def _with_status(word: str) -> list[str]:
    """The condition on a task's row that its item has this status."""
    if not word:
        return []
    if word not in STATUSES:
        raise InvalidArguments(
            f"status is {word[:40]!r}.", allowed=", ".join(STATUSES), next="use one of these"
        )
    stored = [str(status) for status, words in WORDS.items() if words.item == word]
    named = f"status IN ({', '.join(repr(status) for status in stored)})"
    if word == WORDS[Status.PENDING].item:
        return [named, "waiting_on = 0"]
    return [f"({named} OR (status = 'pending' AND waiting_on > 0))" if word == BLOCKED else named]


def _kinds_of(name: str) -> list[EventType]:
    return [kind for kind, names in ITEM_EVENTS.items() if name in names]


def _moment(since: str) -> float:
    if not since:
        return 0.0
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise InvalidArguments(
            f"since is {since[:40]!r}.",
            allowed="an ISO 8601 date or date-time, such as 2026-02-14",
            next="correct it and call again",
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
