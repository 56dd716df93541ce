"""How many subschemas of a JSON Schema one value can be held against, read off its references.

A schema may name another from many places, and that one others again, so that a kilobyte unfolds
into millions. Here each schema is gone through once, and what it unfolds to is multiplied out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from relaybook.core.text import MAX_DEPTH

Schema = Mapping[str, Any]

#: More than any load that is borne; counting stops there.
MOST = 1_000_000_000

LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
REFERENCES = ("$ref", "$dynamicRef")
#: Keywords whose schemas the same value is held against.
IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
#: Keywords of objects and of arrays: of the first a child meets one schema, of the second each.
CHILDREN = (
    (
        ("properties", "additionalProperties", "unevaluatedProperties", "propertyNames"),
        ("patternProperties",),
    ),
    (("prefixItems", "items", "unevaluatedItems"), ("contains",)),
)
ALL = (*IN_PLACE, "$defs", *(name for both in CHILDREN for part in both for name in part))


class Circle(Exception):
    """A schema leads back to itself without going into the value."""


def subschemas(schema: Schema) -> Iterator[Schema]:
    """A sound schema and every schema that stands in it, references not followed."""
    stack = [schema]
    while stack:
        each = stack.pop()
        stack.extend(_held(each, ALL))
        yield each


def loads(
    schemas: Iterable[Schema], target: Callable[[str], Any]
) -> tuple[int, Callable[[Schema], int]]:
    """What sound schemas unfold to; `target` has what a reference leads to, one of them or a boolean.

    The first number is the most of them that one of them unfolds to without going into the value.
    The function says against how many a value up to `MAX_DEPTH` levels deep, or a part of it, can
    be held by one of them. Both stop counting at `MOST`.

    Raises:
        Circle: one of them leads back to itself.
    """
    nodes = {id(each): each for each in schemas}
    beside = {key: _beside(node, target) for key, node in nodes.items()}
    try:
        order = list(TopologicalSorter(beside).static_order())
    except CycleError:
        raise Circle from None
    here = dict.fromkeys(order, 1)
    for key in order:
        here[key] = min(MOST, 1 + sum(here[other] for other in beside[key]))
    return max(here.values()), lambda root: _deepest(nodes, order, beside, here)[id(root)]


def _beside(node: Schema, target: Callable[[str], Any]) -> list[int]:
    """The ids of the schemas that a value is held against besides `node`."""
    named = [target(node[name]) for name in REFERENCES if name in node]
    return [id(each) for each in (*_held(node, IN_PLACE), *named) if isinstance(each, Mapping)]


def _deepest(
    nodes: Mapping[int, Schema],
    order: list[int],
    beside: Mapping[int, list[int]],
    here: Mapping[int, int],
) -> Mapping[int, int]:
    """The greatest load of each schema at any depth, one level of the value after the other."""
    children = [
        {key: (_ids(nodes[key], one), _ids(nodes[key], each)) for key in order}
        for one, each in CHILDREN
    ]
    load = dict(here)
    for _ in range(MAX_DEPTH):
        deeper = dict(here)
        for kind in children:
            below: dict[int, int] = {}
            for key in order:
                one, each = kind[key]
                own = max((load[k] for k in one), default=0) + sum(load[k] for k in each)
                below[key] = min(MOST, own + sum(below[k] for k in beside[key]))
                deeper[key] = max(deeper[key], below[key])
        if deeper == load:
            break
        load = deeper
    return load


def _ids(node: Schema, keywords: Iterable[str]) -> list[int]:
    return [id(each) for each in _held(node, keywords)]


def _held(schema: Schema, keywords: Iterable[str]) -> Iterator[Schema]:
    """The schemas that stand directly under `keywords`; booleans cost nothing."""
    for name in keywords:
        if name not in schema:
            continue
        said = schema[name]
        members = said if name in LISTS else said.values() if name in NAMED else [said]
        yield from (each for each in members if isinstance(each, Mapping))
