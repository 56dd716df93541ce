"""Every template that relaybook ships makes a short prompt that breaks no rule, whatever is put in."""

import json
import re
from pathlib import Path
from typing import Any

import jinja2
import jinja2.nodes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.plan.task_fields import ITEM_ID_LIMIT
from relaybook.core.prompt_rules import check, may_block
from relaybook.core.prompt_rules.prompt_text import (
    SECTIONS,
    PromptText,
    lines_of,
    outside_fences,
    read,
)
from relaybook.core.schema.check import find_problems
from relaybook.core.severity import Severity
from relaybook.engine.prompts.lint import facts
from relaybook.registry.check import plain
from relaybook.registry.frame import OUTPUT_INTERFACE, SCHEMA_RULE, limits
from relaybook.registry.inlay import Inlay
from relaybook.registry.parameter import Parameter
from relaybook.registry.prompt import Prompt, render
from relaybook.registry.shipped import shipped
from relaybook.registry.template import Template
from relaybook.registry.templates import Templates

TEMPLATES = Templates()
#: How many words of a prompt no argument chooses, at most.
BOILERPLATE = 180
INJECTIONS: list[str] = json.loads(
    (Path(__file__).parents[1] / "prompts" / "injections.json").read_text(encoding="utf-8")
)
#: The kinds of inputs whose texts are somebody else's.
DATA_KINDS = {"string", "text", "source", "sources", "records", "prior_result", "array", "object"}

#: Of these, those that stand in a fence however short they are.
FENCED_KINDS = {"text", "source", "sources", "records", "prior_result"}

every_template = pytest.mark.parametrize("name", TEMPLATES.names())


@every_template
@pytest.mark.requirement("S4", "S53", "S55", "S56", "S57", "S58", "S114", "S148")
def test_the_prompt_of_a_template_breaks_no_rule(name: str) -> None:
    template = TEMPLATES.get(name)

    prompt = render(template, template.example_args, plain(template))

    findings = check(facts(prompt, template))
    assert [each for each in findings if each.severity is not Severity.INFO] == []
    assert not may_block(prompt.sections, prompt.fixed)
    assert prompt.flags == ()
    assert '"x-' not in prompt.text  # what the server keeps in a schema for itself


@pytest.mark.requirement("S109")
def test_the_form_of_a_plan_asks_what_each_subtask_waits_for_needs_and_is_done_by() -> None:
    schema = TEMPLATES.get("decompose").output_schema
    assert schema is not None

    asked = schema["properties"]["subtasks"]["items"]["required"]

    assert {"depends_on", "inputs", "done"} <= set(asked)


@every_template
@pytest.mark.requirement("S173")
def test_every_prompt_states_the_tier_that_its_worker_is_capped_at(name: str) -> None:
    template = TEMPLATES.get(name)

    constraints = dict(render(template, template.example_args, plain(template)).sections)

    assert template.tier in {"T1", "T2"}
    assert f"- Capped at tier {template.tier} (" in constraints["Constraints"]


def boilerplate_words(template: Template) -> int:
    """The words of a prompt that no argument chose: the body's fixed ones and the server's.

    Both sides of each `if` count, and headings; marks of Markdown do not, nor does the JSON
    Schema, which is the task's.
    """
    body = jinja2.Environment().parse(template.body.source)
    fixed = [data.data for data in body.find_all(jinja2.nodes.TemplateData)]
    added = [
        "Output Interface",
        OUTPUT_INTERFACE,
        SCHEMA_RULE,
        *limits(plain(template), Inlay("0")),
    ]
    pieces = " ".join([*fixed, *added]).split()
    return sum(any(map(str.isalnum, piece)) for piece in pieces)


@every_template
@pytest.mark.requirement("A24")
def test_what_no_argument_chooses_leaves_room_for_the_task(name: str) -> None:
    assert boilerplate_words(TEMPLATES.get(name)) <= BOILERPLATE


@pytest.mark.parametrize(
    ("name", "field"),
    [("map_partition", "items"), ("classify", "labels"), ("fact_check", "verdicts")],
)
def test_the_longest_id_of_an_item_fits_the_schema_of_its_result(name: str, field: str) -> None:
    template = TEMPLATES.get(name)
    result = json.loads(json.dumps(template.example_result))

    result[field][0]["id"] = "é" * ITEM_ID_LIMIT

    assert find_problems(result, template.output_schema or {}) == []


@every_template
@pytest.mark.requirement("S148")
def test_a_template_is_a_file_that_prompty_reads(name: str) -> None:
    import prompty  # pyright: ignore[reportMissingTypeStubs]

    agent = prompty.load(str(shipped("prompts") / f"{name}.prompty"))

    template = TEMPLATES.get(name)
    assert agent.name == name
    assert [each.name for each in agent.inputs or []] == [each.name for each in template.inputs]
    assert (agent.instructions or "").strip() == template.body.source.strip()


@pytest.mark.requirement("S176")
@pytest.mark.parametrize(
    ("source", "said"),
    [("memory", "Entries: none."), ("email", "Entries: search, three times at most.")],
)
def test_a_worker_is_given_what_was_recalled_and_never_sent_to_the_memory(
    source: str, said: str
) -> None:
    template = TEMPLATES.get("customer_lookup")
    args = {"source": source, "customer": "Arden", "issue": "Exports stop.", "records": []}

    prompt = render(template, args, plain(template))

    assert said in dict(prompt.sections)["Task"]
    assert ("search" in prompt.text) == (source != "memory")


def filled(parameter: Parameter, text: str) -> Any:
    """A value of the parameter's kind that holds `text` wherever it can."""
    match parameter.kind:
        case "source":
            return {"path": f"p {text}", "content": text}
        case "sources":
            return [{"path": f"p {text}", "content": text}]
        case "records":
            return [{text: text}, text]
        case "prior_result":
            return {"task": f"t {text}", "fields": {text: text}}
        case "object" if parameter.properties:
            return {each.name: filled(each, text) for each in parameter.properties}
        case "object":
            return {text: text}
        case "array":
            return [filled(parameter.items, text) if parameter.items else text]
        case "integer" | "float" | "minutes":
            return 1
        case _:
            return f"x {text}"


def prompt_with(template: Template, text: str) -> Prompt:
    """The prompt with `text` in every input that takes text; the others as in the example."""
    args = {each.name: filled(each, text) for each in template.inputs if each.kind in DATA_KINDS}
    return render(template, {**template.example_args, **args}, plain(template))


def titles(text: PromptText) -> list[str]:
    return [section.title for section in text.sections[1:]]


def skeleton(text: PromptText) -> list[str]:
    """Headings, and which sections the fences stand in."""
    headings = [line for line in lines_outside(text) if line.startswith("#")]
    return [*titles(text), *headings, *sorted({fence.section for fence in text.fences})]


def lines_outside(text: PromptText) -> list[str]:
    return [line.text for section in text.sections for line in lines_of(section)]


def assert_holds(template: Template, text: str) -> None:
    calm, hostile = prompt_with(template, "calm\nwords"), prompt_with(template, f"{text}\nwords")
    read_calm, read_hostile = read(calm.text), read(hostile.text)
    lines = lines_outside(read_hostile)

    assert skeleton(read_hostile) == skeleton(read_calm)
    assert titles(read_hostile) == [*SECTIONS]
    assert lines.count("<result>") == lines.count("</result>") == 1
    assert not any(re.search(r"</?(?:result|data-)", fence.body) for fence in read_hostile.fences)
    assert not any(
        line.startswith(("---", "user:", "```")) and not is_schema(line) for line in lines
    )


def is_schema(line: str) -> bool:
    return line in ("```json", "```")


@every_template
@pytest.mark.requirement("S114", "S144")
def test_no_known_injection_changes_the_structure_of_a_prompt(name: str) -> None:
    for text in INJECTIONS:
        assert_holds(TEMPLATES.get(name), text)


@every_template
def test_the_text_of_a_data_input_stands_in_fences_alone(name: str) -> None:
    template = TEMPLATES.get(name)
    data = [each for each in template.inputs if each.kind in FENCED_KINDS]

    for parameter in data:
        args = {**template.example_args, parameter.name: filled(parameter, "somebody's words")}
        prompt = render(template, args, plain(template))

        assert "somebody's words" in prompt.text
        assert "somebody's words" not in outside_fences(prompt.text)


SEVERAL = ("code_review", "supervised_piece", "map_partition", "consensus_check", "pipeline_stage")
hostile_texts = st.lists(
    st.one_of(st.sampled_from(INJECTIONS), st.text(max_size=12)), max_size=4
).map("\n".join)


@given(st.sampled_from(SEVERAL), hostile_texts)
def test_no_text_changes_the_structure_of_a_prompt(name: str, text: str) -> None:
    assert_holds(TEMPLATES.get(name), text)


@given(st.sampled_from(SEVERAL), hostile_texts)
def test_what_the_fast_check_lets_through_has_no_error(name: str, text: str) -> None:
    template = TEMPLATES.get(name)
    prompt = prompt_with(template, text)

    errors = [e for e in check(facts(prompt, template)) if e.severity is Severity.ERROR]

    assert may_block(prompt.sections, prompt.fixed) or errors == []
