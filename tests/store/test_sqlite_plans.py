"""What names one task finds it by an index, however large its workflow and its ledger."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from relaybook.engine.request import Update
from relaybook.store.sqlite import SqliteStore, SqliteTx
from tests.helpers import Clock, complete, engine_on, fail, start, task, update, workflow

Sent = dict[str, Any]

#: Steps that read few rows: a table of one row, and the workflows that workers are busy with.
_NARROW = ("SCAN schema_version", "SCAN workflows USING INDEX workflows_busy")
#: Steps that read every row of a table, or of one workflow, or of its past.
_WIDE = re.compile(r"SCAN|ANY\(|\(workflow_id=\?( AND seq<\?)?\)")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Every statement that was sent, with the values of its last time."""
    found: Sent = {}
    original = SqliteTx.rows

    def noted(self: SqliteTx, sql: str, params: Any = None) -> Any:
        found[sql] = {**self.sight.params, **(params or {})}
        return original(self, sql, params)

    monkeypatch.setattr(SqliteTx, "rows", noted)
    return found


def wide_steps(path: Path, sent: Sent) -> Iterator[str]:
    with closing(sqlite3.connect(path)) as conn:
        for sql, params in sent.items():
            for _, _, _, step in conn.execute(f"EXPLAIN QUERY PLAN {sql}", params):
                if _WIDE.search(step) and step not in _NARROW:
                    yield f"{step} of {sql}"


def calls_that_name_a_task(path: Path, sent: Sent) -> None:
    store = SqliteStore(path)
    engine = engine_on(store, Clock())
    name = workflow(
        engine, *(f"t{n}" for n in range(9)), task("after", "t0", "t1"), pattern="supervisor"
    )
    engine.claim_task(name)  # the first keeps what all of its kind share
    sent.clear()
    claims = [start(engine, name, f"t{number}") for number in range(1, 5)]
    complete(engine, name, "t1", claim=claims[0])
    fail(engine, name, "t2", claim=claims[1])
    engine.update_task(Update(status="pending", claim=claims[2]))
    engine.update_task(Update(status="in_progress", claim=claims[3]))
    update(engine, name, "t6", "cancelled")
    claim = engine.claim_task()["claim"]
    engine.record("metric", [{"name": "lines", "value": 1}], claim=claim)
    engine.render_prompt(workflow_id=name, task_id="t7")
    engine.read(f"ledger://workflows/{name}/tasks/t1")
    store.close()


def test_calls_that_name_a_task_read_no_more_than_they_need(path: Path, sent: Sent) -> None:
    calls_that_name_a_task(path, sent)
    assert len(sent) > 20
    assert list(wide_steps(path, sent)) == []


def test_without_what_the_planner_is_told_they_would_read_whole_workflows(
    path: Path, sent: Sent
) -> None:
    calls_that_name_a_task(path, sent)
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("DELETE FROM sqlite_stat1")
        conn.commit()
    assert any("events" in step for step in wide_steps(path, sent))
