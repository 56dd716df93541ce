"""What PostgreSQL tells of changes reaches every reader, and comes back with the connection."""

import select
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from relaybook.store.base import Hints
from relaybook.store.postgres import PostgresStore
from tests.helpers import Clock, engine_on, store_name, workflow

PATIENCE = 20_000
LISTENS = "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN relaybook'"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return store_name("postgres", tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    store = PostgresStore(url)
    yield store
    store.close()


def next_of(hints: Hints) -> set[str]:
    """What a reader takes next; it waits for something to be there."""
    ready = select.poll()
    ready.register(hints.fileno(), select.POLLIN)
    assert ready.poll(PATIENCE)
    return hints.take()


def test_every_reader_is_told_which_workflow_changed(store: PostgresStore) -> None:
    first = store.hints()
    assert next_of(first) == {""}  # it is listened from here on
    readers = [first, store.hints()]

    workflow_id = workflow(engine_on(store, Clock()), "a")

    assert [next_of(each) for each in readers] == [{workflow_id}] * 2
    assert readers[0].take() == set()
    for each in readers:
        each.close()


def test_a_listener_that_lost_its_connection_tells_of_any_workflow(
    url: str, store: PostgresStore
) -> None:
    hints = store.hints()
    assert next_of(hints) == {""}

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({LISTENS}) AS found".encode())

    assert next_of(hints) == {""}
    hints.close()


def test_a_reader_that_never_reads_holds_nobody_up(store: PostgresStore) -> None:
    quick = store.hints()
    assert next_of(quick) == {""}
    idle = store.hints()
    sql = "SELECT pg_notify('relaybook', repeat('x', 4000) || n) FROM generate_series(1, 80) AS n"

    with store.transaction() as tx:
        tx.rows(sql)
    with store.transaction() as tx:
        tx.tell("wf_last", 1)

    told: set[str] = set()
    while "wf_last" not in told:
        told |= next_of(quick)
    assert "wf_last" in told
    idle.close()
    quick.close()


def test_a_store_that_is_closed_listens_no_more(url: str) -> None:
    store = PostgresStore(url)
    hints = store.hints()
    assert next_of(hints) == {""}

    store.close()

    hints.close()
    with psycopg.connect(url) as connection:
        own = f"{LISTENS} AND datname = current_database() AND application_name = 'relaybook'"
        assert connection.execute(own.encode()).fetchall() == []
