"""How results become one, read from the output schema: the keyword `x-merge` on a property.

    "total":  {"type": "integer", "x-merge": "sum"}
    "score":  {"type": "number", "x-merge": "mean", "x-weight": "total"}
    "worst":  {"type": "array", "x-merge": {"top_k": 3, "by": "severity"}}
    "items":  {"type": "array", "x-merge": "union", "x-key": "id",
               "items": {"properties": {"label": {"type": "string", "x-merge": "histogram"}}}}

Kinds: sum, count, mean, min, max, histogram, top_k, concatenate, union by key, and records,
which are concatenated and looked through for repeats; with x-key they cover items of a map.

Annotations inside an array merge over its elements. `$ref` is not followed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from relaybook.errors import InvalidTemplate

#: The step of a path into each element of an array.
EACH = "[]"
#: The largest k of top_k.
MOST_TOP = 100


class Kind(StrEnum):
    """What becomes of the values that the results hold at one place."""

    SUM = "sum"
    COUNT = "count"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    HISTOGRAM = "histogram"
    TOP_K = "top_k"
    CONCATENATE = "concatenate"
    UNION = "union"
    RECORDS = "records"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPlan:
    """How one place of the results is merged."""

    path: tuple[str, ...]
    kind: Kind
    #: For a mean: the sibling property that weighs each value.
    weight: str | None = None
    #: The property that tells records apart; a union needs it.
    key: str | None = None
    #: For top_k: the numeric property that ranks records, and how many are kept.
    by: str | None = None
    most: int = 0

    @property
    def name(self) -> str:
        """The path as it is shown: `items[].score`."""
        return ".".join(self.path).replace(f".{EACH}", EACH)


@dataclass(frozen=True, slots=True)
class MergePlan:
    """The annotated places of a schema, in its order."""

    fields: tuple[FieldPlan, ...]

    @property
    def keyed(self) -> FieldPlan | None:
        """The first place that holds records with a key."""
        return next((field for field in self.fields if field.key), None)


def plan_merge(schema: Mapping[str, Any]) -> MergePlan:
    """The plan that the annotations of `schema` ask for; empty if there are none.

    Raises:
        InvalidTemplate: an annotation is unknown, or names a property that is not there.
    """
    return MergePlan(tuple(_walk(schema)))


def _walk(schema: Mapping[str, Any]) -> Iterator[FieldPlan]:
    """Depth first with a stack, so that no nesting is too deep."""
    stack: list[tuple[tuple[str, ...], Mapping[str, Any], Mapping[str, Any]]] = [((), schema, {})]
    while stack:
        path, node, siblings = stack.pop()
        if "x-merge" in node and path:
            yield _field(path, node, siblings)
        properties: Mapping[str, Any] = node.get("properties") or {}
        below = [((*path, name), child, properties) for name, child in properties.items()]
        if isinstance(items := node.get("items"), dict):
            below.append(((*path, EACH), items, {}))
        stack.extend(step for step in reversed(below) if isinstance(step[1], dict))


def _field(
    path: tuple[str, ...], node: Mapping[str, Any], siblings: Mapping[str, Any]
) -> FieldPlan:
    asked = node["x-merge"]
    if isinstance(asked, dict):
        return _top(path, asked)
    kind = _kind(path, asked)
    weight, key = node.get("x-weight"), node.get("x-key")
    if weight is not None and weight not in siblings:
        raise _wrong(path, f"x-weight {weight!r} is no property beside it", ", ".join(siblings))
    if kind is Kind.UNION and not isinstance(key, str):
        raise _wrong(path, "a union needs x-key", "x-key: the property that tells records apart")
    keyed = kind in {Kind.UNION, Kind.RECORDS} and isinstance(key, str)
    return FieldPlan(path=path, kind=kind, weight=weight, key=key if keyed else None)


def _kind(path: tuple[str, ...], asked: object) -> Kind:
    plain = [kind.value for kind in Kind if kind is not Kind.TOP_K]
    if asked not in plain:
        raise _wrong(path, f"x-merge is {asked!r}", ", ".join(plain) + ', {"top_k": n, "by": …}')
    return Kind(asked)


def _top(path: tuple[str, ...], asked: Mapping[str, Any]) -> FieldPlan:
    most, by = asked.get("top_k"), asked.get("by")
    known = set(asked) == {"top_k", "by"}
    if known and isinstance(most, int) and 1 <= most <= MOST_TOP and isinstance(by, str):
        return FieldPlan(path=path, kind=Kind.TOP_K, by=by, most=most)
    allowed = f'{{"top_k": 1 to {MOST_TOP}, "by": a numeric property of the records}}'
    raise _wrong(path, f"x-merge is {asked!r}", allowed)


def _wrong(path: tuple[str, ...], what: str, allowed: str) -> InvalidTemplate:
    return InvalidTemplate(
        f"The output schema cannot be merged at {'.'.join(path)!r}: {what}.",
        allowed=allowed,
        next="correct the annotation in the template",
    )
