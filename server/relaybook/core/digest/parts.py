"""What a digest adds for one pattern: the chain, the coverage, the merge."""

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from relaybook.core.digest.task_outcome import TaskOutcome
from relaybook.core.merge.coverage import Coverage, collapse_advice, item_ids
from relaybook.core.merge.merger import Merger, listed, reach
from relaybook.core.merge.pile import Piles
from relaybook.core.names import SHOWN, Names
from relaybook.model import Status

Entries = Iterator[tuple[str, dict[str, Any]]]


class Part:
    """One view of the outcomes, which come one at a time in the order of the plan."""

    #: The name of the part in the digest.
    name: str

    def add(self, outcome: TaskOutcome) -> None:
        """Take in one outcome."""

    def passing(self, outcome: TaskOutcome) -> Entries:
        """What one outcome shows by itself: entries, each with the name of its section."""
        return iter(())

    def head(self) -> dict[str, Any]:
        """The part in brief; empty if there is nothing to show."""
        return {}

    def entries(self) -> Entries:
        """What all outcomes together show, in the same form; read before `head` and `mention`."""
        return iter(())

    def mention(self) -> Iterator[str]:
        """What the synthesis must not leave out."""
        return iter(())


@dataclass(slots=True)
class Chain(Part):
    """How far a pipeline came, and where it broke."""

    name: str = "chain"
    #: The first of them, each after those that it waits for.
    steps: list[tuple[float, int, str]] = field(default_factory=list[tuple[float, int, str]])
    count: int = 0
    not_applicable: int = 0
    results: Names = field(default_factory=Names)
    broke: TaskOutcome | None = None

    def add(self, outcome: TaskOutcome) -> None:
        self.count += 1
        self.not_applicable += outcome.status is Status.NOT_APPLICABLE
        told = f"{outcome.task_id} {outcome.status}"
        insort(self.steps, (-outcome.chain, outcome.position, told))
        del self.steps[SHOWN:]
        if outcome.completed:
            self.results.add(outcome.task_id, outcome.position)
        elif outcome.status in {Status.FAILED, Status.CANCELLED}:
            self.broke = self.broke or outcome

    def head(self) -> dict[str, Any]:
        more = self.count - len(self.steps)
        steps = [told for _, _, told in self.steps]
        head: dict[str, Any] = {
            "steps": " → ".join([*steps, f"and {more} more"] if more else steps),
            "results_from": self.results.shown(),
        }
        if self.broke:
            head["broke_at"] = {
                "task_id": self.broke.task_id,
                "error_code": self.broke.error_code,
                "reason": self.broke.reason,
            }
        return head

    def mention(self) -> Iterator[str]:
        if self.broke:
            yield (
                f"The chain broke at {self.broke.task_id}: {self.results.count} of "
                f"{self.count - self.not_applicable} steps have results. Invent none of the others."
            )


class Covered(Part):
    """Which items came back, what is carried over, what is too long to read.

    Every task of a map-reduce is about items; of other patterns those that were given some.
    """

    name = "coverage"

    def __init__(
        self,
        piles: Piles,
        replaced: Iterable[tuple[str, Sequence[str]]] = (),
        *,
        every_task: bool = True,
    ) -> None:
        """`replaced` are the tasks that others took the place of, each with its items."""
        self.every_task = every_task
        self.coverage = Coverage(piles)
        self.replaced = replaced
        self.missing = Names()
        self.carried = 0
        self.words = self.results = 0

    def add(self, outcome: TaskOutcome) -> None:
        if outcome.status is Status.NOT_APPLICABLE or not (self.every_task or outcome.items):
            return
        self._owe()
        ids = item_ids(outcome.data, outcome.merge) if outcome.completed else []
        if ids is None:
            self.coverage.leave_out(outcome.items)
        else:
            self.coverage.plan(outcome.task_id, outcome.items)
            self.coverage.add(outcome.task_id, ids)
        if outcome.completed:
            self.results += 1
            self.words += outcome.words
        else:
            self.missing.add(outcome.task_id, outcome.position)

    def _owe(self) -> None:
        """Take in what was replaced, which is looked up only where there are items."""
        for task_id, items in self.replaced:
            self.coverage.owe(task_id, items)
        self.replaced = ()

    def passing(self, outcome: TaskOutcome) -> Entries:
        if not (self.every_task or outcome.items):
            return
        for reference, _ in reach(outcome.data, ("carry_over",)) or []:
            self.carried += 1
            yield "carry_over", {"task_id": outcome.task_id, "reference": reference}

    def head(self) -> dict[str, Any]:
        head: dict[str, Any] = self.coverage.counts() if self.coverage.known else {}
        if not (self.every_task or head):
            return {}
        head["missing_partitions"] = self.missing.shown()
        advice = collapse_advice(self.words, self.results)
        return head | ({"collapse": advice} if advice else {})

    def entries(self) -> Entries:
        if self.coverage.known:
            for entry in self.coverage.entries():
                yield "coverage_problems", entry

    def mention(self) -> Iterator[str]:
        counts = self.coverage.counts()
        if self.coverage.known and any(
            counts[problem] for problem in ("missing", "duplicated", "invented")
        ):
            yield (
                f"Items: {counts['items']}, of them missing {counts['missing']}, duplicated "
                f"{counts['duplicated']}; invented {counts['invented']}."
            )
        if unchecked := counts.get("unchecked"):
            yield f"Items whose coverage cannot be checked ({unchecked}): results name no ids."
        if self.carried:
            yield f"References to other partitions ({self.carried}), to be resolved."
        if advice := collapse_advice(self.words, self.results):
            yield advice["advice"]


class Merged(Part):
    """The figures and records of the results, merged as their output schemas say."""

    name = "merged"

    def __init__(self, piles: Piles) -> None:
        self.merger = Merger(piles)
        self.used = False

    def add(self, outcome: TaskOutcome) -> None:
        if outcome.merge and outcome.merge.fields and outcome.status is not Status.NOT_APPLICABLE:
            self.used = True
            data = outcome.data if outcome.completed else None
            self.merger.add(outcome.task_id, data, outcome.position, outcome.merge)

    def passing(self, outcome: TaskOutcome) -> Entries:
        if outcome.merge and outcome.completed:
            for entry in listed(outcome.task_id, outcome.data, outcome.merge):
                yield "records", entry

    def head(self) -> dict[str, Any]:
        return self.merger.figures() if self.used else {}

    def entries(self) -> Entries:
        for entry in self.merger.conflicts():
            yield "conflicts", entry
        for entry in self.merger.duplicates():
            yield "duplicates", entry
        for entry in self.merger.records():
            yield "records", entry

    def mention(self) -> Iterator[str]:
        figures = self.merger.figures()
        if 0 < figures["with_result"] < figures["sources"]:
            yield (
                f"Figures rest on {figures['with_result']} of the {figures['sources']} tasks "
                "that give some."
            )
