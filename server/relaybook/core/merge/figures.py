"""Running figures: each takes in one value at a time.

Order of arrival changes nothing: numbers are kept as exact fractions, and ties
are broken by the place that a value came from.
"""

from collections.abc import Mapping
from fractions import Fraction
from heapq import nsmallest
from typing import Any, NamedTuple, Protocol

from relaybook.core.merge.likeness import same
from relaybook.core.merge.pile import Piles
from relaybook.core.names import SHOWN, Names
from relaybook.core.shorten import shorter

#: Numbers beyond this are ignored, so that sums stay within what a float can show.
LARGEST = 1e300


class Place(NamedTuple):
    """Where a value came from: the position and name of its source, and its number there."""

    position: int
    source: str
    number: int


class Running(Protocol):
    """What every running figure and list does."""

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        """Take in one value, whose object is `parent`; False if it is of no use."""
        ...

    def result(self) -> dict[str, Any]: ...


def number(value: object) -> Fraction | None:
    """The exact value of a JSON number; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Fraction(value) if -LARGEST <= value <= LARGEST else None


def shown(value: Fraction | None) -> dict[str, Any]:
    """The figure as JSON: a whole number if it is one."""
    if value is None or value.denominator != 1:
        return {"value": None if value is None else float(value)}
    return {"value": value.numerator}


class Sum:
    """The sum; of nothing, None."""

    def __init__(self) -> None:
        self.total: Fraction | None = None

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        given = number(value)
        if given is not None:
            self.total = given + (self.total or 0)
        return given is not None

    def result(self) -> dict[str, Any]:
        return shown(self.total)


class Count:
    """How many there are."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        self.total += 1
        return True

    def result(self) -> dict[str, Any]:
        return {"value": self.total}


class Mean:
    """The mean, weighted by a sibling property if the plan names one."""

    def __init__(self, weight: str | None) -> None:
        self.weight = weight
        self.total = Fraction(0)
        self.weights = Fraction(0)

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        given = number(value)
        weight = Fraction(1) if self.weight is None else number(parent.get(self.weight))
        if given is None or weight is None or weight < 0:
            return False
        self.total += given * weight
        self.weights += weight
        return True

    def result(self) -> dict[str, Any]:
        return shown(self.total / self.weights if self.weights else None)


class Extreme:
    """The least (`sign` 1) or the greatest (-1) number, and who gave it."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.best: Fraction | None = None
        self.sources = Names()

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        given = number(value)
        if given is None:
            return False
        if self.best is None or self.sign * given < self.sign * self.best:
            self.best, self.sources = given, Names()
        if given == self.best:
            self.sources.add(place.source, place.position)
        return True

    def result(self) -> dict[str, Any]:
        return shown(self.best) | {"sources": self.sources.shown()}


class Histogram:
    """How often each label occurs."""

    def __init__(self, piles: Piles) -> None:
        self._counts = piles()
        self.labels = self.total = 0

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        label = value if isinstance(value, str) else same(value)
        known = self._counts.get((label,))
        self.labels += known is None
        self.total += 1
        self._counts.put((label,), str(int(known or 0) + 1))
        return True

    def result(self) -> dict[str, Any]:
        counted = ((-int(count), str(label)) for (label,), count in self._counts.rows())
        most = {label: -count for count, label in nsmallest(SHOWN, counted)}
        value: dict[str, Any] = {"value": most, "labels": self.labels}
        rest = self.total - sum(most.values())
        return value | ({"other": rest} if rest else {})


class Top:
    """The `most` records whose property `by` is greatest."""

    def __init__(self, by: str, most: int) -> None:
        self.by, self.most = by, most
        self.best: list[tuple[Fraction, Place, Mapping[str, Any]]] = []

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        rank = number(value.get(self.by)) if isinstance(value, dict) else None
        if rank is not None:
            best = [*self.best, (-rank, place, shorter(value))]
            self.best = nsmallest(self.most, best, key=lambda entry: entry[:2])
        return rank is not None

    def result(self) -> dict[str, Any]:
        best = [{"source": place.source, "record": record} for _, place, record in self.best]
        return {"value": best}
