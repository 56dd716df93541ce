"""The ledger's file: what it refuses to open, how it is shared, what a crash leaves."""

import multiprocessing
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from relaybook.errors import (
    NewerLedger,
    NotALedger,
    Refusal,
    StoreBusy,
    StoreFault,
    StoreUnreachable,
)
from relaybook.model import Attempt, Event, Task, Workflow
from relaybook.store import sqlite_lock as module
from relaybook.store.schema import MIGRATIONS
from relaybook.store.sqlite import PAGE_BYTES, Durability, SqliteStore
from tests.helpers import Clock, dump, engine_on, start, status, workflow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def refused(path: Path) -> Refusal:
    with pytest.raises(Refusal) as caught:
        SqliteStore(path)
    return caught.value


def test_the_folder_that_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "ledger.db"

    SqliteStore(path).close()

    assert path.parent.stat().st_mode & 0o077 == 0


#: Reads a ledger that its user may not write, and says what it finds; root reads as nobody.
READ = """
import os, sys
from pathlib import Path
from relaybook.engine import Engine
from relaybook.errors import Refusal
from relaybook.store.sqlite import SqliteStore
from tests.helpers import PROMPTS, workflow

path, own = map(Path, sys.argv[1:])
known = Engine(SqliteStore(own), (PROMPTS,))  # loads what nobody may not be able to
workflow(known, "a")
known.list_workflows()
if os.geteuid() == 0:
    os.setuid(65534)
store = SqliteStore(path)
engine = Engine(store, (PROMPTS,))
print(len(engine.list_workflows()["workflows"]), store.faults())
try:
    workflow(engine, "a")
except Refusal as refusal:
    print(refusal.code, flush=True)
for line in sys.stdin:
    try:
        engine.list_workflows()
    except Refusal as refusal:
        print(refusal)
"""


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder with a ledger of one workflow and its backup; nobody may write any of it."""
    folder = Path(tempfile.mkdtemp(prefix="relaybook-locked-"))
    store = SqliteStore(folder / "ledger.db")
    workflow(engine_on(store, Clock()), "a")
    store.backup(folder / "backup.db")
    store.close()
    lock(folder)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def lock(folder: Path) -> None:
    for each in folder.iterdir():
        each.chmod(0o444)
    folder.chmod(0o555)


def unlock(folder: Path) -> None:
    folder.chmod(0o755)
    for each in folder.iterdir():
        each.chmod(0o644)


@contextmanager
def another(path: Path, own: Path) -> Generator["subprocess.Popen[str]"]:
    """A process that reads the ledger at `path`, and once more for each line that it is sent."""
    command = [sys.executable, "-c", READ, str(path), str(own)]
    environment = {"PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        yield process


def read_as_another(path: Path, own: Path) -> list[str]:
    with another(path, own) as process:
        found, _ = process.communicate(timeout=60)
    return found.splitlines()


@pytest.mark.parametrize("name", ["ledger.db", "backup.db"])
def test_a_file_that_cannot_be_written_is_read_and_a_write_refused(
    locked: Path, tmp_path: Path, name: str
) -> None:
    assert read_as_another(locked / name, tmp_path / "own.db") == ["1 []", "store_unreachable"]


def test_a_file_that_only_others_may_write_is_read_as_they_left_it(
    locked: Path, tmp_path: Path
) -> None:
    unlock(locked)
    with closing(SqliteStore(locked / "ledger.db")) as store:
        workflow(engine_on(store, Clock()), "a", request_id="another")
        lock(locked)

        found = read_as_another(locked / "ledger.db", tmp_path / "own.db")

    assert found == ["2 []", "store_unreachable"]


def test_a_file_that_was_not_to_change_and_did_is_read_no_more(
    locked: Path, tmp_path: Path
) -> None:
    with another(locked / "ledger.db", tmp_path / "own.db") as reader:
        assert reader.stdout is not None
        before = [reader.stdout.readline() for _ in range(2)]
        unlock(locked)
        with closing(SqliteStore(locked / "ledger.db")):
            said, _ = reader.communicate("again\n", timeout=60)

    assert before == ["1 []\n", "store_unreachable\n"]
    assert "or written by another process," in said


def run(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()


def test_a_folder_that_cannot_be_made_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    refusal = refused(tmp_path / "file" / "ledger.db")

    assert type(refusal) is StoreUnreachable
    assert "--store" in refusal.next


def test_a_path_that_is_a_folder_is_unreachable(tmp_path: Path) -> None:
    assert type(refused(tmp_path)) is StoreUnreachable


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_text("a letter to a friend\n" * 100, encoding="utf-8")
    before = path.read_bytes()

    assert type(refused(path)) is NotALedger
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_refused_and_left_as_it_is(path: Path) -> None:
    run(path, "CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()

    assert type(refused(path)) is NotALedger
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["ledger.db"]


def test_what_an_older_ledger_counted_of_prompts_is_counted_anew(path: Path) -> None:
    store = SqliteStore(path)
    name = workflow(engine_on(store, Clock()), "a")
    store.close()
    run(path, f"INSERT INTO prints VALUES ('{name}', 0, 3)")
    run(path, "DROP INDEX workflows_busy")
    run(path, "UPDATE schema_version SET version = 3")

    SqliteStore(path).close()

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM prints").fetchall() == []


def test_a_newer_ledger_is_refused_and_left_as_it_is(path: Path) -> None:
    SqliteStore(path).close()
    run(path, f"UPDATE schema_version SET version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()

    refusal = refused(path)

    assert type(refusal) is NewerLedger
    assert "upgrade relaybook" in refusal.next
    assert path.read_bytes() == before


@pytest.mark.requirement("S134")
def test_a_ledger_opened_again_holds_what_it_held(path: Path) -> None:
    first = SqliteStore(path)
    workflow(engine_on(first, Clock()), "a", "b")
    before = dump(first)
    first.close()

    again = SqliteStore(path)

    assert dump(again) == before
    again.close()


@pytest.mark.parametrize("damaged", range(1, 4), ids="page {}".format)
def test_a_damaged_ledger_is_a_fault_and_never_an_empty_one(path: Path, damaged: int) -> None:
    store = SqliteStore(path)
    workflow(engine_on(store, Clock()), *(f"t{n}" for n in range(200)))
    store.close()
    content = bytearray(path.read_bytes())
    start = (damaged - 1) * PAGE_BYTES + (100 if damaged == 1 else 0)
    content[start : start + 2000] = b"\xff" * 2000
    path.write_bytes(content)

    with pytest.raises(StoreFault):
        dump(SqliteStore(path))


def open_and_work(path: Path, barrier: "threading.Barrier") -> None:
    barrier.wait()
    store = SqliteStore(path)
    workflow(engine_on(store, Clock()), "a")
    store.close()


def test_eight_processes_may_open_a_fresh_ledger_at_once(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(8)
    processes = [spawn.Process(target=open_and_work, args=(path, barrier)) for _ in range(8)]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 8
    store = SqliteStore(path)
    assert len(dump(store)["workflows"]) == 8
    store.close()


def test_a_writer_waits_for_the_one_before_it(path: Path) -> None:
    store = SqliteStore(path)
    began, order = threading.Event(), list[str]()

    def second() -> None:
        began.set()
        with store.transaction():
            order.append("second")

    thread = threading.Thread(target=second)
    with store.transaction() as tx:
        thread.start()
        began.wait()
        tx.rows("SELECT 1")
        order.append("first")
    thread.join()

    assert order == ["first", "second"]
    store.close()


def test_a_lock_kept_too_long_is_said_to_be_busy(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_PATIENCE", 0.01)
    store, other = SqliteStore(path), SqliteStore(path)

    with store.transaction(), pytest.raises(StoreBusy) as caught, other.transaction():
        pass

    assert caught.value.next == "repeat the call"
    store.close()
    other.close()


def test_a_reader_does_not_wait_for_a_writer_and_sees_what_was_committed(path: Path) -> None:
    store, other = SqliteStore(path), SqliteStore(path)

    with store.transaction() as tx:
        tx.rows("DELETE FROM schema_version")
        with other.read() as reading:
            assert reading.rows("SELECT count(*) FROM schema_version") == [(1,)]
        tx.rows(f"INSERT INTO schema_version VALUES ({len(MIGRATIONS)})")
    store.close()
    other.close()


def test_an_error_inside_a_transaction_takes_all_of_it_back(path: Path) -> None:
    store = SqliteStore(path)

    def fail_half_way() -> None:
        with store.transaction() as tx:
            tx.rows("DELETE FROM schema_version")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()

    with store.transaction() as tx:
        assert tx.rows("SELECT count(*) FROM schema_version") == [(1,)]
    store.close()


def test_threads_share_a_store_and_leave_no_connection_behind(path: Path) -> None:
    store = SqliteStore(path)
    engine = engine_on(store, Clock())
    made: list[str] = []

    def work() -> None:
        made.append(workflow(engine, "a"))

    for _ in range(3):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(set(made)) == 12
    assert len(dump(store)["workflows"]) == 12
    assert len(store._connections) == 1  # pyright: ignore[reportPrivateUsage]
    store.close()


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("normal", 1)])
def test_durability_is_what_sqlite_synchronises(
    path: Path, durability: Durability, level: int
) -> None:
    store = SqliteStore(path, durability)

    with store.read() as tx:
        assert tx.rows("PRAGMA synchronous") == [(level,)]
        assert tx.rows("PRAGMA journal_mode") == [("wal",)]
        assert tx.rows("PRAGMA foreign_keys") == [(1,)]
    store.close()


@pytest.mark.parametrize(
    ("table", "value"),
    [("workflows", Workflow), ("tasks", Task), ("attempts", Attempt), ("events", Event)],
)
def test_the_columns_are_the_fields_of_the_value(
    path: Path, table: str, value: type[NamedTuple]
) -> None:
    store = SqliteStore(path)

    with store.read() as tx:
        columns = {row[1] for row in tx.rows(f"PRAGMA table_info({table})")}

    assert columns == set(value._fields)
    store.close()


def test_a_ledger_that_is_taken_away_while_it_is_open_serves_nobody(path: Path) -> None:
    store = SqliteStore(path)
    engine = engine_on(store, Clock())
    name = workflow(engine, "a")
    away = path.rename(path.with_suffix(".away"))

    with pytest.raises(StoreUnreachable, match="removed or replaced") as caught:
        start(engine, name, "a")
    with pytest.raises(StoreUnreachable):
        engine.show_workflow(name)
    away.rename(path)

    assert "put the file back" in caught.value.next
    assert status(engine, name) == {"a": "pending"}
    store.close()


def test_a_ledger_that_another_took_the_place_of_serves_nobody(path: Path) -> None:
    store = SqliteStore(path)
    engine = engine_on(store, Clock())
    name = workflow(engine, "a")
    path.rename(path.with_suffix(".away"))
    path.write_bytes(b"")

    with pytest.raises(StoreUnreachable, match="removed or replaced"):
        engine.show_workflow(name)
    store.close()


def test_a_full_disk_asks_for_room_and_changes_nothing(path: Path) -> None:
    store = SqliteStore(path)
    engine = engine_on(store, Clock())
    before = dump(store)
    with store.read() as tx:
        tx.rows("PRAGMA max_page_count = 1")

    with pytest.raises(StoreFault, match="no room") as caught:
        workflow(engine, *(f"t{number}" for number in range(200)))

    assert "make room" in caught.value.next
    assert dump(store) == before
    store.close()
