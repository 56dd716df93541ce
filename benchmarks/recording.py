"""What a ledger says to SQLite, word for word and value for value."""

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

Values = Any


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, and the values of each time that it was run."""

    sql: str
    values: tuple[Values, ...]
    #: Run by `executemany`.
    many: bool


@contextmanager
def recording() -> Generator[list[Statement]]:
    """The statements of every connection opened inside, in order, as they come."""
    log: list[Statement] = []

    class Recorded(sqlite3.Connection):
        def execute(self, sql: str, parameters: Values = (), /) -> sqlite3.Cursor:
            log.append(Statement(sql, (parameters,), many=False))
            return super().execute(sql, parameters)

        def executemany(self, sql: str, parameters: Iterable[Values], /) -> sqlite3.Cursor:
            values = tuple(parameters)
            log.append(Statement(sql, values, many=True))
            return super().executemany(sql, values)

    with patch.object(sqlite3, "connect", partial(sqlite3.connect, factory=Recorded)):
        yield log


def replay(conn: sqlite3.Connection, statements: Iterable[Statement]) -> None:
    """Run `statements` and fetch what they find, with nothing in between."""
    for statement in statements:
        if statement.many:
            conn.executemany(statement.sql, statement.values)
        else:
            conn.execute(statement.sql, statement.values[0]).fetchall()
