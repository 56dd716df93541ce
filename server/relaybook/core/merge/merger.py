"""Many results become one, as a plan says: taken in one at a time, in any order.

A source without a result is counted as missing; every figure says how many sources it rests on.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from relaybook.core.merge.figures import Count, Extreme, Histogram, Mean, Place, Running, Sum, Top
from relaybook.core.merge.pile import MemoryPile, Piles
from relaybook.core.merge.plan import EACH, FieldPlan, Kind, MergePlan
from relaybook.core.merge.records import Keyed, Listed
from relaybook.core.merge.repeats import Repeats
from relaybook.core.names import Names
from relaybook.errors import InvalidArguments


def running(field: FieldPlan, piles: Piles) -> Running:
    """The empty figure or list of a field."""
    match field.kind:
        case Kind.SUM:
            return Sum()
        case Kind.COUNT:
            return Count()
        case Kind.MEAN:
            return Mean(field.weight)
        case Kind.MIN | Kind.MAX:
            return Extreme(1 if field.kind is Kind.MIN else -1)
        case Kind.HISTOGRAM:
            return Histogram(piles)
        case Kind.TOP_K:
            return Top(field.by or "", field.most)
        case Kind.UNION:
            return Keyed(field.key or "", piles)
        case Kind.RECORDS:
            return Listed(Repeats(piles))
        case Kind.CONCATENATE:
            return Listed(None)


def reach(data: Any, path: tuple[str, ...]) -> list[tuple[Any, Mapping[str, Any]]] | None:
    """The values at `path`, each with the object that holds it; a list gives its elements.

    None if the place is not filled; an empty list fills it.
    """
    found: list[tuple[Any, Mapping[str, Any]]] = [(data, {})]
    empty = False
    for step in path:
        below: list[tuple[Any, Mapping[str, Any]]] = []
        for value, parent in found:
            if step == EACH and isinstance(value, list):
                below.extend((item, parent) for item in value)
                empty = empty or not value
            elif isinstance(value, dict) and value.get(step) is not None:
                below.append((value[step], value))
        found = below
    values = [
        (item, parent)
        for value, parent in found
        for item in (value if isinstance(value, list) else [value])
    ]
    return values if values or found or empty else None


def pairs(data: Any, name: str, key: str, value: str) -> Mapping[str, Any]:
    """The object under `name`, or a list of objects {key, value} there as one."""
    members = [member for member, _ in reach(data, (name,)) or [] if isinstance(member, dict)]
    if members and not any(key in member for member in members):
        return {str(field): given for member in members for field, given in member.items()}
    return {str(member[key]): member.get(value) for member in members if key in member}


def texts(data: Any, name: str, key: str) -> list[str]:
    """The texts of the list under `name`, whose members may be objects that hold them under `key`."""
    members = [value for value, _ in reach(data, (name,)) or []]
    held = [member.get(key) if isinstance(member, dict) else member for member in members]
    return [text for text in held if isinstance(text, str)]


def listed(source: str, data: Any, plan: MergePlan) -> Iterator[dict[str, Any]]:
    """The records of one result that follow each other without a key."""
    for field in plan.fields:
        if field.kind in {Kind.RECORDS, Kind.CONCATENATE}:
            for value, _ in reach(data, field.path) or []:
                yield {"field": field.name, "source": source, "record": value}


class _Field:
    """One place of the plan: its running value, how many sources fed it, what was of no use."""

    def __init__(self, plan: FieldPlan, piles: Piles) -> None:
        self.plan = plan
        self.running = running(plan, piles)
        self.sources = 0
        self.ignored = 0

    def add(self, position: int, source: str, data: Any) -> None:
        values = reach(data, self.plan.path)
        self.sources += values is not None
        for index, (value, parent) in enumerate(values or ()):
            if not self.running.add(value, parent, Place(position, source, index)):
                self.ignored += 1

    def result(self) -> dict[str, Any]:
        shown = {"merge": self.plan.kind.value, **self.running.result(), "from": self.sources}
        return shown | ({"ignored": self.ignored} if self.ignored else {})


class Merger:
    """The running merge of results, each under a plan."""

    def __init__(self, piles: Piles = MemoryPile) -> None:
        self._piles = piles
        self._fields: dict[FieldPlan, _Field] = {}
        self._sources = piles()
        self._count = 0
        self._missing = Names()

    def _begin(self, plan: MergePlan) -> list[_Field]:
        """The running value of each place of `plan`, begun if it is new."""
        for field in plan.fields:
            if field not in self._fields:
                self._fields[field] = _Field(field, self._piles)
        return [self._fields[field] for field in plan.fields]

    def add(self, source: str, data: Any, position: int, plan: MergePlan) -> None:
        """Take in the result of `source`; None says that it has none.

        Values are ordered by `position`, then by the name of the source.

        Raises:
            InvalidArguments: the source was added before.
        """
        self._enter(source)
        fields = self._begin(plan)
        if data is None:
            self._missing.add(source, position)
            return
        for field in fields:
            field.add(position, source, data)

    def _enter(self, source: str) -> None:
        if self._sources.get((source,)) is not None:
            raise InvalidArguments(
                f"The result of {source!r} is already in the merge.",
                allowed="each source once",
                next="leave the second one out",
            )
        self._sources.put((source,))
        self._count += 1

    def figures(self) -> dict[str, Any]:
        """How many sources there are, and each field's figure with how many fed it."""
        return {
            "sources": self._count,
            "with_result": self._count - self._missing.count,
            "missing": self._missing.shown(),
            "fields": {name: field.result() for name, field in self._named()},
        }

    def _named(self) -> Iterator[tuple[str, _Field]]:
        """Each place by name; with the kind too if another merges the same place otherwise."""
        often = Counter(plan.name for plan in self._fields)
        for plan, field in self._fields.items():
            yield plan.name if often[plan.name] == 1 else f"{plan.name} ({plan.kind})", field

    def records(self) -> Iterator[dict[str, Any]]:
        """The records with a key, each key once; the others are `listed` as they come."""
        for field, union in self._unions():
            for entry in union.records():
                yield {"field": field, **entry}

    def conflicts(self) -> Iterator[dict[str, Any]]:
        """Fields that two sources fill differently under one key, with all who say what."""
        for field, union in self._unions():
            for entry in union.conflicts():
                yield {"in": field, **entry}

    def duplicates(self) -> Iterator[dict[str, Any]]:
        """Records of different keys or sources that hold the same words."""
        for name, field in self._named():
            if isinstance(field.running, Listed | Keyed):
                for entry in field.running.duplicates():
                    yield {"in": name, **entry}

    def _unions(self) -> Iterator[tuple[str, Keyed]]:
        for name, field in self._named():
            if isinstance(field.running, Keyed):
                yield name, field.running
