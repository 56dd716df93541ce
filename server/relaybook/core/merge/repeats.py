"""Which of many records hold the same words, or nearly the same."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from relaybook.core.merge.figures import Place
from relaybook.core.merge.likeness import file_names, nearly_the_same, sketch
from relaybook.core.merge.pile import Key, Pile, Piles
from relaybook.core.names import Names

#: With how many records filed under the same name a record is compared.
_COMPARED = 8


def _number(row: tuple[Key, str]) -> int:
    return int(row[0][0])


class Repeats:
    """Groups of records under two or more names that are nearly the same.

    Each joins the first before it that began a group and is nearly the same. A record is
    compared with a bounded number of others, those filed under the same of its names; the work
    is linear in their number. Lays down a character for each word of them.
    """

    def __init__(self, piles: Piles) -> None:
        self._piles = piles
        self._sketches = piles()

    def add(self, name: str, record: Any, place: Place) -> None:
        """Note a record called `name`."""
        self._sketches.put((*place, name), sketch(record))

    def found(self) -> Iterator[dict[str, Any]]:
        """The groups, in the order of their first places."""
        names, sketches, filed = self._piles(), self._piles(), self._piles()
        for number, (key, mine) in enumerate(self._sketches.rows()):
            names.put((number,), str(key[-1]))
            sketches.put((number,), mine)
            for name in file_names(mine):
                filed.put((name, number))
        joined = self._joined(sketches, self._candidates(filed))
        yield from self._named(joined, names)

    def _candidates(self, filed: Pile) -> Pile:
        """For each record those before it to compare it with, a few for each name they share."""
        candidates = self._piles()
        for _, drawer in groupby(filed.rows(), key=_number):
            first: list[int] = []
            for (_, number), _ in drawer:
                for other in first:
                    candidates.put((number, other))
                if len(first) < _COMPARED:
                    first.append(int(number))
        return candidates

    def _joined(self, sketches: Pile, candidates: Pile) -> Pile:
        """The first record of each group with each that joined it."""
        begins, joined = self._piles(), self._piles()
        for number, pairs in groupby(candidates.rows(), key=_number):
            others = {int(begins.get((other,)) or other) for (_, other), _ in pairs}
            mine = sketches.get((number,)) or ""
            for first in sorted(others):
                if nearly_the_same(mine, sketches.get((first,)) or ""):
                    begins.put((number,), str(first))
                    joined.put((first, number))
                    break
        return joined

    def _named(self, joined: Pile, names: Pile) -> Iterator[dict[str, Any]]:
        told = self._piles()
        for first, pairs in groupby(joined.rows(), key=_number):
            same = Names()
            for number in (first, *(int(key[1]) for key, _ in pairs)):
                name = names.get((number,)) or ""
                if told.get((first, name)) is None:
                    told.put((first, name))
                    same.add(name, number)
            if same.count > 1:
                yield {"same": same.first, "count": same.count}
