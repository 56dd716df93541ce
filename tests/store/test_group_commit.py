"""Transactions of calls that can wait for their commit share one, and stand or fall with it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import Refusal, StoreFault
from relaybook.store.group import call
from relaybook.store.sqlite import SqliteStore


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(SqliteStore(tmp_path / "ledger.db"))
    yield engine
    engine.store.close()


@pytest.fixture
def workflow(engine: Engine) -> str:
    tasks = [{"id": name, "label": f"Look at part {name}"} for name in ("a", "b", "c")]
    return engine.create_workflow("fan_out", tasks=tasks)["workflow_id"]


def start(engine: Engine, workflow: str, task: str) -> str:
    update = Update(workflow_id=workflow, task_id=task, status="in_progress")
    return engine.update_task(update)["claim"]


def in_progress(engine: Engine) -> set[str]:
    """What another process sees in progress."""
    assert isinstance(engine.store, SqliteStore)
    with sqlite3.connect(engine.store.path) as other:
        found = other.execute("SELECT id FROM tasks WHERE status = 'in_progress'").fetchall()
    other.close()
    return {row[0] for row in found}


def test_calls_that_come_together_share_one_commit(engine: Engine, workflow: str) -> None:
    with call() as first:
        start(engine, workflow, "a")
    with call() as second:
        start(engine, workflow, "b")
    before = in_progress(engine)

    first.begun[0].end()

    assert (before, in_progress(engine)) == (set(), {"a", "b"})
    assert second.joined == first.joined
    assert second.begun == []


def test_a_refusal_undoes_its_own_transaction_and_no_other(engine: Engine, workflow: str) -> None:
    with call() as first:
        start(engine, workflow, "a")
    with call() as second, pytest.raises(Refusal):
        start(engine, workflow, "nosuch")
    with call():
        start(engine, workflow, "b")

    first.begun[0].end()

    assert in_progress(engine) == {"a", "b"}
    second.joined[0].outcome()


def test_a_group_whose_first_call_is_refused_holds_no_lock(engine: Engine, workflow: str) -> None:
    with call() as first, pytest.raises(Refusal):
        start(engine, workflow, "nosuch")

    assert first.begun[0].ended
    with call() as second:
        start(engine, workflow, "a")
    second.begun[0].end()
    assert in_progress(engine) == {"a"}


def test_a_commit_that_fails_fails_every_call_of_the_group(engine: Engine, workflow: str) -> None:
    with call() as first:
        start(engine, workflow, "a")
    with call() as second, engine.store.transaction() as tx:
        tx.rows("PRAGMA defer_foreign_keys = ON")  # so that only the commit finds it out
        tx.rows("INSERT INTO texts (workflow_id, hash, body) VALUES ('nowhere', 'h', 'b')")

    first.begun[0].end()

    for waiting in (first, second):
        with pytest.raises(StoreFault):
            waiting.joined[0].outcome()
    assert in_progress(engine) == set()
    start(engine, workflow, "b")  # the ledger goes on
    assert in_progress(engine) == {"b"}


def test_a_call_reads_what_it_wrote_and_nobody_else_does(engine: Engine, workflow: str) -> None:
    with call() as first:
        start(engine, workflow, "a")
        own = engine.show_workflow(workflow)["progress"], engine.show_workflow(workflow)["counts"]
    with call():
        other = engine.show_workflow(workflow)["counts"]

    first.begun[0].end()

    assert own[1]["in_progress"] == 1
    assert other.get("in_progress", 0) == 0
    assert engine.show_workflow(workflow)["counts"]["in_progress"] == 1


def test_a_transaction_outside_any_call_ends_the_group_that_is_open(
    engine: Engine, workflow: str
) -> None:
    with call() as first:
        start(engine, workflow, "a")

    start(engine, workflow, "b")

    assert first.begun[0].ended
    assert in_progress(engine) == {"a", "b"}


def test_up_to_ten_updates_of_one_call_share_its_commit(engine: Engine, workflow: str) -> None:
    updates = [
        Update(workflow_id=workflow, task_id=name, status="in_progress") for name in ("a", "b", "x")
    ]

    with call() as one:
        results = engine.update_tasks(updates)["results"]
    one.begun[0].end()

    assert [one.joined[0].size, len(one.joined)] == [3, 1]
    assert [result.get("status") for result in results] == ["in_progress", "in_progress", None]
    assert in_progress(engine) == {"a", "b"}


def test_a_commit_into_a_file_that_was_taken_away_is_none(engine: Engine, workflow: str) -> None:
    assert isinstance(engine.store, SqliteStore)
    with call() as only:
        start(engine, workflow, "a")
    engine.store.path.unlink()

    only.begun[0].end()

    with pytest.raises(StoreFault, match="removed or replaced"):
        only.begun[0].outcome()
