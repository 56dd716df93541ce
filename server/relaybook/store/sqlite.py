"""The ledger in one SQLite file, through sqlite-utils on its fast path.

Our own connection per thread, autocommit off the library's hands (`isolation_level=None`),
every write transaction begun IMMEDIATE: one that begins deferred fails at once when another
process has written since it read.
"""

import sqlite3
import threading
import time
import weakref
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from relaybook.errors import StoreUnreachable
from relaybook.store.backup import back_up, faults_of
from relaybook.store.base import Durability, Params, Row
from relaybook.store.bind import bindable
from relaybook.store.group import Call, current_call
from relaybook.store.sight import EVERYTHING
from relaybook.store.sqlite_faults import translated
from relaybook.store.sqlite_file import OpenFile
from relaybook.store.sqlite_group import SqliteGroup
from relaybook.store.sqlite_lock import patiently
from relaybook.store.sqlite_version import file_version, migrate

if TYPE_CHECKING:
    from sqlite_utils import Database

#: The bytes of a page of a new ledger. A commit writes each page it touched, most of them for one
#: small row: half of SQLite's 4096 makes it a quarter faster; smaller ones hold no long row.
PAGE_BYTES = 2048
#: How many pages the write-ahead log gathers before they move into the ledger. Most writes
#: touch the same few pages, so eight times SQLite's 1000 moves far fewer of them in all.
CHECKPOINT_PAGES = 8000
#: How many quiet turns of an event loop a commit is worth, 10 us each. Calls of one connection may
#: come in two turns apart; only a commit that waits for the disk is worth those.
PATIENCE = {"FULL": 3, "NORMAL": 1}

_COLUMNS = "SELECT name FROM pragma_table_info(:table) ORDER BY cid"


class SqliteTx:
    """A transaction on this thread's connection."""

    for_update = ""

    def __init__(self, db: "Database") -> None:
        self._db = db
        self.sight = EVERYTHING

    def rows(self, sql: str, params: Params | None = None) -> list[Row]:
        bound = {**self.sight.params, **(params or {})} if self.sight.params else params or {}
        return self._db.execute(sql, bindable(bound)).fetchall()

    def columns(self, table: str) -> list[str]:
        return [row[0] for row in self.rows(_COLUMNS, {"table": table})]

    def lock(self, name: str) -> None:
        """Nothing to do: a transaction that writes has the whole file to itself."""

    def many(self, sql: str, params: Iterable[Params]) -> None:
        self._db.conn.executemany(sql, map(bindable, params))

    def tell(self, workflow_id: str, seq: int) -> None:
        """Nothing to do: who shares the file sees by its data version that it changed."""


class _Look(SqliteTx):
    """Statements outside a transaction, each of which may meet a lock as `SqliteStore.read` does."""

    def rows(self, sql: str, params: Params | None = None) -> list[Row]:
        return patiently(lambda: SqliteTx.rows(self, sql, params))


class SqliteStore:
    """The ledger at `path`; made there if nothing is. A file that cannot be written is read."""

    threads = 0

    def __init__(self, path: Path, durability: Durability = "full") -> None:
        """Open the file, and bring its tables up to date.

        Raises:
            StoreUnreachable: it cannot be opened, or made, or brought up to date.
            NotALedger: it holds something else.
            NewerLedger: a later relaybook wrote it.
        """
        self.path = path
        self._synchronous = {"full": "FULL", "normal": "NORMAL"}[durability]
        self._local = threading.local()
        self._connections: set[sqlite3.Connection] = set()
        weakref.finalize(self, _close_all, self._connections)
        _prepare(path)
        file_version(path)  # before anything of it is changed
        self._file = OpenFile(path)
        with translated(path):
            migrate(self._connection(), path)
        self._file.opened()

    def clock(self) -> float:
        return time.time()

    def hints(self) -> None:
        """None: a file tells nobody that it changed."""

    def close(self) -> None:
        self._local = threading.local()
        _close_all(self._connections)

    @contextmanager
    def transaction(self) -> Generator[SqliteTx]:
        with translated(self.path):
            call = current_call()
            if call is not None:
                with self._joined_by(call).member():
                    yield SqliteTx(self._gathering())
                return
            if (group := self._open_group()) is not None:
                group.end()  # it has the lock, which this thread cannot wait for
            db = self._database()
            patiently(lambda: db.conn.execute("BEGIN IMMEDIATE"))
            try:
                yield SqliteTx(db)
                self._file.check()
                db.conn.execute("COMMIT")
            except BaseException:
                if db.conn.in_transaction:
                    db.conn.execute("ROLLBACK")
                raise

    def _joined_by(self, call: Call) -> SqliteGroup:
        """The group of the commit that a call waits for, which others may share.

        The lock is not waited for: the thread has other calls to serve.
        """
        group = self._open_group()
        if group is None:
            conn = self._gathering().conn
            conn.execute("BEGIN IMMEDIATE")
            group = SqliteGroup(conn, self._file, patience=PATIENCE[self._synchronous])
            self._local.group = group
            call.begun.append(group)
        if group not in call.joined:
            call.joined.append(group)
        return group

    def _open_group(self) -> SqliteGroup | None:
        """The group that this thread's transactions may join."""
        group: SqliteGroup | None = getattr(self._local, "group", None)
        return None if group is None or group.ended else group

    def _joined(self) -> SqliteTx | None:
        """Where the call that runs sees what it wrote, if that is not committed yet."""
        call, group = current_call(), self._open_group()
        if call is None or group not in call.joined:
            return None
        return SqliteTx(self._gathering())

    def _gathering(self) -> "Database":
        """This thread's connection for transactions that share a commit.

        Another than for reading: no one else sees what is not committed yet.
        """
        db = getattr(self._local, "gathering", None)
        if db is None:
            db = self._local.gathering = self._managed(self._connect())
        return db

    @contextmanager
    def read(self) -> Generator[SqliteTx]:
        with translated(self.path):
            if (tx := self._joined()) is not None:
                yield tx
                return
            db = self._database()
            db.conn.execute("BEGIN")
            try:
                # Takes the snapshot now; only here can a reader meet a lock, while another
                # process recovers or removes the write-ahead log.
                patiently(lambda: db.conn.execute("SELECT 1 FROM schema_version").fetchall())
                self._file.check()
                yield SqliteTx(db)
            finally:
                if db.conn.in_transaction:
                    db.conn.execute("ROLLBACK")

    @contextmanager
    def look(self) -> Generator[SqliteTx]:
        with translated(self.path):
            yield self._joined() or _Look(self._database())

    def version(self) -> tuple[int, int]:
        with translated(self.path):
            conn = self._database().conn
            # The first counts the commits of other connections, the second our own changes.
            return conn.execute("PRAGMA data_version").fetchone()[0], conn.total_changes

    def faults(self) -> list[str]:
        with translated(self.path):
            return faults_of(self._connection())

    def backup(self, target: Path) -> None:
        with translated(self.path):
            back_up(self._connection(), target)

    def _database(self) -> "Database":
        db = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._managed(self._connection())
        return db

    def _managed(self, connection: sqlite3.Connection) -> "Database":
        """The connection in the library's hands; closed when its thread ends."""
        # Imported here: a server tells what it offers before anybody asks for a row.
        from sqlite_utils import Database

        db = Database(connection, execute_plugins=False)
        weakref.finalize(db, _close, self._connections, connection)
        return db

    def _connection(self) -> sqlite3.Connection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        return connection

    def _connect(self) -> sqlite3.Connection:
        uri = self._file.uri
        connection = sqlite3.connect(
            uri or self.path,
            uri=uri is not None,
            timeout=0,  # `patiently` does the waiting
            isolation_level=None,
            check_same_thread=False,  # only so that `close` may be called from any thread
            cached_statements=256,
        )
        self._connections.add(connection)
        if uri is None:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # heeded by an empty file alone
            patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchall())
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA automatic_index = OFF")  # what is worth one has one
        return connection


def _close(connections: set[sqlite3.Connection], connection: sqlite3.Connection) -> None:
    connections.discard(connection)
    connection.close()


def _close_all(connections: set[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _prepare(path: Path) -> None:
    try:
        # For its owner alone: prompts, results and claims lie in it.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnreachable(
            f"The folder of the ledger {str(path)!r} cannot be made: {error.strerror}.",
            next="name a path that can be written with --store or RELAYBOOK_STORE",
        ) from error
