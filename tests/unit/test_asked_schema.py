"""The arguments of a task decide what its result is asked for: members, values, whole schemas."""

from collections.abc import Mapping
from typing import Any

import pytest

from relaybook.core.schema.check import find_problems
from relaybook.registry.asked_schema import asked_schema, shown_schema
from relaybook.registry.template import Template
from relaybook.registry.templates import Templates

TEMPLATES = Templates()


def members(template: Template, args: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The members that a prompt shows, and those that it requires."""
    schema = shown_schema(template, args)
    assert schema is not None
    return list(schema["properties"]), schema["required"]


@pytest.mark.parametrize(
    ("name", "args", "shown", "required"),
    [
        ("launch_stage", {"stage": "tracker"}, ["stage", "tasks"], ["stage", "tasks"]),
        (
            "launch_stage",
            {"stage": "spec"},
            ["stage", "features", "audience", "success_metrics"],
            ["stage", "features", "audience", "success_metrics"],
        ),
        ("skill_candidate", {"step": "scout"}, ["step", "candidates"], ["step", "candidates"]),
        (
            "skill_candidate",
            {"step": "create"},
            ["step", "candidates", "files"],
            ["step", "candidates", "files"],
        ),
    ],
)
def test_a_prompt_shows_the_members_that_its_arguments_ask_for(
    name: str, args: dict[str, Any], shown: list[str], required: list[str]
) -> None:
    assert members(TEMPLATES.get(name), args) == (shown, required)


def test_a_schema_shown_twice_is_made_once() -> None:
    template = TEMPLATES.get("launch_stage")

    first, second = (shown_schema(template, {"stage": "kb"}) for _ in range(2))

    assert first is second


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({"a": 1, "next": {"a": 2}}, True),
        ({"a": 1, "next": {"a": "two"}}, False),
        ({"a": "one"}, False),
    ],
)
def test_a_schema_in_an_argument_refers_to_itself(fields: Any, fits: bool) -> None:
    node = {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}, "next": {"$ref": "#"}}}
    own = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {"a": {"type": "integer"}},
    }
    schema = asked_schema(TEMPLATES.get("data_extraction"), {"fields": node | own})
    data = {"records": [{"id": "r1", "source": "a", "fields": fields}], "skipped": []}

    assert schema is not None
    assert (find_problems(data, schema) == []) == fits


def test_a_label_is_taken_as_it_was_given_and_as_the_prompt_shows_it() -> None:
    labels = [{"name": "two\nlines", "definition": "-"}]
    schema = asked_schema(TEMPLATES.get("classify"), {"labels": labels})

    assert schema is not None
    for label in ("two\nlines", "two lines", None):
        entry = {"id": "a", "label": label, "confidence": "low", "why": "-"}
        assert find_problems({"labels": [entry]}, schema) == []
