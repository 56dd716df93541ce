"""Rows laid down in any order and read in the order of their keys.

What a digest has to hold of every result goes on piles. Whoever makes them decides where they
lie, so that a large digest need not lie in memory.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

#: Compared part by part; every key of one pile has parts of the same types.
Key = tuple[int | str, ...]


class Pile(Protocol):
    def put(self, key: Key, value: str = "") -> None:
        """Lay down a row; it takes the place of one with the same key."""
        ...

    def get(self, key: Key) -> str | None: ...

    def rows(self) -> Iterator[tuple[Key, str]]:
        """All rows, in the order of their keys; nothing is put down until the last is read."""
        ...


#: Makes an empty pile.
Piles = Callable[[], Pile]


class MemoryPile:
    """A pile for few rows."""

    def __init__(self) -> None:
        self._rows: dict[Key, str] = {}

    def put(self, key: Key, value: str = "") -> None:
        self._rows[key] = value

    def get(self, key: Key) -> str | None:
        return self._rows.get(key)

    def rows(self) -> Iterator[tuple[Key, str]]:
        yield from sorted(self._rows.items())
