"""Running figures: each takes one value at a time and can absorb another of its kind.

Order of arrival and grouping change nothing: numbers are kept as exact fractions, and ties
are broken by the place that a value came from.
"""

from collections.abc import Mapping
from fractions import Fraction
from heapq import nsmallest
from typing import Any, NamedTuple, Protocol, Self

from .likeness import same
from .names import SHOWN, Names
from .pile import Piles
from .shorten import shorter

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

    def absorb(self, other: Self) -> None: ...

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
        self._take(given)
        return given is not None

    def _take(self, more: Fraction | None) -> None:
        if more is not None:
            self.total = more + (self.total or 0)

    def absorb(self, other: Self) -> None:
        self._take(other.total)

    def result(self) -> dict[str, Any]:
        return shown(self.total)


class Count:
    """How many there are."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        self.total += 1
        return True

    def absorb(self, other: Self) -> None:
        self.total += other.total

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

    def absorb(self, other: Self) -> None:
        self.total += other.total
        self.weights += other.weights

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
        if self._ties(given):
            self.sources.add(place.source, place.position)
        return True

    def _ties(self, given: Fraction) -> bool:
        """Whether `given` is the best now; a better one begins anew."""
        if self.best is None or self.sign * given < self.sign * self.best:
            self.best, self.sources = given, Names()
        return given == self.best

    def absorb(self, other: Self) -> None:
        if other.best is not None and self._ties(other.best):
            self.sources.absorb(other.sources)

    def result(self) -> dict[str, Any]:
        return shown(self.best) | {"sources": self.sources.shown()}


class Histogram:
    """How often each label occurs."""

    def __init__(self, piles: Piles) -> None:
        self._counts = piles()
        self.labels = self.total = 0

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        self._take(value if isinstance(value, str) else same(value), 1)
        return True

    def _take(self, label: str, more: int) -> None:
        known = self._counts.get((label,))
        self.labels += known is None
        self.total += more
        self._counts.put((label,), str(int(known or 0) + more))

    def absorb(self, other: Self) -> None:
        for (label,), count in other._counts.rows():
            self._take(str(label), int(count))

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
            self._take([(-rank, place, shorter(value))])
        return rank is not None

    def _take(self, more: list[tuple[Fraction, Place, Mapping[str, Any]]]) -> None:
        self.best = nsmallest(self.most, [*self.best, *more], key=lambda entry: entry[:2])

    def absorb(self, other: Self) -> None:
        self._take(other.best)

    def result(self) -> dict[str, Any]:
        best = [{"source": place.source, "record": record} for _, place, record in self.best]
        return {"value": best}
