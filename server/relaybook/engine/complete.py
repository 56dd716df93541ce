"""complete: values that fit what was typed so far for a variable of a URI."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from relaybook.engine.desk import Desk
from relaybook.engine.items import EVENT_NAMES
from relaybook.engine.readables.table import readables
from relaybook.errors import InvalidComposition
from relaybook.store.base import Tx

#: How many values one answer holds; a client is never sent more.
VALUES_SHOWN = 100
#: How much of what was typed is looked at, in characters.
TYPED_LIMIT = 200
#: How many days back a date is offered.
DAYS_SHOWN = 30

_WORKFLOWS = (
    r"FROM workflows WHERE"
    r" (lower(id) LIKE :like ESCAPE '\' OR lower(name) LIKE :like ESCAPE '\')"
)
_TASKS = r"""FROM tasks WHERE workflow_id = :id AND replaced_by IS NULL
    AND (lower(id) LIKE :like ESCAPE '\' OR lower(label) LIKE :like ESCAPE '\')"""
_ITEMS = r"FROM tasks WHERE slug IS NOT NULL AND lower(slug) LIKE :like ESCAPE '\'"

_SAID = r" WHERE lower(said) LIKE :like ESCAPE '\'"


@dataclass(frozen=True, slots=True)
class Completed:
    """The first values that fit, and how many there are in all."""

    values: Sequence[str] = ()
    total: int = 0


#: Takes the desk, what was typed, and the values chosen for the variables before.
Completer = Callable[[Desk, str, Mapping[str, str]], Completed]


def complete(
    desk: Desk,
    uri: str,
    variable: str,
    typed: str,
    chosen: Mapping[str, str],
    *,
    role: str = "orchestrator",
) -> Completed:
    """Values for `variable` of the template `uri`; none if this role may not read it."""
    if not any(each.uri == uri and variable in each.variables for each in readables(role)):
        return Completed()
    completer = COMPLETERS.get((uri.partition(":")[0], variable))
    return completer(desk, typed[:TYPED_LIMIT], chosen) if completer else Completed()


def complete_workflow(desk: Desk, typed: str, chosen: Mapping[str, str]) -> Completed:
    """Ids of workflows whose id or name contains `typed`, newest change first."""
    with desk.store.read() as tx:
        matching = f"{_WORKFLOWS} AND {tx.sight.of_project}"
        return _found(tx, matching, "updated_at DESC, id", {"like": _like(typed)})


def complete_task(desk: Desk, typed: str, chosen: Mapping[str, str]) -> Completed:
    """Ids of tasks of the workflow chosen whose id or label contains `typed`, in plan order."""
    params = {"like": _like(typed), "id": chosen.get("id", "")}
    with desk.store.read() as tx:
        return _found(tx, f"{_TASKS} AND {tx.sight.of_workflow}", "position", params)


def complete_item(desk: Desk, typed: str, chosen: Mapping[str, str]) -> Completed:
    """Slugs of stages that contain `typed`, in alphabetical order."""
    with desk.store.read() as tx:
        matching = f"{_ITEMS} AND {tx.sight.of_workflow}"
        return _found(tx, matching, "slug", {"like": _like(typed)}, column="slug")


def complete_project(desk: Desk, typed: str, chosen: Mapping[str, str]) -> Completed:
    """Projects with lessons whose name contains `typed`, in alphabetical order."""
    return _distinct(desk, "project", typed)


def complete_target(desk: Desk, typed: str, chosen: Mapping[str, str]) -> Completed:
    """Files that lessons were proposed for, in alphabetical order."""
    return _distinct(desk, "target", typed)


def complete_event(desk: Desk, typed: str, chosen: Mapping[str, str]) -> Completed:
    """The names of events of a work item that contain `typed`, those that begin with it first."""
    return _names(EVENT_NAMES, typed)


def complete_since(desk: Desk, typed: str, chosen: Mapping[str, str]) -> Completed:
    """The last days that contain `typed`, the latest first."""
    today = datetime.fromtimestamp(desk.clock(), UTC).date()
    days = [(today - timedelta(days=back)).isoformat() for back in range(DAYS_SHOWN)]
    return _names(days, typed)


def _distinct(desk: Desk, column: str, typed: str) -> Completed:
    with desk.store.read() as tx:
        all_of = f"SELECT DISTINCT {column} AS said FROM lessons WHERE {tx.sight.of_project}"
        matching = f"FROM ({all_of}) AS each{_SAID}"
        return _found(tx, matching, "said", {"like": _like(typed)}, column="said")


def complete_contract(desk: Desk, typed: str, chosen: Mapping[str, str]) -> Completed:
    """Names of contracts that contain `typed`, those that begin with it first."""
    return _names(desk.contracts.names(), typed)


def complete_prompt(desk: Desk, typed: str, chosen: Mapping[str, str]) -> Completed:
    """Names of templates and compositions that contain `typed`, those that begin with it first."""
    return _names(sorted({*desk.templates.names(), *desk.compositions.names()}), typed)


def complete_argument(
    desk: Desk, composition: str, argument: str, typed: str, *, role: str = "orchestrator"
) -> Completed:
    """Values that a parameter of a composition may have, where they are few and known.

    None for a worker, who may start no composition.
    """
    if role == "worker" or composition not in desk.compositions.names():
        return Completed()
    try:
        params = {each.name: each for each in desk.compositions.get(composition).params}
    except InvalidComposition:  # told where it is read, not while somebody types
        return Completed()
    known = params[argument].enum_values if argument in params else ()
    return _names(known, typed[:TYPED_LIMIT])


def _names(known: Sequence[str], typed: str) -> Completed:
    typed = typed.lower()
    found = [name for name in known if typed in name.lower()]
    found.sort(key=lambda name: not name.lower().startswith(typed))
    return Completed(found[:VALUES_SHOWN], len(found))


#: By the scheme of a URI and the name of its variable.
COMPLETERS: Mapping[tuple[str, str], Completer] = {
    ("ledger", "id"): complete_workflow,
    ("ledger", "task_id"): complete_task,
    ("ledger", "slug"): complete_item,
    ("ledger", "project"): complete_project,
    ("ledger", "target"): complete_target,
    ("ledger", "event"): complete_event,
    ("ledger", "since"): complete_since,
    ("prompt", "name"): complete_prompt,
    ("contract", "name"): complete_contract,
}


def _found(
    tx: Tx, matching: str, order: str, params: dict[str, Any], column: str = "id"
) -> Completed:
    rows = tx.rows(f"SELECT {column} {matching} ORDER BY {order} LIMIT {VALUES_SHOWN}", params)
    total = tx.rows(f"SELECT count(*) {matching}", params)[0][0]
    return Completed([row[0] for row in rows], total)


def _like(typed: str) -> str:
    """A pattern for texts in lower case that contain `typed`."""
    for sign in ("\\", "%", "_"):
        typed = typed.replace(sign, f"\\{sign}")
    return f"%{typed.lower()}%"
