"""Reading the worst texts, a long one against a short one, a character: linear is 1.

Of each kind of work the text is shown whose characters become dearest.
"""

import time
from collections.abc import Callable, Iterator

from tests.unit.test_linear import LONG, SHORT, WORKS, WORST, repeated

from benchmarks.measure import Block, interleave, ratio
from benchmarks.table import line

ROUNDS, WARM_UP = 5, 1
TRIES = 3
TARGET = "<= 1.5"


def run() -> Iterator[str]:
    for name, work in WORKS.items():
        blocks = [_block(work, unit, size) for unit in WORST for size in (SHORT, LONG)]
        samples = interleave(blocks, ROUNDS, WARM_UP)
        found = {
            unit: ratio(samples[f"{unit} {LONG}"], samples[f"{unit} {SHORT}"]) for unit in WORST
        }
        worst = max(found, key=lambda unit: found[unit].median)
        yield line(f"{name}, {LONG:,} characters {worst[:9]!r} / {SHORT:,}", found[worst], TARGET)


def _block(work: Callable[[str], None], unit: str, size: int) -> Block:
    text = repeated(unit, size)
    return lambda: {f"{unit} {size}": min(_spent(work, text) for _ in range(TRIES)) / size}


def _spent(work: Callable[[str], None], text: str) -> float:
    """Seconds of the processor; a text takes too few of them for a clock that others disturb."""
    start = time.process_time()
    work(text)
    return time.process_time() - start
