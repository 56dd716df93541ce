"""Many items into few partitions, one per worker, and workers into waves."""

import heapq
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from relaybook.core.policy import DEFAULT_WIDTH, WORKER_MINUTES
from relaybook.errors import InvalidPlan

#: How a text is sent that cannot be its own id.
AS_OBJECT = "{id: 'a1', text: …} with a short id of its own"


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of the data to work through."""

    id: str
    value: Any
    #: Any measure of its work, the same for all items: minutes, words, lines.
    weight: float = 1.0
    #: Items that name the same group are never separated.
    group: str | None = None


Partitions = tuple[tuple[Item, ...], ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """How even partitions are."""

    sizes: tuple[int, ...]
    weights: tuple[float, ...]
    #: The heaviest partition over the mean: 1.0 is perfectly even.
    imbalance: float


def partition(items: Sequence[Item], parts: int) -> Partitions:
    """Divides `items` evenly; each lands in exactly one partition, and none is empty.

    Items of one weight become runs of neighbours whose sizes differ by at most one. Where
    weights differ, the heaviest goes first, each to the partition that is lightest so far
    (longest processing time first, Graham 1969: at most a third above the best possible).
    Inside a partition, and among partitions by their first item, the order is that of
    `items`. There are at most as many partitions as items, or groups of them.

    Raises:
        InvalidPlan: no items, no partitions, an id given twice, or an impossible weight.
    """
    _check(items, parts)
    units = _units(items)
    weights = [sum(items[place].weight for place in unit) for unit in units]
    parts = min(parts, len(units))
    shares = _runs(len(units), parts) if len(set(weights)) == 1 else _greedy(weights, parts)
    places = sorted(sorted(place for unit in share for place in units[unit]) for share in shares)
    return tuple(tuple(items[place] for place in share) for share in places)


def balance(parts: Partitions) -> Balance:
    """Sizes, weights and imbalance of `parts`, of which there is at least one."""
    weights = tuple(sum(item.weight for item in part) for part in parts)
    mean = sum(weights) / len(weights)
    return Balance(
        sizes=tuple(len(part) for part in parts),
        weights=weights,
        imbalance=max(weights) / mean if mean else 1.0,
    )


def suggest_parts(items: int, minutes_per_item: float) -> int:
    """How many partitions of `items` to make.

    As many as run at once, but fewer if a worker would otherwise run under 5
    minutes, and more, in waves, if it would run over 15. The ends win over the width.
    """
    if items < 1 or not 0 < minutes_per_item < math.inf:
        raise InvalidPlan(
            f"{items!r} items of {minutes_per_item!r} minutes cannot be divided.",
            allowed="at least 1 item, more than 0 minutes per item",
            next="correct the number and call again",
        )
    shortest, longest = WORKER_MINUTES
    fewest_each = math.ceil(min(items, shortest / minutes_per_item))
    most_each = max(1, math.floor(min(items, longest / minutes_per_item)))
    return max(math.ceil(items / most_each), min(items // fewest_each, DEFAULT_WIDTH))


def waves(workers: int, width: int = DEFAULT_WIDTH) -> list[int]:
    """How many of `workers` run in each wave when at most `width` run at once."""
    return [min(width, workers - begun) for begun in range(0, workers, width)]


def _check(items: Sequence[Item], parts: int) -> None:
    if not items:
        raise InvalidPlan("There are no items to divide.", next="send at least one item")
    if parts < 1:
        raise InvalidPlan(
            f"{parts!r} partitions cannot hold {len(items)} items.",
            allowed="1 partition or more",
            next="send the number of partitions, or leave it out to have one suggested",
        )
    twice = [name for name, count in Counter(item.id for item in items).items() if count > 1]
    if twice:
        raise InvalidPlan(
            f"{len(twice)} item ids are given more than once, first {_first(twice)}.",
            allowed="each item id once, so that every result can be matched to its item",
            next=f"rename or remove the repeated items; send texts that repeat as {AS_OBJECT}",
        )
    impossible = [item.id for item in items if not 0 <= item.weight < math.inf]
    if impossible:
        raise InvalidPlan(
            f"{len(impossible)} items have an impossible weight, first {_first(impossible)}.",
            allowed="a weight of 0 or more",
            next="correct the weights, or leave them out to divide by count",
        )


def _first(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:3])


def _units(items: Sequence[Item]) -> list[list[int]]:
    """Places of the items that stay together, in order of their first."""
    units: dict[tuple[str, str | int], list[int]] = {}
    for place, item in enumerate(items):
        key = ("item", place) if item.group is None else ("group", item.group)
        units.setdefault(key, []).append(place)
    return list(units.values())


def _runs(count: int, parts: int) -> list[range]:
    """`parts` runs of the numbers under `count`; the longer runs come first."""
    size, longer = divmod(count, parts)
    starts = [part * size + min(part, longer) for part in range(parts + 1)]
    return [range(start, end) for start, end in pairwise(starts)]


def _greedy(weights: Sequence[float], parts: int) -> list[list[int]]:
    """Places of `weights`, each in the lightest share; the emptier, then the earlier, if equal."""
    shares: list[list[int]] = [[] for _ in range(parts)]
    lightest = [(0.0, 0, share) for share in range(parts)]
    for place in sorted(range(len(weights)), key=lambda place: -weights[place]):
        load, held, share = lightest[0]
        shares[share].append(place)
        heapq.heapreplace(lightest, (load + weights[place], held + 1, share))
    return shares
