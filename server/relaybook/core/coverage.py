"""Whether every item of a map-reduce came back exactly once, and whether to summarise in steps."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .figures import SHOWN

#: Words of results that one synthesis takes in well; a convention of relaybook, since
#: condensed results run to 1,000 to 2,000 tokens each.
REDUCE_BUDGET = 6000


class Coverage:
    """The item ids that each task was given, against those that came back."""

    def __init__(self) -> None:
        self._partitions: dict[str, Sequence[str]] = {}
        self._planned: Counter[str] = Counter()
        #: Who returned an item, and of an item returned again all who did.
        self._by: dict[str, str] = {}
        self._again: dict[str, list[str]] = {}
        self._unchecked = 0

    def plan(self, source: str, items: Sequence[str]) -> None:
        """Take in the ids that `source` was given; an overlap may name an item in two sources."""
        self._partitions[source] = items
        self._planned.update(items)

    def add(self, source: str, items: Iterable[str]) -> None:
        """Take in the ids that `source` returned, repeats included."""
        for item in items:
            if item in self._by:
                self._again.setdefault(item, [self._by[item]]).append(source)
            else:
                self._by[item] = source

    def leave_out(self, items: Sequence[str]) -> None:
        """Count the items of a task whose result does not say which items it is about."""
        self._unchecked += len(items)

    @property
    def known(self) -> bool:
        """Whether any task was given items."""
        return bool(self._planned or self._unchecked)

    def missing(self) -> Iterator[tuple[str, list[str]]]:
        """Each task with items that nobody returned, and those items."""
        for source, items in self._partitions.items():
            if absent := [item for item in items if item not in self._by]:
                yield source, absent

    def duplicated(self) -> Iterator[tuple[str, list[str]]]:
        """Each planned item returned more often than planned, and by whom."""
        for item in sorted(self._again):
            if len(self._again[item]) > self._planned[item] > 0:
                yield item, sorted(self._again[item])

    def invented(self) -> Iterator[tuple[str, list[str]]]:
        """Each item that nobody was given, and who returned it."""
        for item in sorted(self._by.keys() - self._planned.keys()):
            yield item, sorted(self._again.get(item, [self._by[item]]))

    def counts(self) -> dict[str, int]:
        """How many items there are and what became of them; those unchecked are no others."""
        covered = sum(item in self._by for item in self._planned)
        counts = {
            "items": len(self._planned),
            "covered": covered,
            "missing": len(self._planned) - covered,
            "duplicated": sum(1 for _ in self.duplicated()),
            "invented": sum(1 for _ in self.invented()),
        }
        return counts | ({"unchecked": self._unchecked} if self._unchecked else {})

    def entries(self) -> Iterator[dict[str, Any]]:
        """What is wrong, one entry for each task or item; of the items of a task the first few."""
        for source, items in self.missing():
            yield {
                "problem": "missing",
                "task_id": source,
                "items": items[:SHOWN],
                "count": len(items),
            }
        for problem, found in (("duplicated", self.duplicated()), ("invented", self.invented())):
            for item, sources in found:
                yield {"problem": problem, "item": item, "sources": sources[:SHOWN]}


def collapse_advice(words: int, results: int, budget: int = REDUCE_BUDGET) -> dict[str, Any] | None:
    """How to group results that are too long to be read at once; None if they are not.

    The collapse stage of map-reduce over long texts (arXiv 2410.09342).
    """
    if words <= budget or results < 2:
        return None
    group = max(2, budget * results // words)
    groups = -(-results // group)
    return {
        "words": words,
        "budget": budget,
        "group": group,
        "groups": groups,
        "advice": (
            f"{results} results hold {words:,} words, over {budget:,}. Summarise them in the "
            f"order of their partitions, {group} at a time, then merge the {groups} summaries."
        ),
    }
