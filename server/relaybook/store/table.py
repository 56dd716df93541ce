"""A named tuple as a row: the statements and conversions that follow from its fields."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_type_hints

from relaybook.store.base import Row, Tx

T = TypeVar("T", bound=NamedTuple)


class Table(Generic[T]):
    """The rows of one table, each a value of one class; columns are its fields, in order."""

    def __init__(self, name: str, of: type[T], key: Sequence[str]) -> None:
        self.name = name
        self.of = of
        self.names = of._fields
        self.columns = ", ".join(self.names)
        self.full_columns = ", ".join(f"{name}.{column}" for column in self.names)
        self._key = key
        self._enums = _enums(of)
        self._updates: dict[tuple[str, ...], str] = {}
        places = ", ".join(f":{column}" for column in self.names)
        self._match = " AND ".join(f"{column} = :{column}" for column in key)
        self._insert = f"INSERT INTO {name} ({self.columns}) VALUES ({places})"
        self.select = f"SELECT {self.columns} FROM {name}"

    def value(self, row: Row) -> T:
        """The value that `row`, read with `select`, holds."""
        known = list(row)
        for place, words in self._enums:
            known[place] = words[known[place]]
        return self.of._make(known)

    def params(self, value: T) -> dict[str, Any]:
        """The parameters that write `value`."""
        return self._plain(dict(zip(self.names, value, strict=True)))

    def find(self, tx: Tx, where: str, **params: Any) -> list[T]:
        """All values for which `where`, which may also order and limit, holds."""
        return [self.value(row) for row in tx.rows(f"{self.select} {where}", params)]

    def insert(self, tx: Tx, values: Sequence[T]) -> None:
        if values:
            tx.many(self._insert, (self.params(value) for value in values))

    def update(self, tx: Tx, before: T, after: T) -> None:
        """Write what differs; a column named in an UPDATE costs its indexes, changed or not."""
        pairs = zip(self.names, before, after, strict=True)
        changed = {name: new for name, old, new in pairs if old is not new and old != new}
        if changed:
            sql = self._update(tuple(changed))
            for name in self._key:
                changed[name] = getattr(after, name)
            tx.rows(sql, self._plain(changed))

    def _update(self, names: tuple[str, ...]) -> str:
        """The statement that writes the columns `names`; a ledger knows a few dozen sets of them."""
        sql = self._updates.get(names)
        if sql is None:
            sets = ", ".join(f"{name} = :{name}" for name in names)
            sql = f"UPDATE {self.name} SET {sets} WHERE {self._match}"
            self._updates[names] = sql
        return sql

    def _plain(self, known: dict[str, Any]) -> dict[str, Any]:
        """`known` with the words of enumerations as the texts that they are."""
        for place, _ in self._enums:
            name = self.names[place]
            if known.get(name) is not None:
                known[name] = str(known[name])
        return known


def _enums(of: type[NamedTuple]) -> list[tuple[int, dict[str | None, StrEnum | None]]]:
    """The places of fields that hold a word of an enumeration, or nothing; that word by its text."""
    hints = get_type_hints(of)
    return [
        (place, {None: None, **{str(word): word for word in kind}})
        for place, name in enumerate(of._fields)
        for kind in (hints[name], *get_args(hints[name]))
        if isinstance(kind, type) and issubclass(kind, StrEnum)
    ]
