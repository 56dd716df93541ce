"""No two transactions wait for each other: locks are taken in one order, and that is enough."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.cleanup import cleanup
from relaybook.engine.plans.create import create_workflow
from relaybook.engine.request import Resolution, Update
from relaybook.engine.resolve import resolve
from relaybook.engine.tasks.claim import claim_task
from relaybook.engine.tasks.update import update_task
from relaybook.errors import Refusal, StoreFault
from relaybook.store.base import Params, Row
from relaybook.store.postgres import PostgresStore, PostgresTx
from tests.helpers import PROMPTS, Clock, result, store_name, task

#: In this order; a row of `workflows` stands between the first and the others.
NAMED = ("request ", "workflow ", "slugs", "scopes of ", "skill ", "lessons of ")
ROUNDS, HANDS = 8, 4

Locks = list[list[tuple[int, str]]]


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> Locks:
    """The locks of each transaction on PostgreSQL, as (rank, name), in the order taken."""
    taken: Locks = []
    begin, rows, lock = PostgresTx.__init__, PostgresTx.rows, PostgresTx.lock

    def begun(self: Any, *args: Any, **said: Any) -> None:
        begin(self, *args, **said)
        self.taken = []
        taken.append(self.taken)

    def looked(self: Any, sql: str, params: Params | None = None) -> list[Row]:
        known = params or {}
        if "FROM workflows" in sql and (sql.rstrip().endswith("FOR UPDATE") or "DELETE" in sql):
            name = known.get("workflow_id") or known["id"]
            self.taken.append((NAMED.index("workflow "), str(name)))
        return rows(self, sql, params)

    def locked(self: Any, name: str) -> None:
        [rank] = [place for place, start in enumerate(NAMED) if name.startswith(start)]
        self.taken.append((rank, name))
        lock(self, name)

    monkeypatch.setattr(PostgresTx, "__init__", begun)
    monkeypatch.setattr(PostgresTx, "rows", looked)
    monkeypatch.setattr(PostgresTx, "lock", locked)
    return taken


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[list[Engine]]:
    """Engines on one ledger in PostgreSQL, with one clock."""
    url, clock = store_name("postgres", tmp_path), Clock()
    stores = [PostgresStore(url) for _ in range(2)]
    yield [Engine(store, (PROMPTS,), clock=clock) for store in stores]
    for store in stores:
        store.close()


class Hand:
    """Claims, finishes and loses what it finds in two workflows, in either order.

    By the verbs as they are, without the second try that `Engine` gives them: a transaction
    that the database ended is seen.
    """

    def __init__(self, engine: Engine, clock: Clock, names: list[str], number: int) -> None:
        self.engine, self.clock, self.number = engine, clock, number
        self.names = names if number % 2 else names[::-1]
        self.ended = 0

    def work(self, together: threading.Barrier) -> None:
        for turn in range(ROUNDS):
            together.wait()
            for name in self.names:
                self._try(name, turn)
            if self.number == 0:
                self.clock.move(3)  # half of the leases run out

    def _try(self, name: str, turn: int) -> None:
        try:
            claimed = claim_task(self.engine, name, lease_seconds=5, session_key=f"{self.number}")
            if claimed["claimed"] and (turn + self.number) % 3:
                status = "completed" if turn % 2 else "pending"
                update_task(
                    self.engine, Update(claim=claimed["claim"], status=status, output=result())
                )
                self.ended += 1
        except StoreFault:
            raise
        except Refusal:
            pass  # another hand was faster


def plan(engine: Engine, name: str) -> str:
    tasks = [task(f"{name}{n}", writes=[f"src/{n % 3}/"]) for n in range(9)]
    return create_workflow(
        engine, "fan_out", name, tasks=tasks, max_parallel=6, request_id=f"request-{name}"
    )["workflow_id"]


def test_holders_in_two_workflows_never_wait_for_each_other(
    replicas: list[Engine], locks: Locks
) -> None:
    clock = replicas[0].clock
    assert isinstance(clock, Clock)
    names = [plan(replicas[0], name) for name in ("a", "b")]
    hands = [Hand(replicas[n % 2], clock, names, n) for n in range(HANDS)]
    together = threading.Barrier(HANDS, timeout=60)

    with ThreadPoolExecutor(HANDS) as threads:
        for done in [threads.submit(hand.work, together) for hand in hands]:
            done.result()

    assert sum(hand.ended for hand in hands) > 0
    with replicas[0].store.read() as tx:
        expired = tx.rows("SELECT count(*) FROM attempts WHERE outcome = 'expired'")[0][0]
        assert tx.rows("SELECT count(*) FROM scopes WHERE project = 'default'")[0][0] <= 3
    assert expired > 0
    for taken in map(list, map(dict.fromkeys, locks)):  # what is held may be locked again
        rows = {name for rank, name in taken if rank == NAMED.index("workflow ")}
        assert len(rows) <= 1, taken
        assert all(one[0] <= other[0] for one, other in pairwise(taken)), taken


def test_two_cleanups_at_once_take_the_rows_in_one_order(
    replicas: list[Engine], locks: Locks
) -> None:
    clock = replicas[0].clock
    assert isinstance(clock, Clock)
    for n in range(60):
        name = create_workflow(replicas[0], "fan_out", f"w{n}", tasks=[task("a")])["workflow_id"]
        resolve(replicas[0], Resolution(workflow_id=name, decision="cancel"))
    clock.move(8 * 86_400)
    locks.clear()

    with ThreadPoolExecutor(2) as threads:
        removed = [threads.submit(cleanup, engine) for engine in replicas]

    assert sum(each.result()["removed"] for each in removed) == 60
    assert all(taken == sorted(taken) for taken in locks)
