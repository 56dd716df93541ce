"""Lists of records from many results: by key with what contradicts, or one after the other."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import Any

from relaybook.core.merge.figures import Place
from relaybook.core.merge.likeness import same
from relaybook.core.merge.pile import Key, Piles
from relaybook.core.merge.repeats import Repeats
from relaybook.core.names import SHOWN, Names
from relaybook.core.shorten import shorter


class Listed:
    """Records one after the other: counted and looked through for repeats, not held."""

    def __init__(self, repeats: Repeats | None) -> None:
        self.total = 0
        self.repeats = repeats

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        self.total += 1
        if self.repeats:
            self.repeats.add(f"{place.source}[{place.number}]", value, place)
        return True

    def result(self) -> dict[str, Any]:
        return {"total": self.total}

    def duplicates(self) -> Iterator[dict[str, Any]]:
        return self.repeats.found() if self.repeats else iter(())


@dataclass(slots=True)
class _Value:
    """One value of a field and who said it; of equal values the first in order is shown."""

    shown: Any
    sources: Names


class Keyed:
    """The union of records by key; a field that two of them fill differently is disputed.

    Lays down every record, for a contradiction may come with the last result, but of a long
    value no more than an answer shows.
    """

    def __init__(self, key: str, piles: Piles) -> None:
        self.key = key
        self.repeats = Repeats(piles)
        self._piles = piles
        self._said = piles()
        self._settled: _Settled | None = None

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        key = value.get(self.key) if isinstance(value, dict) else None
        if isinstance(key, bool) or not isinstance(key, str | int | float):
            return False
        rest = {name: given for name, given in value.items() if name != self.key}
        self._said.put((str(key), *place), _held(rest))
        self._settled = None
        if rest:
            self.repeats.add(str(key), rest, place)
        return True

    def result(self) -> dict[str, Any]:
        return {"total": self._settle().total}

    def records(self) -> Iterator[dict[str, Any]]:
        """In the order of the plan; a disputed field is named and its value left out."""
        for _, entry in self._settle().records.rows():
            yield json.loads(entry)

    def conflicts(self) -> Iterator[dict[str, Any]]:
        """In the same order; of each disputed field the first values, with who said them."""
        for _, entry in self._settle().conflicts.rows():
            yield json.loads(entry)

    def duplicates(self) -> Iterator[dict[str, Any]]:
        return self.repeats.found()

    def _settle(self) -> "_Settled":
        if self._settled is None:
            self._settled = _Settled(self._piles)
            for key, rows in groupby(self._said.rows(), key=lambda row: str(row[0][0])):
                self._settled.add(key, rows)
        return self._settled


class _Settled:
    """What is shown of each key, laid down in the order of the first places that name them."""

    def __init__(self, piles: Piles) -> None:
        self.total = 0
        self.records = piles()
        self.conflicts = piles()

    def add(self, key: str, rows: Iterable[tuple[Key, str]]) -> None:
        """Take in all that is said under `key`, in the order of the places."""
        self.total += 1
        fields: dict[str, dict[str, _Value]] = {}
        first: Key = ()
        sources = Names()
        for (_, *place), text in rows:
            position, source = int(place[0]), str(place[1])
            first = first or tuple(place)
            sources.add(source, position)
            _enter(fields, text, source, position)
        said = dict(sorted((name, list(values.values())) for name, values in fields.items()))
        agreed = {name: values[0].shown for name, values in said.items() if len(values) == 1}
        disputed = {name: values for name, values in said.items() if len(values) > 1}
        entry = {"key": key, "record": agreed, "sources": sources.shown()}
        entry |= {"disputed": list(disputed)} if disputed else {}
        self.records.put(first, json.dumps(entry))
        for name, values in disputed.items():
            shown = [{"value": each.shown, "sources": each.sources.shown()} for each in values]
            conflict = {"key": key, "field": name, "values": shown}
            self.conflicts.put((*first, name), json.dumps(conflict))


def _held(fields: Mapping[str, Any]) -> str:
    """Two objects by field: the values as they are shown, and for those that are shown shorter
    than they are what tells them from others."""
    shown = {name: shorter(value) for name, value in fields.items()}
    marks = {
        name: blake2b(same(value).encode(errors="replace"), digest_size=16).hexdigest()
        for name, value in fields.items()
        if shown[name] != value
    }
    return json.dumps([shown, marks], ensure_ascii=False)


def _enter(fields: dict[str, dict[str, _Value]], text: str, source: str, position: int) -> None:
    """Add what one source says to the values of each field; of a field the first few are held."""
    shown, marks = json.loads(text)
    for name, value in shown.items():
        mark = marks.get(name) or same(value)
        values = fields.setdefault(name, {})
        if len(values) < SHOWN:
            values.setdefault(mark, _Value(value, Names()))
        if mark in values:
            values[mark].sources.add(source, position)
