"""Reading a composition's file: every fault is found before it can be used, with its line."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from relaybook.core.plan.tasks import read_tasks
from relaybook.errors import InvalidPlan, closest
from relaybook.model import Pattern
from relaybook.registry.composition import Composition
from relaybook.registry.kinds import Mismatch, read_as
from relaybook.registry.parameter import KINDS, Parameter
from relaybook.registry.placeholders import Malformed, names_in
from relaybook.registry.shelf import NAME
from relaybook.registry.yaml_file import FileFault, line_of, read_mapping

#: What the task that is made for each batch may name besides the parameters.
BATCH_NAMES = ("batch", "batch_number")
#: The kinds of parameter whose values can be divided into batches.
DIVISIBLE = ("array", "records", "sources")

_REQUIRED = ("name", "trigger", "description", "pattern", "tasks")
_PARAM_FIELDS = ("name", "kind", "description", "required", "default", "enumValues")


def read_composition(text: str, path: Path, *, shadows: bool = False) -> Composition:
    """The composition that `text`, the content of the file at `path`, describes.

    Raises:
        FileFault: something in it is wrong.
    """
    lines = text.split("\n")
    said = read_mapping(text, "the file")
    fields = {name: _read_field(name, value, lines) for name, value in _known(said, lines)}
    missing = [name for name in _REQUIRED if name not in fields]
    if missing:
        raise FileFault(1, f"lacks {', '.join(missing)}")
    found = Composition(**fields, path=path, shadows=shadows)
    if found.name != path.stem:
        what = f"name is {found.name!r}, but the file is named {path.stem!r}"
        raise FileFault(line_of("name", "", lines), what)
    for field, reason in _objections(found):
        raise FileFault(line_of(field, "", lines), f"{field}: {reason}")
    return found


def _known(said: Mapping[Any, Any], lines: list[str]) -> Iterator[tuple[str, Any]]:
    for name, value in said.items():
        if name not in _FIELDS:
            near = ", ".join(closest(str(name), list(_FIELDS), 3))
            raise FileFault(
                line_of(str(name), "", lines), f"{name} is no known field; nearest: {near}"
            )
        if value is not None:
            yield name, value


def _read_field(name: str, value: Any, lines: list[str]) -> Any:
    try:
        return _FIELDS[name](value)
    except (ValueError, TypeError) as error:
        raise FileFault(line_of(name, "", lines), f"{name} {error}") from error


def _objections(found: Composition) -> Iterator[tuple[str, str]]:
    """What is wrong with fields that do not fit each other: the field, and why."""
    params = {each.name: each for each in found.params}
    if found.items:
        if found.items not in params or params[found.items].kind not in DIVISIBLE:
            yield "items", f"must name a parameter of kind {', '.join(DIVISIBLE)}"
        if len(found.tasks) != 1:
            yield "items", "are divided over copies of one task; more are given"
    try:
        read_tasks(found.tasks, found.pattern)
    except InvalidPlan as refused:
        yield "tasks", refused.message
    always = {each.name for each in found.params if each.required or each.default is not None}
    for field in ("trigger", "shared_decisions", "acceptance", "brief"):
        yield from _misnamed(field, getattr(found, field), always, params)
    batch = BATCH_NAMES if found.items else ()
    for task in found.tasks:
        rest = {name: value for name, value in task.items() if name != "args"}
        yield from _misnamed("tasks", rest, always.union(batch), params)
        yield from _misnamed("args", task.get("args", {}), {*params, *batch}, params)


def _misnamed(
    field: str, value: Any, allowed: set[str], params: Mapping[str, Parameter]
) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(set(names_in(value)) - allowed)
    except Malformed as malformed:
        yield field, str(malformed)
        return
    for name in names:
        if name in params:
            yield field, f"{{{name}}} may not be given; only args can go without it"
        else:
            near = ", ".join(closest(name, sorted(allowed), 3))
            yield field, f"{{{name}}} is no parameter; nearest: {near}"


def _params(value: Any) -> tuple[Parameter, ...]:
    if not isinstance(value, list):
        raise TypeError("must be a list")
    found = tuple(_param(each) for each in value)
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise ValueError("declare a name twice")
    if clash := sorted(set(names).intersection(BATCH_NAMES)):
        raise ValueError(f"declare {clash[0]!r}, which names a part of the items")
    return found


def _param(said: Any) -> Parameter:
    if not isinstance(said, dict) or not {"name", "kind"} <= set(said) <= set(_PARAM_FIELDS):
        raise ValueError(f"must be mappings with a name and a kind, of {', '.join(_PARAM_FIELDS)}")
    name, kind, values = said["name"], said["kind"], said.get("enumValues") or []
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"have the name {name!r}; use lower-case letters, digits and _")
    if kind not in KINDS:
        near = ", ".join(closest(str(kind), list(KINDS), 3))
        raise ValueError(f"give {name!r} the kind {kind!r}; nearest: {near}")
    if (kind == "enum") != bool(values):
        raise ValueError(f"must give {name!r} enumValues if it is an enum, and only then")
    parameter = Parameter(
        name=name,
        kind=kind,
        description=str(said.get("description") or ""),
        required=said.get("required") is True,
        default=said.get("default"),
        enum_values=_texts(values),
    )
    try:
        if parameter.default is not None:
            read_as(parameter, parameter.default, f"the default of {name!r}")
    except Mismatch as mismatch:
        raise ValueError(f"are wrong: {mismatch}") from mismatch
    return parameter


def _tasks(value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise TypeError("must be a list of tasks")
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("must be a text")
    return value.strip()


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError("must be a list of texts")
    return tuple(value)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError("must be lower-case letters, digits and _, up to 64")
    return value


def _pattern(value: Any) -> Pattern:
    if value not in list(Pattern):
        raise ValueError(f"must be one of {', '.join(Pattern)}")
    return Pattern(value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError("must be a whole number from 1 up")
    return value


def _merge(value: Any) -> str:
    if value not in MERGES:
        raise ValueError(f"must be one of {', '.join(MERGES)}")
    return value


MERGES = ("merge", "verdict", "domain_risk", "records", "stage")

_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "name": _name,
    "trigger": _text,
    "description": _text,
    "tags": _texts,
    "pattern": _pattern,
    "params": _params,
    "shared_decisions": _texts,
    "items": _name,
    "batches": _count,
    "tasks": _tasks,
    "merge": _merge,
    "acceptance": _texts,
    "brief": _text,
}


def composition_text(fields: Mapping[str, Any]) -> str:
    """The text of the file that holds `fields`, in the order in which files have them."""
    ordered = {name: fields[name] for name in _FIELDS if name in fields}
    return yaml.safe_dump(ordered | dict(fields), allow_unicode=True, sort_keys=False, width=100)
