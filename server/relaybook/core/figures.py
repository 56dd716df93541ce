"""Running figures: each takes one value at a time and can absorb another of its kind.

Order of arrival and grouping change nothing: numbers are kept as exact fractions, and ties
are broken by the place that a value came from.
"""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from heapq import nsmallest
from typing import Any, NamedTuple, Protocol, Self

from .likeness import same

#: Numbers beyond this are ignored, so that sums stay within what a float can show.
LARGEST = 1e300
#: How many sources, labels or ties an answer names.
SHOWN = 20


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
        self.sources: set[tuple[int, str]] = set()

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        given = number(value)
        self._take(given, {place[:2]})
        return given is not None

    def _take(self, more: Fraction | None, sources: set[tuple[int, str]]) -> None:
        if more is None:
            return
        if self.best is None or self.sign * more < self.sign * self.best:
            self.best, self.sources = more, set(sources)
        elif more == self.best:
            self.sources |= sources

    def absorb(self, other: Self) -> None:
        self._take(other.best, other.sources)

    def result(self) -> dict[str, Any]:
        return shown(self.best) | {"sources": source_names(self.sources)}


class Histogram:
    """How often each label occurs."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        self.counts[value if isinstance(value, str) else same(value)] += 1
        return True

    def absorb(self, other: Self) -> None:
        self.counts.update(other.counts)

    def result(self) -> dict[str, Any]:
        ordered = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        value: dict[str, Any] = {"value": dict(ordered[:SHOWN]), "labels": len(ordered)}
        rest = sum(count for _, count in ordered[SHOWN:])
        return value | ({"other": rest} if rest else {})


class Top:
    """The `most` records whose property `by` is greatest."""

    def __init__(self, by: str, most: int) -> None:
        self.by, self.most = by, most
        self.best: list[tuple[Fraction, Place, Mapping[str, Any]]] = []

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        rank = number(value.get(self.by)) if isinstance(value, dict) else None
        if rank is not None:
            self._take([(-rank, place, value)])
        return rank is not None

    def _take(self, more: list[tuple[Fraction, Place, Mapping[str, Any]]]) -> None:
        self.best = nsmallest(self.most, [*self.best, *more], key=lambda entry: entry[:2])

    def absorb(self, other: Self) -> None:
        self._take(other.best)

    def result(self) -> dict[str, Any]:
        best = [{"source": place.source, "record": record} for _, place, record in self.best]
        return {"value": best}


def source_names(sources: set[tuple[int, str]]) -> list[str]:
    """The names in the order of their positions, at most SHOWN and how many more."""
    names = [name for _, name in sorted(sources)]
    more = len(names) - SHOWN
    return [*names[:SHOWN], f"and {more} more"] if more > 0 else names
