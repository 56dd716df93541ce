"""What is wrong with a value that breaks its schema: where, what it has there, what may stand there."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from relaybook.core.names import few
from relaybook.core.schema import linear_patterns
from relaybook.errors import clip

if TYPE_CHECKING:
    from jsonschema import SchemaError, ValidationError

#: Bounds of each part of a problem, in characters, and of the names of members in one, in bytes.
MAX_PART, MAX_EXPECTED, MAX_NAMES = 60, 120, 240
#: Keywords whose message in `jsonschema` names the member at fault and not the whole value.
NAMES_MEMBERS = frozenset({"required", "dependentRequired", "unevaluatedProperties"})


class Problem(TypedDict):
    """Where a value breaks its schema (a JSON pointer, `/` for the whole), what it has there, what may stand there."""

    path: str
    message: str
    expected: str


def problem(path: str, message: str, expected: str) -> Problem:
    """A problem whose parts are short, printable text."""
    return Problem(
        path=_plain(path), message=_plain(message), expected=_plain(expected, MAX_EXPECTED)
    )


def problem_of(error: "ValidationError | SchemaError", at: str) -> Problem:
    """What `error` found, in the part of a value that stands at the JSON pointer `at`."""
    pointer = "".join(
        "/" + str(part).replace("~", "~0").replace("/", "~1") for part in error.absolute_path
    )
    path, brief = at + pointer or "/", _brief(error.instance)
    if not error.validator:
        # A schema that is `false` breaks no keyword; the library gives the path of its parent.
        return problem(path, f"holds {brief}", "nothing there")
    found = problem(path, f"is {brief}", f"{error.validator} {_rule(error)}")
    if error.validator == "additionalProperties":
        found["message"] = f"has undeclared members: {_listed(_undeclared(error))}"
    elif error.validator in NAMES_MEMBERS:
        found["message"] = _plain(error.message, MAX_NAMES // 2)
    return found


def _rule(error: "ValidationError | SchemaError") -> str:
    return json.dumps(error.validator_value, ensure_ascii=False)


def _undeclared(error: "ValidationError | SchemaError") -> list[str]:
    """The members of an object that its schema has no place for."""
    schema: Any = error.schema
    members: Any = error.instance
    declared, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return [
        name
        for name in members
        if name not in declared and not any(linear_patterns.matches(p, name) for p in patterns)
    ]


def _listed(names: Sequence[str]) -> str:
    """`names` in quotes up to `MAX_NAMES` bytes, and how many more there are."""
    shown, left = list[str](), MAX_NAMES
    for name in names:
        quoted = repr(_plain(name))
        left -= len(quoted.encode()) + 2
        if left < 0 and shown:
            break
        shown.append(quoted)
    return few(shown, len(names))


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return json.dumps(value, ensure_ascii=False)


def _plain(text: str, most: int = MAX_PART) -> str:
    return "".join(c if c.isprintable() else "?" for c in clip(text, most))
