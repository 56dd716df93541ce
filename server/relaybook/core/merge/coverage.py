"""Whether every item of a map-reduce came back exactly once, and whether to summarise in steps.

A prompt shows an id without what is invisible or acts as a tag, so ids are the same if they are
shown alike.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from relaybook.core.fence import clean
from relaybook.core.merge.merger import reach
from relaybook.core.merge.pile import Key, MemoryPile, Piles
from relaybook.core.merge.plan import Kind, MergePlan
from relaybook.core.names import SHOWN, Names
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.errors import clip

#: Words of results that one synthesis takes in well; a convention of relaybook, since
#: condensed results run to 1,000 to 2,000 tokens each.
REDUCE_BUDGET = 6000
#: How much of an item's id is told of one task, in characters.
SHOWN_LENGTH = 60
#: That an item came back; that a result about it names no ids; that it was given to a task that
#: stands, or to one that was replaced.
_BACK, _UNCHECKED, _GIVEN, _OWED = range(4)


class Coverage:
    """The item ids that each task was given, against those that came back."""

    def __init__(self, piles: Piles = MemoryPile) -> None:
        self._piles = piles
        #: By item: who returned it, then whose result may be about it, then who was given it.
        self._items = piles()
        self._tasks = self._returned = self._unchecked = 0
        self._settled: _Settled | None = None

    def plan(self, source: str, items: Sequence[str]) -> None:
        """Take in the ids that `source` was given; an overlap may name an item in two sources."""
        self._give(_GIVEN, source, items)

    def owe(self, source: str, items: Sequence[str]) -> None:
        """Take in the ids that `source` was given before it was replaced: any task may return
        them, once."""
        self._give(_OWED, source, items)

    def add(self, source: str, items: Iterable[str]) -> None:
        """Take in the ids that `source` returned, repeats included."""
        self._settled = None
        for item in items:
            self._returned += 1
            shown, _ = clean(item)
            self._items.put((shown, _BACK, source, self._returned, 0), source)

    def leave_out(self, items: Sequence[str]) -> None:
        """Count the items of a task whose result does not say which items it is about."""
        self._unchecked += len(items)
        self._give(_UNCHECKED, "", items)

    @property
    def known(self) -> bool:
        """Whether any task was given items."""
        return bool(self._settle().planned or self._unchecked)

    def counts(self) -> dict[str, int]:
        """How many items there are and what became of them; those unchecked are no others."""
        found = self._settle()
        counts = {
            "items": found.planned,
            "covered": found.planned - found.missing,
            "missing": found.missing,
            "duplicated": found.wrong["duplicated"],
            "invented": found.wrong["invented"],
        }
        return counts | ({"unchecked": self._unchecked} if self._unchecked else {})

    def entries(self) -> Iterator[dict[str, Any]]:
        """What is wrong, one entry for each task or item; of the items of a task the first few."""
        yield from self._settle().entries()

    def _give(self, kind: int, source: str, items: Sequence[str]) -> None:
        self._settled = None
        self._tasks += 1
        for number, item in enumerate(items):
            shown, _ = clean(item)
            self._items.put((shown, kind, "", self._tasks, number), json.dumps([source, item]))

    def _settle(self) -> "_Settled":
        if self._settled is None:
            self._settled = _Settled(self._piles)
            for item, rows in groupby(self._items.rows(), key=lambda row: str(row[0][0])):
                self._settled.add(item, rows)
        return self._settled


class _Settled:
    """What became of each item."""

    def __init__(self, piles: Piles) -> None:
        self.planned = self.missing = 0
        self.wrong: Counter[str] = Counter()
        self._absent = piles()
        self._problems = piles()

    def add(self, item: str, rows: Iterable[tuple[Key, str]]) -> None:
        """Take in what became of `item`, its rows in the order of their kinds."""
        times: Counter[int | str] = Counter()
        sources: list[str] = []
        for (_, kind, _, task, number), said in rows:
            if kind == _BACK:
                sources = [*sources, said][:SHOWN]
            elif kind != _UNCHECKED:
                item = json.loads(said)[1]
                if not times or (kind == _GIVEN and not times[_BACK]):
                    self._absent.put((task, number), said)
            times[kind] += 1
        self._count(item, times, sources)

    def _count(self, item: str, times: Mapping[int | str, int], sources: Sequence[str]) -> None:
        """Take in how often each kind of row was there, and who returned `item`."""
        expected = times[_GIVEN] or min(times[_OWED], 1)
        planned = times[_GIVEN] or (times[_OWED] and not times[_UNCHECKED])
        self.planned += bool(planned)
        self.missing += bool(planned) and not times[_BACK]
        if times[_BACK] > expected:
            problem = "duplicated" if expected else "invented"
            self.wrong[problem] += 1
            self._problems.put((problem, item), json.dumps(sources))

    def entries(self) -> Iterator[dict[str, Any]]:
        for _, rows in groupby(self._absent.rows(), key=lambda row: row[0][0]):
            yield _missing(value for _, value in rows)
        for (problem, item), sources in self._problems.rows():
            yield {"problem": problem, "item": item, "sources": json.loads(sources)}


def _missing(rows: Iterable[str]) -> dict[str, Any]:
    """The entry of one task, for each of whose items there is a row."""
    source, items = "", Names()
    for number, row in enumerate(rows):
        source, item = json.loads(row)
        items.add(item, number)
    return {"problem": "missing", "task_id": source, "items": items.first, "count": items.count}


def item_ids(data: Any, merge: MergePlan | None) -> list[str] | None:
    """The ids that a result answers; None if nothing says where it would hold them."""
    keyed = merge.keyed if merge else None
    path, key = (keyed.path, keyed.key or "") if keyed else (("items",), "id")
    entries = reach(data, path)
    if entries is None and keyed is None:
        return None
    ids = [
        str(entry[key]) for entry, _ in entries or [] if isinstance(entry, dict) and key in entry
    ]
    # Records may say several things of one item, a union says one.
    return ids if keyed is None or keyed.kind is Kind.UNION else list(dict.fromkeys(ids))


def items_given(spec: TaskSpec) -> tuple[str, ...]:
    """The ids of the items that a task is to answer: its partition, or what it has as `items`."""
    if spec.items or "items" not in spec.args:
        return spec.items
    given = reach(spec.args, ("items",)) or []
    ids = [str(each["id"]) for each, _ in given if isinstance(each, dict) and "id" in each]
    return tuple(dict.fromkeys(ids)) if len(ids) == len(given) else ()


def uncovered(given: Sequence[str], returned: Sequence[str]) -> dict[str, list[str]]:
    """The first few items of one task that are missing, duplicated or invented, by problem."""
    coverage = Coverage()
    coverage.plan("", given)
    coverage.add("", returned)
    found: dict[str, list[str]] = {}
    for entry in coverage.entries():
        items = entry.get("items") or [entry["item"]]
        known = found.setdefault(entry["problem"], [])
        known += [clip(item, SHOWN_LENGTH) for item in items][: SHOWN - len(known)]
    return found


def collapse_advice(words: int, results: int) -> dict[str, Any] | None:
    """How to group results that are too long to be read at once; None if they are not.

    The collapse stage of map-reduce over long texts (arXiv 2410.09342).
    """
    if words <= REDUCE_BUDGET or results < 2:
        return None
    group = max(2, REDUCE_BUDGET * results // words)
    groups = -(-results // group)
    return {
        "words": words,
        "budget": REDUCE_BUDGET,
        "group": group,
        "groups": groups,
        "advice": (
            f"{results} results hold {words:,} words, over {REDUCE_BUDGET:,}. Summarise them in the "
            f"order of their partitions, {group} at a time, then merge the {groups} summaries."
        ),
    }
