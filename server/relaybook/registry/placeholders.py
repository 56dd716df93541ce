"""Placeholders: `{name}` in the texts of a composition; a brace that is meant is written twice."""

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any

from relaybook.core.text import compact

#: What `fill` answers for a text that names a value that was not given.
ABSENT = object()


class Malformed(Exception):
    """A text has a brace that belongs to no placeholder, or more than a name between braces."""


def fill(value: Any, given: Mapping[str, Any]) -> Any:
    """`value` with the values given in its texts, at any depth.

    A text that is a placeholder and nothing else becomes the value itself; in a longer text
    the value is written out. A member or entry that names a value not given is left out.
    """
    match value:
        case str():
            return _fill_text(value, given)
        case Mapping():
            return _present({name: fill(each, given) for name, each in value.items()})
        case list() | tuple():
            return [each for each in (fill(each, given) for each in value) if each is not ABSENT]
        case _:
            return value


def names_in(value: Any) -> Iterator[str]:
    """The name of every placeholder in the texts of `value`.

    Raises:
        Malformed: a text cannot be filled.
    """
    match value:
        case str():
            yield from (name for _, name in _parts(value) if name)
        case Mapping():
            for each in value.values():
                yield from names_in(each)
        case list() | tuple():
            for each in value:
                yield from names_in(each)
        case _:
            pass


def escape(value: Any) -> Any:
    """`value` as it must be written for `fill` to give it back, its braces doubled."""
    match value:
        case str():
            return value.replace("{", "{{").replace("}", "}}")
        case Mapping():
            return {name: escape(each) for name, each in value.items()}
        case list() | tuple():
            return [escape(each) for each in value]
        case _:
            return value


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ABSENT}


def _fill_text(text: str, given: Mapping[str, Any]) -> Any:
    parts = list(_parts(text))
    if any(name is not None and name not in given for _, name in parts):
        return ABSENT
    match parts:
        case [("", str(name))]:
            return given[name]
        case _:
            return "".join(before + (_shown(given[name]) if name else "") for before, name in parts)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    """The pieces of `text`: what stands before each placeholder, and the placeholder's name."""
    try:
        for before, name, form, conversion in Formatter().parse(text):
            if name is not None and (form or conversion or not name.isidentifier()):
                raise Malformed(f"{{{name}}} is more than a name between braces")
            yield before, name
    except ValueError as error:
        raise Malformed("a brace stands alone; write it twice") from error
