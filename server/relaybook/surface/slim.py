"""JSON Schemas without the words that cost a model tokens and tell it nothing."""

from typing import Any

_NULL = {"type": "null"}


def slim(schema: Any) -> Any:
    """`schema` without titles, empty defaults and alternatives to null; it accepts the same."""
    if isinstance(schema, list):
        return [slim(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: _named(value) if key in ("properties", "$defs") else slim(value)
        for key, value in schema.items()
        if not _is_noise(key, value)
    }
    return _without_null(kept)


def _named(schemas: dict[str, Any]) -> dict[str, Any]:
    """Schemas under names of their own; a property may well be called `title`."""
    return {name: slim(schema) for name, schema in schemas.items()}


def _is_noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (
        key == "default" and value in (None, "", [], {}, False)
    )


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """`{anyOf: [X, null]}` as X: whoever means null leaves the member out."""
    choices = schema.get("anyOf")
    if not isinstance(choices, list) or _NULL not in choices:
        return schema
    rest = [choice for choice in choices if choice != _NULL]
    others = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**rest[0], **others} if len(rest) == 1 else {**others, "anyOf": rest}
