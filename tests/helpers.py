"""What tests share besides fixtures: a clock and tokens to set, short ways to say common things."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relaybook.core.text import text_hash
from relaybook.engine import Engine
from relaybook.engine.request import Resolution, Update
from relaybook.store.base import Row, Store
from relaybook.store.cases import get_task
from relaybook.store.open import open_store
from relaybook.store.schema import KEYS
from relaybook.store.tables import ATTEMPTS
from relaybook.store.texts import get_text
from tests import postgres

#: The stores that every test of the ledger runs on.
STORES = ("sqlite", "postgres")
PROMPTS = Path(__file__).parent / "prompts"
TABLES = tuple(KEYS)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


class Tokens:
    """Tokens in a row: 1, 2, 3 … in hexadecimal."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self, size: int) -> str:
        self.last += 1
        return f"{self.last:0{2 * size}x}"


def open_ledger(kind: str, folder: Path) -> Store:
    """The ledger of `folder`, of one of `STORES`; empty if it was not opened before."""
    return open_store(store_name(kind, folder))


def store_name(kind: str, folder: Path) -> str:
    """What `open_store` is given for the ledger of `folder`."""
    if kind == "sqlite":
        return str(folder / "ledger.db")
    return postgres.schema(f"test_{text_hash(str(folder))[:16]}")


def engine_on(store: Store, clock: Clock) -> Engine:
    """An engine that knows the templates `piece` (any result) and `counted` ({"count": int})."""
    return Engine(store, (PROMPTS,), clock=clock, token=Tokens())


def task(name: str, *depends_on: str, **said: Any) -> dict[str, Any]:
    """A task of a plan; its template is `piece` unless said otherwise."""
    known = {"id": name, "label": f"Do {name}", "template": "piece"}
    return known | ({"depends_on": list(depends_on)} if depends_on else {}) | said


def workflow(
    engine: Engine, *tasks: str | Mapping[str, Any], pattern: str = "", **said: Any
) -> str:
    """The id of a new workflow of `tasks`, each as `task` makes it or an id alone.

    A pipeline if a task waits for another, a fan-out if none does, unless said otherwise.
    """
    plan = [task(each) if isinstance(each, str) else each for each in tasks]
    waits = any("depends_on" in each or "on_failure" in each for each in plan)
    kind = pattern or ("pipeline" if waits else "fan_out")
    return engine.create_workflow(kind, "test", tasks=plan, **said)["workflow_id"]


def update(
    engine: Engine, workflow_id: str, task_id: str, status: str, **said: Any
) -> dict[str, Any]:
    return engine.update_task(
        Update(workflow_id=workflow_id, task_id=task_id, status=status, **said)
    )


def start(engine: Engine, workflow_id: str, task_id: str, **said: Any) -> str:
    """Start a task and answer its claim."""
    return update(engine, workflow_id, task_id, "in_progress", **said)["claim"]


def complete(
    engine: Engine, workflow_id: str, task_id: str, data: Any = None, **said: Any
) -> dict[str, Any]:
    """Complete the task with a result block that holds `data`."""
    return update(engine, workflow_id, task_id, "completed", output=result(data), **said)


def fail(
    engine: Engine, workflow_id: str, task_id: str, error: str = "it broke", **said: Any
) -> dict[str, Any]:
    return update(engine, workflow_id, task_id, "failed", error=error, **said)


def result(data: Any = None, **members: Any) -> str:
    """A worker's message whose `<result>` block is an envelope with `data` and `members`."""
    envelope = {"status": "ok", "data": data} | members
    return f"Here it is.\n<result>\n{json.dumps(envelope)}\n</result>\n"


def dump(store: Store) -> dict[str, list[Row]]:
    """Every row of every table, to see that nothing changed."""
    with store.read() as tx:
        return {table: sorted(tx.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES}


def recorded(ledger: Store, workflow_id: str, task_id: str) -> tuple[dict[str, Any], str]:
    """The result envelope of a task and the output of its last attempt, word for word."""
    with ledger.read() as tx:
        found = get_task(tx, workflow_id, task_id)
        where = "WHERE workflow_id = :id AND task_id = :task_id ORDER BY number DESC"
        output = ATTEMPTS.find(tx, where, id=workflow_id, task_id=task_id)[0].output
        envelope = json.loads(get_text(tx, workflow_id, found.result or "")) if found.result else {}
        return envelope, get_text(tx, workflow_id, output or "")


def resolve(engine: Engine, name: str, decision: str, **said: Any) -> dict[str, Any]:
    return engine.resolve(Resolution(workflow_id=name, decision=decision, **said))


def finish(engine: Engine, name: str, *tasks: str) -> None:
    for each in tasks:
        start(engine, name, each)
        complete(engine, name, each, each)


def break_(engine: Engine, name: str, *tasks: str, **said: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for each in tasks:
        start(engine, name, each)
        answer = fail(engine, name, each, **said)
    return answer


def status(engine: Engine, name: str) -> dict[str, str]:
    return {each["id"]: each["status"] for each in engine.show_workflow(name)["tasks"]}
