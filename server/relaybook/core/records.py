"""Lists of records from many results: by key with what contradicts, or one after the other."""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, Self

from .figures import SHOWN, Place, source_names
from .likeness import groups, same, sketch
from .shorten import shorter


class _Mark(NamedTuple):
    place: Place
    name: str
    sketch: str


class Repeats:
    """Which records hold the same words, or nearly the same.

    Holds a character for each word of them.
    """

    def __init__(self) -> None:
        self.marks: list[_Mark] = []

    def add(self, name: str, record: Any, place: Place) -> None:
        """Note a record called `name`."""
        self.marks.append(_Mark(place, name, sketch(record)))

    def absorb(self, other: Self) -> None:
        self.marks.extend(other.marks)

    def found(self) -> Iterator[dict[str, Any]]:
        """Groups under two or more names, in the order of their first places."""
        self.marks.sort()
        for places in groups([mark.sketch for mark in self.marks]):
            names = list(dict.fromkeys(self.marks[place].name for place in places))
            if len(names) > 1:
                yield {"same": names[:SHOWN], "count": len(names)}


class Listed:
    """Records one after the other, in the order of their sources; the first `keep` are held."""

    def __init__(self, keep: int, repeats: bool) -> None:
        self.keep = keep
        self.total = 0
        self.held: list[tuple[Place, Any]] = []
        self.repeats = Repeats() if repeats else None

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        self.total += 1
        self.held.append((place, value))
        self._shorten(2 * self.keep)
        if self.repeats:
            self.repeats.add(f"{place.source}[{place.number}]", value, place)
        return True

    def _shorten(self, most: int) -> None:
        if len(self.held) > most:
            self.held = sorted(self.held, key=lambda entry: entry[0])[: self.keep]

    def absorb(self, other: Self) -> None:
        self.total += other.total
        self.held.extend(other.held)
        self._shorten(self.keep)
        if self.repeats and other.repeats:
            self.repeats.absorb(other.repeats)

    def result(self) -> dict[str, Any]:
        return {"total": self.total}

    def records(self) -> Iterator[dict[str, Any]]:
        for place, value in sorted(self.held, key=lambda entry: entry[0])[: self.keep]:
            yield {"source": place.source, "record": value}

    def conflicts(self) -> Iterator[dict[str, Any]]:
        return iter(())

    def duplicates(self) -> Iterator[dict[str, Any]]:
        return self.repeats.found() if self.repeats else iter(())


class _Said(NamedTuple):
    """What one result says under a key."""

    place: Place
    #: JSON of two objects by field: the values as they are shown, and for those that are shown
    #: shorter than they are what tells them from others.
    text: str


class _Value(NamedTuple):
    """One value of a field and who said it; of equal values the first in order is shown."""

    shown: Any
    sources: set[tuple[int, str]]


class Keyed:
    """The union of records by key; a field that two of them fill differently is disputed.

    Holds every record, for a contradiction may come with the last result, but of a long value
    no more than an answer shows.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.by_key: dict[str, list[_Said]] = {}
        self.repeats = Repeats()

    @property
    def total(self) -> int:
        return len(self.by_key)

    def add(self, value: Any, parent: Mapping[str, Any], place: Place) -> bool:
        key = value.get(self.key) if isinstance(value, dict) else None
        if isinstance(key, bool) or not isinstance(key, str | int | float):
            return False
        rest = {name: given for name, given in value.items() if name != self.key}
        self.by_key.setdefault(str(key), []).append(_Said(place, _held(rest)))
        if rest:
            self.repeats.add(str(key), rest, place)
        return True

    def absorb(self, other: Self) -> None:
        for key, said in other.by_key.items():
            self.by_key.setdefault(key, []).extend(said)
        self.repeats.absorb(other.repeats)

    def result(self) -> dict[str, Any]:
        return {"total": self.total}

    def records(self) -> Iterator[dict[str, Any]]:
        """In the order of the plan; a disputed field is named and its value left out."""
        for key in self._keys():
            said = self.by_key[key]
            fields = _fields(said)
            agreed = sorted(name for name, values in fields.items() if len(values) == 1)
            disputed = sorted(name for name, values in fields.items() if len(values) > 1)
            shown = {name: fields[name][0].shown for name in agreed}
            sources = source_names({one.place[:2] for one in said})
            entry = {"key": key, "record": shown, "sources": sources}
            yield entry | ({"disputed": disputed} if disputed else {})

    def conflicts(self) -> Iterator[dict[str, Any]]:
        for key in self._keys():
            said = self.by_key[key]
            if len(said) == 1:
                continue
            for name, values in sorted(_fields(said).items()):
                if len(values) > 1:
                    shown = [
                        {"value": value.shown, "sources": source_names(value.sources)}
                        for value in values[:SHOWN]
                    ]
                    yield {"key": key, "field": name, "values": shown}

    def duplicates(self) -> Iterator[dict[str, Any]]:
        return self.repeats.found()

    def _keys(self) -> list[str]:
        """In the order of the first places that name them."""
        return sorted(self.by_key, key=lambda key: (min(self.by_key[key]).place, key))


def _held(fields: Mapping[str, Any]) -> str:
    shown = {name: shorter(value) for name, value in fields.items()}
    marks = {
        name: blake2b(same(value).encode(errors="replace"), digest_size=16).hexdigest()
        for name, value in fields.items()
        if shown[name] != value
    }
    return json.dumps([shown, marks], ensure_ascii=False)


def _fields(said: Sequence[_Said]) -> dict[str, list[_Value]]:
    """The different values of each field, in the order of their places."""
    fields: dict[str, dict[str, _Value]] = {}
    for one in sorted(said):
        shown, marks = json.loads(one.text)
        for name, value in shown.items():
            mark = marks.get(name) or same(value)
            values = fields.setdefault(name, {})
            values.setdefault(mark, _Value(value, set())).sources.add(one.place[:2])
    return {name: list(values.values()) for name, values in fields.items()}
