"""The transactions of one SQLite connection that share a commit."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager

from relaybook.errors import StoreFault
from relaybook.store.sqlite_faults import refusal
from relaybook.store.sqlite_file import OpenFile


class SqliteGroup:
    """A transaction that is open already; those that join it are savepoints in it."""

    def __init__(
        self,
        conn: sqlite3.Connection,
        file: OpenFile,
        *,
        patience: int,
    ) -> None:
        self.size = 0
        self.ended = False
        self.patience = patience
        self._conn = conn
        self._file = file
        self._fault: StoreFault | None = None
        self._listeners: list[Callable[[], None]] = []

    @contextmanager
    def member(self) -> Generator[None]:
        """One transaction; whatever is raised inside undoes it and leaves the others standing."""
        self.size += 1
        first = self.size == 1
        if not first:
            self._conn.execute("SAVEPOINT member")
        try:
            yield
        except BaseException as error:
            self._undo(error, alone=first)
            raise
        if not first:
            self._conn.execute("RELEASE member")

    def _undo(self, error: BaseException, *, alone: bool) -> None:
        if not self._conn.in_transaction:  # SQLite has undone all of it: a full disk, an I/O error
            self._lose(error if isinstance(error, sqlite3.Error) else sqlite3.OperationalError())
        elif alone:
            self._conn.execute("ROLLBACK")
            self._finish()
        else:
            self._conn.execute("ROLLBACK TO member")
            self._conn.execute("RELEASE member")

    def end(self) -> None:
        if self.ended:
            return
        try:
            self._file.check()
            self._conn.execute("COMMIT")
        except (sqlite3.Error, StoreFault) as error:
            if self._conn.in_transaction:
                self._conn.execute("ROLLBACK")
            self._lose(error)
        else:
            self._finish()

    def outcome(self) -> None:
        if self._fault is not None:
            raise self._fault

    def when_ended(self, tell: Callable[[], None]) -> None:
        if self.ended:
            tell()
        else:
            self._listeners.append(tell)

    def _lose(self, error: sqlite3.Error | StoreFault) -> None:
        is_told = isinstance(error, StoreFault)
        self._fault = error if is_told else refusal(error, self._file.path)
        self._finish()

    def _finish(self) -> None:
        self.ended = True
        for tell in self._listeners:
            tell()
