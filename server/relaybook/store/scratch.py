"""Piles on disk, for one piece of work: a database without a name, gone when it is closed."""

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from relaybook.core.merge.pile import Key, MemoryPile, Pile
from relaybook.errors import StoreFault

#: How many rows a pile holds before it is laid on disk.
HELD = 200
#: KiB of pages of all piles on disk that are held in memory.
_CACHE = 1_000


class Scratch:
    """Makes piles, and forgets them at its end."""

    def __init__(self, held: int = HELD) -> None:
        """A pile of more than `held` rows lies on disk."""
        self.held = held
        self._conn: sqlite3.Connection | None = None
        self._piles = 0

    def pile(self) -> Pile:
        self._piles += 1
        return _Pile(self, f"pile_{self._piles}")

    def connection(self) -> sqlite3.Connection:
        """Opened by the first pile that grows: most digests are small."""
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


class _Pile:
    """In memory until it holds too many rows, then a table."""

    def __init__(self, scratch: Scratch, name: str) -> None:
        self._scratch = scratch
        self._name = name
        self._puts = 0
        self._rows: Pile = MemoryPile()

    def put(self, key: Key, value: str = "") -> None:
        self._rows.put(key, value)
        self._puts += 1
        if self._puts == self._scratch.held + 1:
            self._spill(len(key))

    def get(self, key: Key) -> str | None:
        return self._rows.get(key)

    def rows(self) -> Iterator[tuple[Key, str]]:
        return self._rows.rows()

    def _spill(self, parts: int) -> None:
        table = _Table(self._scratch.connection(), self._name, parts)
        for key, value in self._rows.rows():
            table.put(key, value)
        self._rows = table


class _Table:
    """A table with a column for each part of the key.

    Texts are stored as bytes: what a worker sends may hold half a surrogate pair, which no
    database takes as text. Their order is the same.
    """

    def __init__(self, conn: sqlite3.Connection, name: str, parts: int) -> None:
        columns = ", ".join(f"part_{number}" for number in range(parts))
        match = " AND ".join(f"part_{number} = ?" for number in range(parts))
        self._conn = conn
        self._put = f"INSERT OR REPLACE INTO {name} VALUES ({', '.join('?' * (parts + 1))})"
        self._get = f"SELECT value FROM {name} WHERE {match}"
        self._all = f"SELECT * FROM {name} ORDER BY {columns}"
        with _on_disk():
            conn.execute(
                f"CREATE TABLE {name} ({columns}, value, PRIMARY KEY ({columns})) WITHOUT ROWID"
            )

    def put(self, key: Key, value: str = "") -> None:
        with _on_disk():
            self._conn.execute(self._put, [*map(_stored, key), _stored(value)])

    def get(self, key: Key) -> str | None:
        with _on_disk():
            row = self._conn.execute(self._get, [*map(_stored, key)]).fetchone()
        return None if row is None else _text(row[0])

    def rows(self) -> Iterator[tuple[Key, str]]:
        with _on_disk():
            for *key, value in self._conn.execute(self._all):
                yield tuple(map(_part, key)), _text(value)


@contextmanager
def _on_disk() -> Generator[None]:
    """Turn what SQLite says of a folder that takes no file, or no more of one, into a refusal."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreFault(
            f"A temporary file for large results could not be written: {error}.",
            allowed="room in a folder that can be written: TMPDIR, /var/tmp or /tmp of the server",
            next="make room there, or start the server with another TMPDIR, and repeat the call",
        ) from error


def _stored(part: int | str) -> int | bytes:
    return part if isinstance(part, int) else part.encode(errors="surrogatepass")


def _part(stored: int | bytes) -> int | str:
    return stored if isinstance(stored, int) else _text(stored)


def _text(stored: bytes) -> str:
    return stored.decode(errors="surrogatepass")
