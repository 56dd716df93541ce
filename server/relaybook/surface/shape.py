"""The JSON Schema of a TypedDict, as far as the shapes of answers go.

The SDK would build a validator for each, which nobody asks, and publish the same.
"""

from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

_TYPES: Mapping[Any, Mapping[str, Any]] = {
    Any: {},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
}


def schema_of(shape: type) -> dict[str, Any]:
    """An object with the members of `shape`, each of which may be absent."""
    members = get_type_hints(shape)
    return {
        "type": "object",
        "properties": {name: _schema(member) for name, member in members.items()},
    }


def _schema(kind: Any) -> dict[str, Any]:
    """Of a type in the table, a list of such, or a dict with text keys."""
    if get_origin(kind) is list:
        (items,) = get_args(kind)
        return {"type": "array", "items": _schema(items)}
    if get_origin(kind) is dict:
        _, values = get_args(kind)
        return {"type": "object", "additionalProperties": _schema(values) or True}
    return dict(_TYPES[kind])
