"""backup: one moment of a ledger as a new file, while others write."""

import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from relaybook.errors import AlreadyThere, Forbidden, StoreUnreachable
from relaybook.store.sqlite import SqliteStore
from tests.helpers import Clock, dump, engine_on, open_ledger, workflow

#: Makes workflows until its input ends, and says when the first one is there.
WRITER = """
import sys, threading
from pathlib import Path
from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore

engine = Engine(SqliteStore(Path(sys.argv[1]), "normal"))
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
while not over.is_set():
    engine.create_workflow("fan_out", tasks=[{"id": "a", "label": "Do a"}])
    print("made", flush=True)
"""


@contextmanager
def writing(path: Path) -> Generator["subprocess.Popen[str]"]:
    """A process that writes to the ledger all the while."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        yield process
        process.communicate(timeout=60)


def test_a_backup_taken_while_another_process_writes_is_whole(tmp_path: Path) -> None:
    path, target = tmp_path / "ledger.db", tmp_path / "backup.db"
    with closing(SqliteStore(path)) as store, writing(path) as process:
        store.backup(target)
        during = process.poll()

    with closing(SqliteStore(target)) as copy, copy.read() as tx:
        workflows = tx.rows("SELECT id FROM workflows")
        orphans = tx.rows("SELECT 1 FROM tasks WHERE workflow_id NOT IN (SELECT id FROM workflows)")
        faults = copy.faults()
    assert during is None
    assert workflows
    assert (orphans, faults) == ([], [])


def test_a_backup_holds_every_row(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "ledger.db")) as store:
        workflow(engine_on(store, Clock()), "a", "b")
        store.backup(tmp_path / "backup.db")
        expected = dump(store)

    with closing(SqliteStore(tmp_path / "backup.db")) as copy:
        assert dump(copy) == expected
    assert sorted(each.name for each in tmp_path.glob("backup*")) == ["backup.db"]


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    target = tmp_path / "kept"
    target.write_text("mine", encoding="utf-8")

    store = SqliteStore(tmp_path / "ledger.db")
    with closing(store), pytest.raises(AlreadyThere, match="something at"):
        store.backup(target)

    assert target.read_text(encoding="utf-8") == "mine"


def test_a_backup_to_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    with closing(store), pytest.raises(StoreUnreachable, match="cannot be written"):
        store.backup(tmp_path / "no" / "backup.db")


def test_a_row_that_belongs_to_nothing_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(SqliteStore(path)) as store:
        id = workflow(engine_on(store, Clock()), "a")
        assert store.faults() == []
        with closing(sqlite3.connect(path)) as conn:
            conn.execute("DELETE FROM workflows WHERE id = ?", (id,))
            conn.commit()

        assert any("of tasks belongs to no row of workflows" in each for each in store.faults())


def test_postgresql_is_backed_up_by_the_command_that_is_named(tmp_path: Path) -> None:
    store = open_ledger("postgres", tmp_path)
    with closing(store), pytest.raises(Forbidden) as refused:
        store.backup(tmp_path / "backup.dump")

    assert refused.value.next.startswith("pg_dump --format=custom --schema=test_")
    assert f"--file={tmp_path / 'backup.dump'}" in refused.value.next
