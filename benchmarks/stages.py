"""A year of stages: what one costs, and what looking at the health of skills costs, by then.

The statements and calls are counted too: they are the same on every run, on a busy machine too.
"""

import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.counters import counted
from benchmarks.measure import interleave, ratio, timed
from benchmarks.recording import Statement, recording
from benchmarks.table import line
from relaybook.engine import Engine
from relaybook.engine.request import StageReport
from relaybook.store.sqlite import SqliteStore

#: Stages that a ledger holds, a hundred to a workflow: a day or two of work, and a year.
SIZES = (100, 10_000)
STAGES = 100
ROUNDS = 20
WARM_UP = 2
TARGET = "<= 1.2"

#: One stage after the other: a finding in each, so that there are lessons to compare.
PLAN = [{"capability": "implement", "goal": f"Build part {n}"} for n in range(STAGES)]


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        paths = {size: Path(folder) / f"{size}.db" for size in SIZES}
        for size, path in paths.items():
            _fill(path, size)
        with recording() as log:
            years = {size: _Year(path, size) for size, path in paths.items()}
            yield from _compare(years, log)
            for year in years.values():
                year.engine.store.close()


def _compare(years: Mapping[int, "_Year"], log: list[Statement]) -> Iterator[str]:
    blocks = [year.measured for year in years.values()]
    samples = interleave(blocks, ROUNDS, WARM_UP)
    small, large = years
    for name in years[small].verbs:
        found = ratio(samples[f"{name} {large}"], samples[f"{name} {small}"])
        yield line(f"{name}, {large:,} stages / {small}", found, TARGET)
        few, many = (counted(year.verbs[name], log) for year in years.values())
        more = many["calls"] / few["calls"]
        yield (
            f"  its statements {few['statements']} -> {many['statements']},"
            f" calls {few['calls']} -> {many['calls']} ({more:.2f})"
        )


def _fill(path: Path, size: int) -> None:
    """Make a ledger in which that many stages were done."""
    year = _Year(path, 0)
    for _ in range(size // STAGES):
        for _ in range(STAGES):
            year.advance()
        year.begin()
    year.engine.store.close()


class _Year:
    """A ledger with work behind it, and one more workflow under way."""

    def __init__(self, path: Path, size: int) -> None:
        self._size = size
        # A minute goes by at each look at the clock; a ledger that was filled goes on later.
        ticks = itertools.count(1_800_000_000 + size * 3_600, 60)
        self.engine = Engine(SqliteStore(path, "normal"), clock=lambda: float(next(ticks)))
        self.begin()
        self.verbs: Mapping[str, Callable[[], object]] = {
            "advance_stage, a stage": self.advance,
            "health of the skills": self.engine.skill_health,
            "loop view": self.engine.loop_view,
            "lessons": self.engine.list_lessons,
            "items, a page": self.engine.list_items,
        }

    def begin(self) -> None:
        """Make a workflow of a hundred stages and start the first."""
        made = self.engine.create_workflow(name="year", stages=PLAN)
        self._workflow, self._stage = made["workflow_id"], 0
        self.engine.advance_stage(StageReport(workflow_id=self._workflow))

    def advance(self) -> None:
        """End the stage that runs, with proof, settle its hooks, and start the next."""
        here: dict[str, Any] = {"workflow_id": self._workflow, "stage": self._stage}
        ended = self.engine.advance_stage(
            StageReport(
                **here,
                outcome="completed",
                artifacts=[f"src/part_{self._stage}.py"],
                tests=[{"name": f"test_part_{self._stage}", "status": "passed", "evidence": "ok"}],
                findings=[f"Part {self._stage} of {self._workflow} depends on its neighbour."],
            )
        )
        hooks = [hook["skill"] for hook in ended["hooks"]]
        self.engine.advance_stage(StageReport(**here, hooks_run=hooks))
        self._stage += 1

    def measured(self) -> dict[str, float]:
        """The seconds of each verb."""
        return {f"{name} {self._size}": timed(verb) for name, verb in self.verbs.items()}
