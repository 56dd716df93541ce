"""Piles on disk, for one piece of work: a database without a name, gone when it is closed."""

import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from relaybook.core.pile import Key, Pile

#: KiB of pages held in memory; the others lie in a temporary file.
_CACHE = 1_000


class Scratch:
    """Makes piles, and forgets them at its end."""

    def __init__(self) -> None:
        self._conn: sqlite3.Connection | None = None
        self._piles = 0

    def pile(self) -> Pile:
        self._piles += 1
        return _DiskPile(self, f"pile_{self._piles}")

    def connection(self) -> sqlite3.Connection:
        """Opened by the first row: most digests are small, but none is known to stay so."""
        if self._conn is None:
            self._conn = sqlite3.connect("", isolation_level=None)
            for pragma in ("journal_mode = OFF", f"cache_size = -{_CACHE}", "temp_store = FILE"):
                self._conn.execute(f"PRAGMA {pragma}")
            self._conn.execute("BEGIN")
        return self._conn

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._conn is not None:
            self._conn.close()


class _DiskPile:
    """A table with a column for each part of the key, made when the first key is known.

    Texts are stored as bytes: what a worker sends may hold half a surrogate pair, which no
    database takes as text. Their order is the same.
    """

    def __init__(self, scratch: Scratch, table: str) -> None:
        self._scratch = scratch
        self._table = table
        self._conn: sqlite3.Connection | None = None
        self._put = self._get = self._all = ""

    def put(self, key: Key, value: str = "") -> None:
        conn = self._conn or self._made(len(key))
        conn.execute(self._put, [*map(_stored, key), _stored(value)])

    def get(self, key: Key) -> str | None:
        if self._conn is None:
            return None
        row = self._conn.execute(self._get, [*map(_stored, key)]).fetchone()
        return None if row is None else _text(row[0])

    def rows(self) -> Iterator[tuple[Key, str]]:
        if self._conn is not None:
            for *key, value in self._conn.execute(self._all):
                yield tuple(map(_part, key)), _text(value)

    def _made(self, parts: int) -> sqlite3.Connection:
        columns = ", ".join(f"part_{number}" for number in range(parts))
        marks = ", ".join("?" * (parts + 1))
        match = " AND ".join(f"part_{number} = ?" for number in range(parts))
        self._put = f"INSERT OR REPLACE INTO {self._table} VALUES ({marks})"
        self._get = f"SELECT value FROM {self._table} WHERE {match}"
        self._all = f"SELECT * FROM {self._table} ORDER BY {columns}"
        self._conn = self._scratch.connection()
        self._conn.execute(
            f"CREATE TABLE {self._table} ({columns}, value, PRIMARY KEY ({columns})) WITHOUT ROWID"
        )
        return self._conn


def _stored(part: int | str) -> int | bytes:
    return part if isinstance(part, int) else part.encode(errors="surrogatepass")


def _part(stored: int | bytes) -> int | str:
    return stored if isinstance(stored, int) else _text(stored)


def _text(stored: bytes) -> str:
    return stored.decode(errors="surrogatepass")
