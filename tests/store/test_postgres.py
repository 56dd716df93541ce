"""What is particular to a ledger in PostgreSQL."""

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from relaybook.engine import Engine
from relaybook.errors import (
    NewerLedger,
    NotALedger,
    OutcomeUnknown,
    StoreBusy,
    StoreFault,
    StoreUnreachable,
    TransactionLost,
)
from relaybook.store import postgres as module
from relaybook.store.base import Tx
from relaybook.store.postgres import PostgresStore, PostgresTx, pyformat
from relaybook.store.schema import MIGRATIONS
from tests.helpers import PROMPTS, Clock, complete, dump, engine_on, start, store_name, workflow
from tests.postgres import Server

END_EVERY_OTHER = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'relaybook' AND pid <> pg_backend_pid()"
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An empty schema."""
    return store_name("postgres", tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    store = PostgresStore(url)
    yield store
    store.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that the test may stop."""
    server = Server()
    yield server
    server.remove()


def run(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def end_connections(url: str) -> None:
    """What a restart of the server does to its clients."""
    run(f"{url}&application_name=the_end", END_EVERY_OTHER)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT :a, :b_2", "SELECT %(a)s, %(b_2)s"),
        ("SELECT :a::text, 'x:y', '%'", "SELECT %(a)s::text, 'x:y', '%%'"),
        ("SELECT 1", "SELECT 1"),
    ],
)
def test_parameters_are_written_as_psycopg_has_them(sql: str, expected: str) -> None:
    assert pyformat(sql) == expected


def test_every_text_compares_byte_by_byte(store: PostgresStore) -> None:
    with store.read() as tx:
        found = tx.rows(
            "SELECT DISTINCT collation_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND data_type = 'text'"
        )

    assert found == [("C",)]


def test_a_full_disk_of_the_server_asks_for_room(store: PostgresStore) -> None:
    full = "DO $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'No space left'; END $$"

    with pytest.raises(StoreFault, match="no room") as refused, store.transaction() as tx:
        tx.rows(full)

    assert refused.value.next.startswith("make room on the server's disk")


def test_a_schema_of_something_else_is_refused_and_left_as_it_is(url: str) -> None:
    run(url, "CREATE TABLE tasks (id TEXT)")

    with pytest.raises(NotALedger, match="was left as it is"):
        PostgresStore(url)

    run(url, "INSERT INTO tasks VALUES ('still here')")


def test_a_version_table_of_something_else_makes_no_ledger(url: str) -> None:
    run(url, "CREATE TABLE schema_version (version BIGINT)")

    with pytest.raises(NotALedger):
        PostgresStore(url)


def test_a_newer_ledger_is_refused(url: str) -> None:
    PostgresStore(url).close()
    run(url, f"UPDATE schema_version SET version = {len(MIGRATIONS) + 1}")

    with pytest.raises(NewerLedger):
        PostgresStore(url)


@pytest.mark.parametrize(
    "change",
    [
        "options=-csearch_path%3Dnowhere",
        "dbname=nowhere",
        "host=/nowhere",
        "options=-cdefault_transaction_read_only%3Don",
    ],
)
def test_what_cannot_be_reached_or_written_is_said_so(url: str, change: str) -> None:
    with pytest.raises(StoreUnreachable):
        PostgresStore(f"{url}&{change}")


def test_a_url_that_cannot_be_read_is_refused_without_its_password() -> None:
    with pytest.raises(StoreUnreachable) as caught:
        PostgresStore("postgresql://me:secret@host/db?colour=red")

    assert "secret" not in str(caught.value)


def test_a_password_is_in_no_refusal() -> None:
    with pytest.raises(StoreUnreachable) as caught:
        PostgresStore("postgresql://me:secret@/ledger?host=/nowhere")

    assert "secret" not in str(caught.value)


def test_a_server_that_is_gone_without_a_word_is_found_out_unless_the_url_says_otherwise(
    url: str,
) -> None:
    store = PostgresStore(f"{url}&keepalives_idle=5")

    with store._pool.connection() as connection:  # pyright: ignore[reportPrivateUsage]
        params = connection.info.get_parameters()

    assert (params["tcp_user_timeout"], params["keepalives_idle"]) == ("30000", "5")
    store.close()


def open_and_work(url: str) -> None:
    store = PostgresStore(url)
    workflow(engine_on(store, Clock()), "a", request_id="the same")
    store.close()


def test_several_processes_may_start_at_once_on_an_empty_schema(url: str) -> None:
    processes = multiprocessing.get_context("spawn")
    started = [processes.Process(target=open_and_work, args=(url,)) for _ in range(6)]

    for process in started:
        process.start()
    for process in started:
        process.join()

    assert [process.exitcode for process in started] == [0] * 6
    store = PostgresStore(url)
    with store.read() as tx:
        assert tx.rows("SELECT version FROM schema_version") == [(len(MIGRATIONS),)]
    assert len(dump(store)["workflows"]) == 1
    store.close()


@pytest.mark.requirement("S7")
def test_replicas_that_race_for_a_claim_do_not_both_have_it(url: str) -> None:
    stores = [PostgresStore(url) for _ in range(2)]
    replicas = [Engine(store, (PROMPTS,)) for store in stores]
    workflow_id = workflow(replicas[0], "a", "b", "c", "d")

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(replicas[n % 2].claim_task, workflow_id) for n in range(4)]

    assert sorted(answer.result()["task_id"] for answer in answers) == ["a", "b", "c", "d"]
    for store in stores:
        store.close()


def test_no_call_fails_when_the_server_was_restarted_between_calls(server: Server) -> None:
    store = PostgresStore(server.url)
    engine = engine_on(store, Clock())
    workflow_id = workflow(engine, "a", "b")
    complete(engine, workflow_id, "a", claim=start(engine, workflow_id, "a"))

    server.restart()

    complete(engine, workflow_id, "b", claim=start(engine, workflow_id, "b"))
    assert engine.show_workflow(workflow_id)["status"] == "completed"
    store.close()


def test_a_server_that_is_gone_is_unreachable(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_PATIENCE", 0.3)
    store = PostgresStore(server.url)

    server.stop()

    with pytest.raises(StoreUnreachable, match="gave no connection"), store.read():
        pass
    store.close()


def test_only_the_first_call_waits_long_for_a_server_that_is_gone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_PATIENCE", 20.0)
    store = PostgresStore(server.url)
    asked: list[float | None] = []
    give = ConnectionPool.getconn

    def noted(pool: Any, timeout: float | None = None) -> Any:
        asked.append(timeout)
        return give(pool, 0.3 if len(asked) == 1 else timeout)

    monkeypatch.setattr(ConnectionPool, "getconn", noted)
    server.stop()

    for _ in range(2):
        with pytest.raises(StoreUnreachable), store.read():
            pass

    assert asked == [20.0, module.AWAY_PATIENCE]
    store.close()


def await_figure(store: PostgresStore, name: str, least: int) -> None:
    """Wait until the pool of `store` has counted at least so many."""
    pool, pause = store._pool, threading.Event()  # pyright: ignore[reportPrivateUsage]
    for _ in range(500):
        if pool.get_stats().get(name, 0) >= least:
            return
        pause.wait(0.05)
    raise AssertionError(f"{name} stayed below {least}")


def test_a_store_tries_evenly_for_as_long_as_its_server_is_away_and_is_back_unasked(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "CONNECT_PATIENCE", 0.3)
    store = PostgresStore(server.url)
    server.stop()
    with pytest.raises(StoreUnreachable), store.read():
        pass

    await_figure(store, "connections_errors", 8)  # if each waited twice as long: four minutes
    server.start()
    await_figure(store, "pool_available", 1)

    with store.read() as tx:
        assert tx.rows("SELECT 1") == [(1,)]
    store.close()
    lost, found = [record.getMessage() for record in caplog.records]
    assert lost.startswith(f"the ledger {store.name} takes no new connection: connection")
    assert found == f"the ledger {store.name} takes connections again"


def test_a_connection_lost_before_the_commit_lost_the_transaction(
    url: str, store: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    def work(tx: Tx) -> None:
        tx.rows("DELETE FROM schema_version")
        end_connections(url)
        tx.rows("SELECT 1")

    with pytest.raises(TransactionLost), store.transaction() as tx:
        work(tx)

    with store.read() as tx:
        assert tx.rows("SELECT count(*) FROM schema_version") == [(1,)]
    assert caplog.records == []


def test_a_verb_that_loses_its_connection_is_done_all_the_same(
    url: str, store: PostgresStore
) -> None:
    engine = engine_on(store, Clock())
    workflow_id = workflow(engine, "a")
    clock, cut = engine.clock, [end_connections]

    def cut_once() -> float:
        if cut:
            cut.pop()(url)
        return clock()

    engine.clock = cut_once

    assert engine.claim_task(workflow_id)["claimed"]
    assert len(dump(store)["attempts"]) == 1


def test_a_connection_lost_in_the_commit_leaves_the_outcome_unknown(
    url: str, store: PostgresStore
) -> None:
    with pytest.raises(OutcomeUnknown, match="repeat the call"), store.transaction():
        end_connections(url)


def test_of_two_that_wait_for_each_other_one_is_ended_and_may_be_run_again(
    store: PostgresStore,
) -> None:
    both_have_one = threading.Barrier(2)

    def take(first: str, second: str) -> None:
        with store.transaction() as tx:
            tx.lock(first)
            both_have_one.wait()
            tx.lock(second)

    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(take, "one", "two"), threads.submit(take, "two", "one")]

    ends = [type(future.exception()) for future in futures]
    assert sorted(ends, key=str) == [type(None), TransactionLost]


def test_a_lock_that_is_kept_too_long_makes_a_call_busy(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_PATIENCE", 0.05)
    store = PostgresStore(url)

    with store.transaction() as first:
        first.lock("one")
        with pytest.raises(StoreBusy), store.transaction() as second:
            second.lock("one")
    store.close()


def test_a_statement_that_takes_too_long_makes_a_call_busy(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STATEMENT_PATIENCE", 0.05)
    store = PostgresStore(url)

    with pytest.raises(StoreBusy), store.read() as tx:
        tx.rows("SELECT pg_sleep(60)")
    store.close()


def test_a_transaction_whose_process_has_stopped_is_ended(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_LIMIT", 0.05)
    store = PostgresStore(url)

    def stop_half_way(tx: PostgresTx) -> None:
        tx.lock("one")
        run(url, "SELECT pg_advisory_xact_lock(hashtextextended('one', 0))")  # given when it ends
        tx.rows("SELECT 1")

    with pytest.raises(TransactionLost), store.transaction() as tx:
        stop_half_way(tx)
    store.close()


def test_a_broken_invariant_is_shown_as_the_bug_it_is(store: PostgresStore) -> None:
    with pytest.raises(psycopg.IntegrityError), store.transaction() as tx:
        tx.rows("INSERT INTO texts VALUES ('nowhere', 'hash', 'body')")


@pytest.mark.parametrize(("durability", "expected"), [("full", "on"), ("normal", "off")])
def test_durability_says_whether_a_commit_waits_for_the_disk(
    url: str, durability: module.Durability, expected: str
) -> None:
    store = PostgresStore(url, durability)

    with store.read() as tx:
        assert tx.rows("SHOW synchronous_commit") == [(expected,)]
    store.close()


def test_the_time_is_the_databases(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the machine of a replica thinks of the time of day is nowhere asked.
    monkeypatch.setattr("time.time", lambda: 0.0)
    store = PostgresStore(url)

    now = store.clock()

    with store.read() as tx:
        theirs = tx.rows("SELECT extract(epoch FROM clock_timestamp())::double precision")[0][0]
    assert 0 <= theirs - now < 60
    store.close()


def test_others_are_told_of_a_change_when_it_is_committed(url: str, store: PostgresStore) -> None:
    with psycopg.connect(url, autocommit=True) as listener:
        listener.execute("LISTEN relaybook")

        workflow_id = workflow(engine_on(store, Clock()), "a")

        told = next(listener.notifies(timeout=10))
    assert (told.channel, told.payload) == ("relaybook", f"{workflow_id} 2")
