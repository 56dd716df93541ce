"""Remembers what was made from values that cannot be hashed and that nobody changes."""

from collections.abc import Callable
from typing import TypeVar

V = TypeVar("V")
M = TypeVar("M")


def by_identity(most: int) -> Callable[[Callable[[V], M]], Callable[[V], M]]:
    """Makes a function remember its answers to up to `most` values, each known by its identity.

    A value is kept beside its answer, so that no other takes its id.
    """

    def decorate(make: Callable[[V], M]) -> Callable[[V], M]:
        known: dict[int, tuple[V, M]] = {}

        def remembered(value: V) -> M:
            found = known.get(id(value))
            if found is None:
                found = value, make(value)
                if len(known) >= most:
                    known.clear()
                known[id(value)] = found
            return found[1]

        return remembered

    return decorate
