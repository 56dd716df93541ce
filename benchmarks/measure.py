"""Ratios that survive a noisy machine: short blocks of subject and floor by turns, in one run."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

#: Runs one short block; answers the seconds of a call, by what was called.
Block = Callable[[], Mapping[str, float]]
#: By what was called: the seconds of a call in each round.
Samples = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of the ratios of all rounds, and the middle 80 % of them."""

    median: float
    low: float
    high: float
    #: Medians, in seconds a call.
    subject: float
    floor: float
    rounds: int


def interleave(blocks: Sequence[Block], rounds: int, warm_up: int = 2) -> Samples:
    """Run the blocks in turn, `rounds` times, in opposite order every other time.

    The first `warm_up` rounds are run besides and not counted.
    """
    samples: dict[str, list[float]] = {}
    for number in range(-warm_up, rounds):
        for block in blocks if number % 2 else reversed(blocks):
            measured = block()
            if number >= 0:
                for name, seconds in measured.items():
                    samples.setdefault(name, []).append(seconds)
    return samples


def ratio(subject: Sequence[float], floor: Sequence[float]) -> Ratio:
    """How many times as long as `floor` `subject` took, round by round."""
    each = [one / other for one, other in zip(subject, floor, strict=True)]
    tenths = statistics.quantiles(each, n=10, method="inclusive")
    return Ratio(
        median=statistics.median(each),
        low=tenths[0],
        high=tenths[-1],
        subject=statistics.median(subject),
        floor=statistics.median(floor),
        rounds=len(each),
    )


def speed(subject: Sequence[float], floor: Sequence[float]) -> Ratio:
    """How many calls `subject` makes for each one that `floor` makes in the same time."""
    slower = ratio(floor, subject)
    return replace(slower, subject=slower.floor, floor=slower.subject)


def timed(call: Callable[[], object]) -> float:
    """The seconds that `call` takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
