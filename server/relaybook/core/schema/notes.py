"""The annotations of an output schema, which tell relaybook something and a worker nothing.

They stand where `merge_plan` reads them: in a schema, and in its `properties` and `items`.
"""

from collections.abc import Callable, Mapping
from typing import Any

#: How results merge, and what arguments ask of them.
NOTES = frozenset({"x-merge", "x-key", "x-weight", "x-schema", "x-one-of", "x-where"})

Schema = Mapping[str, Any]


def changed(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """`schema` with `change` made to it and to each schema in its properties and items."""
    below: dict[str, Any] = {}
    if isinstance(properties := schema.get("properties"), Mapping):
        below["properties"] = {name: _inside(each, change) for name, each in properties.items()}
    if "items" in schema:
        below["items"] = _inside(schema["items"], change)
    return change({**schema, **below})


def without_notes(schema: Schema) -> Schema:
    """`schema` as a worker is shown it."""
    return changed(
        schema,
        lambda node: {name: value for name, value in node.items() if name not in NOTES},
    )


def _inside(schema: Any, change: Callable[[Schema], Schema]) -> Any:
    return changed(schema, change) if isinstance(schema, Mapping) else schema
