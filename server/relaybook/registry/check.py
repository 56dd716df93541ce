"""Checking a template against itself: its example renders, its example result fits its schema."""

from collections.abc import Iterator

from relaybook.core.schema.check import find_problems
from relaybook.errors import InvalidPlan, Refusal
from relaybook.registry.asked_schema import KINDS_NAMED, asked_schema, inputs_named
from relaybook.registry.frame import Frame
from relaybook.registry.prompt import render
from relaybook.registry.template import Problem, Template
from relaybook.registry.yaml_file import line_of


def plain(template: Template) -> Frame:
    """What every worker with the template gets, and nothing of one task."""
    return Frame(nonce="0", minutes=template.expected_minutes, tier=template.tier)


def check_template(template: Template) -> list[Problem]:
    """What is wrong with a template that could be read; empty if nothing is."""
    found = [*_example_args(template), *(list(_notes(template)) or _example_result(template))]
    lines = template.path.read_text(encoding="utf-8").splitlines() if found else []
    return [Problem(template.path, line_of(field, "", lines), reason) for field, reason in found]


def _example_args(template: Template) -> Iterator[tuple[str, str]]:
    """The field that is wrong, and why."""
    try:
        render(template, template.example_args, plain(template))
    except Refusal as refusal:
        yield "example_args", f"example_args do not render: {refusal.message}"


def _notes(template: Template) -> Iterator[tuple[str, str]]:
    """As `_example_args`: what the annotations of the output schema name that is no such input."""
    kinds = {each.name: each.kind for each in template.inputs}
    for note, name in sorted(inputs_named(template.output_schema or {})):
        if kinds.get(name) not in (wanted := KINDS_NAMED[note]):
            kind = " or ".join(wanted)
            yield (
                "output_schema",
                f"output_schema: {note} names {name!r}, which is no input of kind {kind}",
            )


def _example_result(template: Template) -> Iterator[tuple[str, str]]:
    """As `_example_args`."""
    try:
        schema = asked_schema(template, template.example_args)
        problems = [] if schema is None else find_problems(template.example_result, schema)
    except InvalidPlan as refusal:
        yield "output_schema", refusal.message
        return
    for each in problems:
        said = "example_result at {path!r}: {message}, not {expected}"
        yield "example_result", said.format(**each)
