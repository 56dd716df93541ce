"""Plans to schedule: random graphs of several families, with log-normal minutes, from a seed."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Minutes of a task: median and spread of their logarithm, and what a plan is allowed.
MEDIAN_MINUTES, SIGMA = 8.0, 0.5
MINUTES_BOUNDS = (1.0, 29.0)


@dataclass(frozen=True, slots=True)
class Graph:
    """Minutes of each task, and what each needs; names in plan order."""

    minutes: Mapping[str, float]
    needs: Mapping[str, list[str]]


class _Maker:
    """A graph while it grows."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.minutes: dict[str, float] = {}
        self.needs: dict[str, list[str]] = {}

    def task(self, *needs: str) -> str:
        name = f"t{len(self.minutes)}"
        low, high = MINUTES_BOUNDS
        drawn = MEDIAN_MINUTES * self.rng.lognormvariate(0, SIGMA)
        self.minutes[name] = round(min(max(drawn, low), high), 2)
        self.needs[name] = list(dict.fromkeys(needs))
        return name

    def some(self, names: list[str], most: int) -> list[str]:
        return self.rng.sample(names, min(len(names), self.rng.randint(1, most)))


def layered(make: _Maker) -> None:
    """Layers of 4 to 16 tasks, each needing one to three of the layer before."""
    before = [make.task() for _ in range(make.rng.randint(4, 16))]
    for _ in range(make.rng.randint(3, 8)):
        size = make.rng.randint(4, 16)
        before = [make.task(*make.some(before, 3)) for _ in range(size)]


def series_parallel(make: _Maker) -> None:
    """Parts after each other and beside each other, nested at random."""

    def grow(sources: list[str], tasks: int) -> list[str]:
        if tasks <= 1:
            return [make.task(*sources)]
        left = make.rng.randint(1, tasks - 1)
        if make.rng.random() < 0.35:
            return grow(grow(sources, left), tasks - left)
        return [*grow(sources, left), *grow(sources, tasks - left)]

    grow([], make.rng.randint(30, 120))


def rounds(make: _Maker) -> None:
    """One to four rounds of 6 to 40 parts, each round merged by one task that the next waits for.

    The pattern `map_reduce` has no such task, since the orchestrator reduces; a supervisor may.
    """
    merged: list[str] = []
    for _ in range(make.rng.randint(1, 4)):
        parts = [make.task(*merged) for _ in range(make.rng.randint(6, 40))]
        merged = [make.task(*parts)]


def pipelines(make: _Maker) -> None:
    """Six to sixteen independent pipelines of different length, one report of all."""
    ends: list[str] = []
    for _ in range(make.rng.randint(6, 16)):
        last = make.task()
        for _ in range(make.rng.randint(1, 9)):
            last = make.task(last)
        ends.append(last)
    make.task(*ends)


def sparse(make: _Maker) -> None:
    """Tasks that each need up to two of any earlier ones."""
    names: list[str] = []
    for _ in range(make.rng.randint(30, 120)):
        names.append(make.task(*(make.some(names, 2) if names and make.rng.random() < 0.8 else [])))


FAMILIES: Mapping[str, Callable[[_Maker], None]] = {
    "layered": layered,
    "series-parallel": series_parallel,
    "rounds": rounds,
    "pipelines": pipelines,
    "sparse": sparse,
}


def generated(family: str, seed: int) -> Graph:
    """The graph of a family that a seed stands for."""
    make = _Maker(random.Random(f"{family} {seed}"))
    FAMILIES[family](make)
    return Graph(make.minutes, make.needs)
