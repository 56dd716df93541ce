"""What is wrong with the arguments of a call, in our words: never their values."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from relaybook.errors import InvalidArguments, nearest
from relaybook.surface.arguments import OBJECTS

#: How many faults of one call are named.
FAULTS_SHOWN = 3
#: What was wanted, by how pydantic calls the kind: `list_type`, `int_parsing` and so on.
_WANTED: Mapping[str, str] = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "list": "a list",
    "dict": "an object",
}
#: What was sent, by its type in Python.
_SENT: Mapping[type, str] = {
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
#: Where what was sent is of a kind that is read, but does not say what is wanted.
_UNREAD = frozenset({"int_parsing", "int_from_float", "float_parsing", "bool_parsing"})


def bad_arguments(tool: str, names: list[str], error: ValidationError) -> InvalidArguments:
    """The first few faults of a call of `tool`, whose arguments are `names`."""
    faults = error.errors(include_url=False)
    told = [_told(fault, names) for fault in faults[:FAULTS_SHOWN]]
    shown = [what for what, _ in told]
    if len(faults) > FAULTS_SHOWN:
        shown.append(f"and {len(faults) - FAULTS_SHOWN} more")
    # The same names in another order are told once.
    allowed = {frozenset(each.split(", ")): each for _, each in told if each}
    return InvalidArguments(
        f"{tool}: {'; '.join(shown)}.",
        allowed="; ".join(allowed.values()),
        next="correct them and call again",
    )


def _told(fault: Any, names: list[str]) -> tuple[str, str]:
    """What is wrong, and what is allowed there."""
    kind: str = fault["type"]
    where, context = _place(fault["loc"]), fault.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown argument {where!r}", nearest(str(fault["loc"][-1]), names)
    if kind == "missing":
        return f"argument {where!r} is missing", ", ".join(names)
    if kind == "too_long":
        count, most = context["actual_length"], context["max_length"]
        return f"{where!r} has {count} entries", f"{where}: at most {most} entries"
    if kind == "greater_than_equal":
        return f"{where!r} is too small", f"{where}: {context['ge']:g} or more"
    if kind == "less_than_equal":
        return f"{where!r} is too large", f"{where}: {context['le']:g} or less"
    if kind == "value_error":
        return f"{where!r}: {context['error']}", f"{where}: a text that is not empty"
    return _of_kind(fault, where)


def _of_kind(fault: Any, where: str) -> tuple[str, str]:
    wanted = _WANTED.get(fault["type"].partition("_")[0], "a value of another kind")
    sent = _SENT.get(type(fault["input"]), "something else")
    said = f"{sent} that is not {wanted}" if fault["type"] in _UNREAD else f"{sent}, not {wanted}"
    allowed = OBJECTS.get(str(fault["loc"][0]), wanted) if wanted == "an object" else wanted
    return f"{where!r} is {said}", f"{where}: {allowed}"


def _place(parts: Sequence[int | str]) -> str:
    """Where in the arguments, as `updates[0].status`."""
    steps = [f"[{part}]" if isinstance(part, int) else f".{part[:60]}" for part in parts[:4]]
    return "".join(steps).removeprefix(".")
