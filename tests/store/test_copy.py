"""A ledger is copied whole into an empty one of any kind, or not at all."""

import sqlite3
from itertools import product
from pathlib import Path

import pytest

from relaybook.engine import Engine
from relaybook.errors import AlreadyThere, StoreFault
from relaybook.store import copy as module
from relaybook.store.base import Store, Tx
from relaybook.store.copy import Copied, copy_ledger
from relaybook.store.schema import KEYS
from tests.helpers import (
    STORES,
    Clock,
    complete,
    dump,
    engine_on,
    fail,
    open_ledger,
    start,
    workflow,
)
from tests.helpers import task as planned


def filled(store: Store) -> Engine:
    """An engine on a ledger with rows in most tables, texts of every kind among them."""
    engine = engine_on(store, Clock())
    id = workflow(engine, planned("a", writes=["src/"]), planned("b", "a", label="ünïcode \\ ' :x"))
    start(engine, id, "a")
    complete(engine, id, "a", {"text": "line\nline", "n": 0.1})
    start(engine, id, "b")
    fail(engine, id, "b", "no %s")
    start(engine, workflow(engine, planned("w", writes=["docs/"])), "w")
    for _ in range(30):
        workflow(engine, "a", "b")
    return engine


@pytest.mark.parametrize(("one", "other"), list(product(STORES, STORES)))
def test_a_copy_holds_every_row_of_every_table(
    one: str, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 7)
    source, target = open_ledger(one, tmp_path / "one"), open_ledger(other, tmp_path / "other")
    filled(source)

    copied = copy_ledger(source, target)

    rows = dump(source)
    assert dump(target) == rows
    assert {each.table: each.rows for each in copied} == {name: len(rows[name]) for name in rows}
    source.close()
    target.close()


def test_there_and_back_again_has_the_same_checksums(tmp_path: Path) -> None:
    stores = [open_ledger(kind, tmp_path / kind) for kind in STORES]
    back = open_ledger("sqlite", tmp_path / "back")
    filled(stores[0])

    there = copy_ledger(stores[0], stores[1])

    assert copy_ledger(stores[1], back) == there
    for store in (*stores, back):
        store.close()


def test_a_copy_goes_on_where_the_source_stopped(tmp_path: Path) -> None:
    source, target = (open_ledger(kind, tmp_path) for kind in STORES)
    engine = engine_on(source, Clock())
    id = workflow(engine, "a")
    claim = start(engine, id, "a")

    copy_ledger(source, target)

    assert complete(engine_on(target, Clock()), id, "a", claim=claim)["status"] == "completed"
    source.close()
    target.close()


@pytest.mark.parametrize("kind", STORES)
def test_a_target_with_rows_is_refused_and_left_as_it_is(kind: str, tmp_path: Path) -> None:
    source, target = open_ledger("sqlite", tmp_path / "one"), open_ledger(kind, tmp_path / "other")
    filled(source)
    workflow(engine_on(target, Clock()), "theirs")
    before = dump(target)

    with pytest.raises(AlreadyThere, match="is not empty: it has rows in 'workflows'"):
        copy_ledger(source, target)

    assert dump(target) == before
    source.close()
    target.close()


@pytest.mark.parametrize("kind", STORES)
def test_a_copy_that_reads_back_otherwise_leaves_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = open_ledger("sqlite", tmp_path / "one"), open_ledger(kind, tmp_path / "other")
    filled(source)
    read_back = module._digest  # pyright: ignore[reportPrivateUsage]

    def other_for_texts(tx: Tx, table: str) -> Copied:
        return read_back(tx, "edges" if table == "texts" else table)

    monkeypatch.setattr(module, "_digest", other_for_texts)

    with pytest.raises(StoreFault, match="'texts' was copied wrong"):
        copy_ledger(source, target)

    assert not any(dump(target).values())
    source.close()
    target.close()


def test_the_keys_are_those_of_all_tables(tmp_path: Path) -> None:
    open_ledger("sqlite", tmp_path).close()
    found: dict[str, tuple[str, ...]] = {}

    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        for (table,) in db.execute(tables):
            keys = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
            found[table] = tuple(row[0] for row in db.execute(keys, [table]))
    db.close()

    assert found == {**KEYS, "schema_version": ()}
