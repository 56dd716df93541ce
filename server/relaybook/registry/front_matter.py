"""Reading a `.prompty` file: YAML front matter between `---` lines, then the body.

The front matter follows Prompty v2; what is relaybook's own lies under `metadata`. Every
fault is found before the template can be used, and named with its line.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from relaybook.errors import closest
from relaybook.model import Pattern, Tier
from relaybook.registry.body import Body, BodyFault, read_body
from relaybook.registry.kinds import Mismatch, read_as
from relaybook.registry.parameter import KINDS, NUMBERS, Parameter
from relaybook.registry.template import SECTIONS, Template
from relaybook.registry.yaml_file import FileFault, line_of, read_mapping, read_text

#: The line of its file where the front matter starts.
FIRST_LINE = 2

_TOP_FIELDS = ("name", "displayName", "description", "inputs", "outputs", "template", "metadata")
_INPUT_FIELDS = (
    "name", "kind", "description", "required", "nullable", "default", "example",
    "enumValues", "items", "properties", "context", "minimum", "maximum",
)  # fmt: skip
#: Marks that stand for themselves in Markdown, in a fence and in a role marker.
_DATAMARK = re.compile("[\\^~*_+=\u2500-\u25ff]")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def read_template(path: Path, *, shadows: bool) -> Template:
    """The template in the file at `path`.

    Raises:
        FileFault: it cannot be read, or something in it is wrong.
    """
    front, body, body_line = _split(read_text(path))
    reader = _Reader(front)
    fields = reader.fields()
    if fields["name"] != path.stem:
        raise reader.fault("name", f"is {fields['name']!r}, but the file is named {path.stem!r}")
    checked = _body(body, body_line, fields["inputs"])
    return Template(**fields, path=path, shadows=shadows, body=checked)


def _split(text: str) -> tuple[str, str, int]:
    """Front matter, body, and how many lines stand before the body."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        raise FileFault(1, "does not start with a line '---' and front matter")
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]), number + 1
    raise FileFault(1, "has no second line '---' to end the front matter")


def _body(source: str, lines_before: int, inputs: tuple[Parameter, ...]) -> Body:
    _check_sections(source, lines_before)
    try:
        body = read_body(source)
    except BodyFault as fault:
        raise FileFault(lines_before + fault.line, f"the body {fault.reason}") from fault
    declared = [parameter.name for parameter in inputs]
    for name, line in body.variables.items():
        if name not in declared:
            reason = f"the body uses {name!r}, which no input declares"
            raise FileFault(
                lines_before + line, f"{reason}; nearest: {', '.join(closest(name, declared))}"
            )
    return body


def _check_sections(source: str, lines_before: int) -> None:
    lines = source.split("\n")
    found = [(n, line[3:].strip()) for n, line in enumerate(lines, 1) if line.startswith("## ")]
    names = tuple(name for _, name in found)
    if names != SECTIONS:
        line = found[0][0] if found else 1
        raise FileFault(
            lines_before + line,
            f"the body's H2 sections are {', '.join(names) or 'none'}; "
            f"they must be {', '.join(SECTIONS)}, in this order",
        )
    if next(line for line in lines if line.strip()) != "## Role":
        raise FileFault(lines_before + 1, "the body has text before '## Role'")


class _Reader:
    """Checks the front matter field by field; knows the line of each."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._top = read_mapping(text, "the front matter", FIRST_LINE)
        self._metadata: Any = self._top.get("metadata") or {}

    def fault(self, field: str, reason: str, value: str = "") -> FileFault:
        """A fault at the first line where `field`, with `value`, stands."""
        line = line_of(field, value, self._lines, FIRST_LINE)
        return FileFault(line, f"{field} {reason}")

    def fields(self) -> dict[str, Any]:
        """Everything that a Template is made of but its path and its body."""
        self._check_known(self._top, _TOP_FIELDS)
        if not isinstance(self._metadata, dict):
            raise self.fault("metadata", "must be a mapping")
        self._check_known(self._metadata, tuple(_METADATA))
        self._check_template()
        fields: dict[str, Any] = {
            "name": self._name(),
            "display_name": str(self._top.get("displayName") or self._top["name"]),
            "description": self._description(),
            "inputs": self._inputs(),
        }
        for name, read in _METADATA.items():
            if self._metadata.get(name) is not None:
                try:
                    fields[name] = read(self._metadata[name])
                except (ValueError, TypeError) as error:
                    raise self.fault(name, str(error)) from error
        self._check_material(fields)
        return fields

    def _check_material(self, fields: Mapping[str, Any]) -> None:
        inputs = [each.name for each in fields["inputs"]]
        for name in fields.get("material", ()):
            if name not in inputs:
                near = ", ".join(closest(name, inputs, 3))
                raise self.fault("material", f"names {name!r}, which is no input; nearest: {near}")

    def _check_known(self, fields: Mapping[Any, Any], known: tuple[str, ...]) -> None:
        for name in fields:
            if name not in known and not str(name).startswith("x_"):
                near = ", ".join(closest(str(name), list(known), 3))
                raise self.fault(str(name), f"is no known field; nearest: {near}")

    def _check_template(self) -> None:
        match self._top.get("template"):
            case {"format": {"kind": "jinja2"}, "parser": "prompty"}:
                return
            case _:
                raise self.fault("template", "must be {format: {kind: jinja2}, parser: prompty}")

    def _name(self) -> str:
        name = self._top.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self.fault("name", "must be lower-case letters, digits and _, up to 64")
        return name

    def _description(self) -> str:
        text = self._top.get("description")
        if not isinstance(text, str) or not text.strip() or "\n" in text.strip():
            raise self.fault("description", "must be one line of text")
        return text.strip()

    def _inputs(self) -> tuple[Parameter, ...]:
        declared = self._top.get("inputs") or []
        if not isinstance(declared, list):
            raise self.fault("inputs", "must be a list")
        inputs = tuple(self._parameter(each) for each in declared)
        names = [each.name for each in inputs]
        for name in names:
            if names.count(name) > 1:
                raise self.fault("inputs", f"declare {name!r} twice")
        return inputs

    def _parameter(self, declared: Any, name: Any = None) -> Parameter:
        if not isinstance(declared, dict):
            raise self.fault("inputs", "must hold mappings with a name and a kind")
        self._check_known(declared, _INPUT_FIELDS)
        name = name or declared.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self.fault("name", f"of an input is {name!r}; use lower-case letters and _")
        kind = declared.get("kind")
        if kind not in KINDS:
            near = ", ".join(closest(str(kind), list(KINDS), 3))
            raise self.fault("name", f"{name!r} has the kind {kind!r}; nearest: {near}", name)
        items, properties = declared.get("items"), declared.get("properties") or []
        values = declared.get("enumValues") or []
        if not isinstance(properties, list) or not isinstance(values, list):
            raise self.fault("name", f"{name!r} has properties or enumValues not in a list", name)
        parameter = Parameter(
            name=name,
            kind=kind,
            description=str(declared.get("description") or ""),
            required=declared.get("required") is True,
            default=declared.get("default"),
            enum_values=tuple(str(value) for value in values),
            items=self._parameter(items, "item") if items is not None else None,
            properties=tuple(self._parameter(each) for each in properties),
            context=declared.get("context") is True,
            minimum=declared.get("minimum"),
            maximum=declared.get("maximum"),
        )
        reason = _objection(parameter)
        if reason:
            raise self.fault("name", f"{name!r} {reason}", name)
        return parameter


def _objection(parameter: Parameter) -> str | None:
    """What is wrong with a parameter that was read, if anything."""
    if parameter.kind == "enum" and not parameter.enum_values:
        return "is an enum without enumValues"
    bounds: list[Any] = [b for b in (parameter.minimum, parameter.maximum) if b is not None]
    if bounds and parameter.kind not in NUMBERS:
        return f"is of kind {parameter.kind}, which has no minimum or maximum"
    if any(type(bound) not in (int, float) for bound in bounds):
        return "has a minimum or maximum that is no number"
    if parameter.kind == "array" and parameter.items is None:
        return "is an array that does not say what it holds (items)"
    try:
        if parameter.default is not None:
            read_as(parameter, parameter.default, "default")
    except Mismatch as mismatch:
        return f"has a wrong default: {mismatch}"
    return None


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError("must be a list of words")
    return tuple(value)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("must be a mapping")
    return value


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"is {value!r}; it must be one of {', '.join(allowed)}")
        return value

    return read


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise ValueError("must be a number above 0")
    return value


def _patterns(value: Any) -> tuple[Pattern, ...]:
    return tuple(Pattern(word) for word in _words(value))


def _needs(value: Any) -> tuple[str, ...]:
    read = _one_of("read", "web", "run")
    return tuple(read(word) for word in _words(value))


def _worker_tier(value: Any) -> Tier:
    return Tier(_one_of("T1", "T2")(value))


def _datamark(value: Any) -> str:
    if not isinstance(value, str) or not _DATAMARK.fullmatch(value):
        raise ValueError("must be one of ^ ~ * _ + = or a symbol of U+2500 to U+25FF")
    return value


#: The fields under `metadata`, which are those of Template, and how each is read.
_METADATA: dict[str, Callable[[Any], Any]] = {
    "version": str,
    "tags": _words,
    "patterns": _patterns,
    "tier": _worker_tier,
    "model_hint": _one_of("cheap", "standard", "expert"),
    "expected_minutes": _number,
    "mode": _one_of("spawn", "inline"),
    "instruction_word_budget": _number,
    "output_schema": _mapping,
    "worker_needs": _needs,
    "aggregate": _one_of("merge", "verdict", "domain_risk", "records", "stage"),
    "datamark": _datamark,
    "material": _words,
    "gates": _mapping,
    "example_args": _mapping,
    "example_result": lambda value: value,
}
