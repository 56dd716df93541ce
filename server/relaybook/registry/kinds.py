"""Reading a value as the kind that a parameter declares.

Text is read as another kind only where one reading is possible, since command lines and MCP
prompts can send nothing but text.
"""

import json
from collections.abc import Callable
from math import isfinite
from typing import Any, TypeVar

from relaybook.errors import clip
from relaybook.registry.parameter import Parameter

N = TypeVar("N", int, float)

#: The kinds that a string is read as unchanged.
_TEXTS = frozenset({"string", "text"})
_WORDS_FOR_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


class Mismatch(Exception):
    """A value is not of the kind declared; the text names the place and what was expected."""


def read_as(parameter: Parameter, value: Any, where: str) -> Any:
    """`value` as the kind of `parameter`; `where` is the path that a mismatch names.

    Raises:
        Mismatch: it is of another kind.
    """
    return _READERS[parameter.kind](parameter, value, where)


def _string(_: Parameter, value: Any, where: str) -> str:
    match value:
        case str():
            return value
        case int() | float() if not isinstance(value, bool):
            return str(value)
        case _:
            raise _expected(where, "a string", value)


def _integer(parameter: Parameter, value: Any, where: str) -> int:
    match value:
        case bool():
            pass
        case int():
            return _within(parameter, value, where)
        case float() if value.is_integer():
            return _within(parameter, int(value), where)
        case str() if value.strip().removeprefix("-").isdecimal() and len(value) <= 20:
            return _within(parameter, int(value), where)
        case _:
            pass
    raise _expected(where, "an integer", value)


def _float(parameter: Parameter, value: Any, where: str) -> float:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            pass
        else:
            if isfinite(number):
                return _within(parameter, number, where)
    raise _expected(where, "a number", value)


def _within(parameter: Parameter, value: N, where: str) -> N:
    """`value`, which lies between the bounds of `parameter`."""
    least, most = parameter.minimum, parameter.maximum
    if least is not None and value < least:
        raise Mismatch(f"{where} must be {least:g} at least, not {clip(str(value), 40)}")
    if most is not None and value > most:
        raise Mismatch(f"{where} must be {most:g} at most, not {clip(str(value), 40)}")
    return value


def _minutes(parameter: Parameter, value: Any, where: str) -> float:
    minutes = _float(parameter, value, where)
    if minutes <= 0:
        raise _expected(where, "a number of minutes above 0", value)
    return minutes


def _boolean(_: Parameter, value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _WORDS_FOR_BOOLEANS:
        return _WORDS_FOR_BOOLEANS[value.strip().lower()]
    raise _expected(where, "true or false", value)


def _enum(parameter: Parameter, value: Any, where: str) -> str:
    if value in parameter.enum_values:
        return value
    raise _expected(where, f"one of {', '.join(parameter.enum_values)}", value)


def _array(parameter: Parameter, value: Any, where: str) -> list[Any]:
    value = _decoded(value, "[")
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise _expected(where, "an array", value)
    item = parameter.items
    if item is None or (item.kind in _TEXTS and {str}.issuperset(map(type, value))):
        return value
    return [read_as(item, each, f"{where}[{number}]") for number, each in enumerate(value)]


def _object(parameter: Parameter, value: Any, where: str) -> dict[str, Any]:
    if not parameter.properties:
        return _mapping(value, where)
    fields = _mapping(value, where, f"an object {parameter.shape}")
    known = {each.name: each for each in parameter.properties}
    for name in fields:
        if name not in known:
            raise Mismatch(f"{where} has no field {name[:40]!r}, only {', '.join(known)}")
    for each in parameter.properties:
        if each.required and fields.get(each.name) is None:
            raise Mismatch(f"{where}.{each.name} is missing ({each.kind})")
    return {name: _field(known[name], fields.get(name), where) for name in known}


def _field(parameter: Parameter, value: Any, where: str) -> Any:
    if value is None:
        value = parameter.default
    return None if value is None else read_as(parameter, value, f"{where}.{parameter.name}")


def _source(_: Parameter, value: Any, where: str) -> dict[str, str | None]:
    """A source by {path, content}; `content` None means that only the path was given."""
    fields = _mapping(value, where)
    path, content = fields.get("path"), fields.get("content")
    named = isinstance(path, str) and path.strip()
    if not named or not isinstance(content, str | None) or fields.keys() - {"path", "content"}:
        raise _expected(where, "a source {path, content}", value)
    return {"path": path, "content": content}


def _sources(parameter: Parameter, value: Any, where: str) -> list[dict[str, str | None]]:
    value = _decoded(value, "[", "{")
    sources = value if isinstance(value, list) else [value]
    return [_source(parameter, each, f"{where}[{n}]") for n, each in enumerate(sources)]


def _records(_: Parameter, value: Any, where: str) -> list[Any]:
    value = _decoded(value, "[")
    if isinstance(value, list):
        return value
    raise _expected(where, "an array of records", value)


def _prior_result(_: Parameter, value: Any, where: str) -> dict[str, Any] | None:
    """A prior result by {task, fields}; an empty object is none."""
    fields = _mapping(value, where)
    if not fields:
        return None
    if isinstance(fields.get("task"), str) and isinstance(fields.get("fields"), dict):
        return fields
    raise _expected(where, "a prior result {task, fields}", value)


def _schema(_: Parameter, value: Any, where: str) -> dict[str, Any]:
    return _mapping(value, where)


def _mapping(value: Any, where: str, what: str = "an object") -> dict[str, Any]:
    value = _decoded(value, "{")
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise _expected(where, what, value)


def _decoded(value: Any, *starts: str) -> Any:
    """JSON text that starts as a structure of the kind wanted, decoded; else `value` itself."""
    if isinstance(value, str) and value.lstrip().startswith(starts):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _expected(where: str, what: str, value: Any) -> Mismatch:
    shown = value[:40] if isinstance(value, str) else type(value).__name__
    return Mismatch(f"{where} must be {what}, not {shown!r}")


_READERS: dict[str, Callable[[Parameter, Any, str], Any]] = {
    "string": _string,
    "text": _string,
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "enum": _enum,
    "array": _array,
    "object": _object,
    "source": _source,
    "sources": _sources,
    "records": _records,
    "prior_result": _prior_result,
    "schema": _schema,
    "minutes": _minutes,
}
