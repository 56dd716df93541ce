"""A list of names of any length, of which an answer shows the first few and the number."""

from bisect import insort
from collections.abc import Sequence

#: How many sources, labels or ties an answer names.
SHOWN = 20


def few(shown: Sequence[str], count: int) -> str:
    """The first of `count` texts as a list to read, with how many more there are."""
    more = count - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


class Names:
    """The first names in the order of their places, and how many there are.

    A name may be added again only directly after itself; it counts once.
    """

    def __init__(self, first: Sequence[str] = (), count: int = 0) -> None:
        """`first` are the first of `count` names, in order."""
        self.count = count
        self._first = [(0, name) for name in first]
        self._last: tuple[int, str] | None = None

    def add(self, name: str, position: int = 0) -> None:
        entry = (position, name)
        if entry == self._last:
            return
        self._last = entry
        self.count += 1
        insort(self._first, entry)
        del self._first[SHOWN:]

    @property
    def first(self) -> list[str]:
        return [name for _, name in self._first]

    def shown(self) -> list[str]:
        """The first names, then how many more there are."""
        more = self.count - len(self._first)
        return [*self.first, f"and {more} more"] if more else self.first
