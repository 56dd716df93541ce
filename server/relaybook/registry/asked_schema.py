"""What a task asks of its result: the schema of its template, filled from the task's arguments.

    "answer": {"x-schema": "answer_schema"}   meets the JSON Schema in that input
    "label":  {"x-one-of": "labels.name"}     is one of the names in that list
    "tasks":  {"x-where": {"stage": "plan"}}  is there if that input has the value, and required

The first two leave null to the rest of the schema, and ask for nothing if the input was not given.
The third is for members of the whole; the value may be a list of them.
"""

from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from typing import Any

from relaybook.core.fence import one_line
from relaybook.core.kept import by_identity
from relaybook.core.schema.notes import changed
from relaybook.registry.kinds import Mismatch, read_as
from relaybook.registry.template import Template

SCHEMA, ONE_OF, WHERE = "x-schema", "x-one-of", "x-where"
#: By annotation: the kinds of input that it may name.
KINDS_NAMED = {SCHEMA: ("schema",), ONE_OF: ("array", "records"), WHERE: ("enum",)}
#: How many variants of one schema are remembered.
_VARIANTS_KEPT = 32

Schema = Mapping[str, Any]


def shown_schema(template: Template, args: Mapping[str, Any]) -> Schema | None:
    """The JSON Schema that a prompt shows: without the members that are for other arguments."""
    schema = template.output_schema
    if schema is None or not (names := _choices(schema)):
        return schema
    chosen = {each.name: args.get(each.name) or each.default for each in template.inputs}
    values = tuple(str(chosen.get(name)) for name in names)
    known = _variants(schema)
    if values not in known:
        if len(known) >= _VARIANTS_KEPT:
            known.clear()
        known[values] = _variant(schema, dict(zip(names, values, strict=True)))
    return known[values]


def _variant(schema: Schema, chosen: Mapping[str, str]) -> Schema:
    properties: dict[str, Any] = schema["properties"]
    applying = {
        name: each
        for name, each in properties.items()
        if all(chosen[at] in _listed(wanted) for at, wanted in _where(each).items())
    }
    depending = [name for name, each in applying.items() if _where(each)]
    required = [*schema.get("required", ()), *depending]
    return {**schema, "required": required, "properties": applying}


@by_identity(most=128)
def _variants(_: Schema) -> dict[tuple[str, ...], Schema]:
    return {}


@by_identity(most=128)
def _choices(schema: Schema) -> tuple[str, ...]:
    """The inputs whose values decide which members a result has."""
    properties: Mapping[str, Any] = schema.get("properties") or {}
    return tuple(dict.fromkeys(name for each in properties.values() for name in _where(each)))


def _where(node: Any) -> Mapping[str, Any]:
    where = node.get(WHERE) if isinstance(node, Mapping) else None
    return where if isinstance(where, Mapping) else {}


def _listed(wanted: Any) -> list[Any]:
    return wanted if isinstance(wanted, list) else [wanted]


def is_filled(template: Template) -> bool:
    """Whether arguments may change what a result is held against."""
    return template.output_schema is not None and bool(inputs_named(template.output_schema))


def asked_schema(template: Template, args: Mapping[str, Any]) -> Schema | None:
    """The JSON Schema that the `data` of a result must meet; None if any will do."""
    schema = shown_schema(template, args)
    if schema is None or not (named := inputs_named(schema)):
        return schema
    given = dict(_given(template, {name for note, name in named if note != WHERE}, args))
    if not given:
        return schema
    filled = changed(schema, lambda node: _filled(node, given))
    taken = {_name(n): _below(n, value) for n, value in given.items() if isinstance(value, dict)}
    return {**filled, "$defs": {**filled.get("$defs", {}), **taken}} if taken else filled


def _given(
    template: Template, names: Container[str], args: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """The arguments of these names; without those that the template, since edited, cannot read."""
    for each in template.inputs:
        if each.name in names and args.get(each.name):
            with suppress(Mismatch):
                yield each.name, read_as(each, args[each.name], each.name)


@by_identity(most=128)
def inputs_named(schema: Schema) -> frozenset[tuple[str, str]]:
    """The annotations of `schema` that name inputs, each with the input's name."""
    found: set[tuple[str, str]] = set()

    def look(node: Schema) -> Schema:
        found.update((n, str(node[n]).partition(".")[0]) for n in (SCHEMA, ONE_OF) if n in node)
        found.update((WHERE, name) for name in _where(node))
        return node

    changed(schema, look)
    return frozenset(found)


def _filled(node: Schema, given: Mapping[str, Any]) -> Schema:
    asks: list[Schema] = []
    if node.get(SCHEMA) in given:
        asks.append({"$ref": f"#/$defs/{_name(node[SCHEMA])}"})
    name, _, field = str(node.get(ONE_OF, "")).partition(".")
    if name in given and (texts := list(dict.fromkeys(_texts(given[name], field)))):
        asks.append({"enum": texts})
    if not asks:
        return node
    unless_null = [{"if": {"type": "null"}, "else": each} for each in asks]
    return {**node, "allOf": [*node.get("allOf", ()), *unless_null]}


def _texts(values: list[Any], field: str) -> Iterator[str]:
    """The texts in a list, or those that its objects have as `field`, as the prompt shows them."""
    for value in values:
        text = value.get(field) if isinstance(value, dict) else value
        if isinstance(text, str):
            yield from (text, one_line(text)[0])


def _name(of_input: str) -> str:
    return f"x-{of_input}"


def _below(name: str, schema: Mapping[str, Any]) -> Schema:
    """The schema in the input of that name, without what may stand only at the top of one."""
    rest = {key: value for key, value in schema.items() if key not in ("$schema", "$id")}
    return _moved(rest, f"#/$defs/{_name(name)}")


def _moved(schema: Any, place: str) -> Any:
    """`schema` with its references to itself as they are where it stands below `place`."""
    if isinstance(schema, list):
        return [_moved(each, place) for each in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {name: _moved(value, place) for name, value in schema.items()}
    for keyword in ("$ref", "$dynamicRef"):
        target = schema.get(keyword)
        if isinstance(target, str) and (target == "#" or target.startswith("#/")):
            moved[keyword] = place + target[1:]
    return moved
