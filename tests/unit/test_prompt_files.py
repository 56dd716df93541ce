"""The prompt templates that relaybook ships, as data."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, StrictUndefined, meta, nodes
from jsonschema import Draft202012Validator

PROMPTS = Path(__file__).parents[2] / "prompts"

CORE = {
    "research", "fact_check", "data_extraction", "classify", "reduce_brief", "summarise",
    "compare_options", "outline", "draft", "edit_review", "pipeline_stage", "decompose",
    "map_partition", "supervised_piece",
}  # fmt: skip
SOFTWARE = {
    "code_review", "documentation", "test_writing", "refactor", "implement", "security_audit",
    "debug_root_cause",
}  # fmt: skip
PANEL_AND_BUSINESS = {
    "consensus_check", "rank_options", "deal_review_domain", "launch_stage", "incident_piece",
    "qbr_section", "customer_lookup", "customer_synthesis", "response_draft", "skill_candidate",
}  # fmt: skip
HOOKS_AND_RECOVERY = {
    "retry_with_error", "hook_sanity_check", "hook_reflect", "hook_skill_lifecycle",
    "verify_claims",
}  # fmt: skip
#: Templates whose result is defined by the task that they wrap.
TASK_DEFINED = {"retry_with_error"}

#: The words of a body that no argument chooses, at most; the server adds about as many.
MOST_FIXED_WORDS = 90
SECTIONS = ["Role", "Task", "Constraints", "Output Format"]
KINDS = {
    "string", "text", "integer", "float", "boolean", "enum", "array", "object", "source",
    "sources", "records", "prior_result", "schema", "minutes",
}  # fmt: skip
#: Kinds of which none may be given, without a default that says so.
MAY_BE_NONE = {"prior_result", "schema"}
AGGREGATES = {"merge", "verdict", "domain_risk", "records", "stage"}
PATTERNS = {"fan_out", "pipeline", "supervisor", "expert_panel", "map_reduce"}
METADATA = {
    "version", "tags", "patterns", "tier", "model_hint", "expected_minutes",
    "instruction_word_budget", "worker_needs", "aggregate", "gates", "example_args",
}  # fmt: skip
FILTERS = {"upper", "lower", "trim", "join", "length", "default"}
#: The portable part of Jinja: what every Prompty runtime renders alike.
NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.If, nodes.For,
    nodes.Filter, nodes.Const, nodes.Getattr, nodes.Not, nodes.And, nodes.Or, nodes.Compare,
    nodes.Operand,
)  # fmt: skip

BANNED = {
    "vague": r"look into|improve|handle|as appropriate|as needed|if necessary|etc|properly|and so on",
    "talk of orchestration": r"orchestrat\w*|workers?|in parallel|sub-?agents?|spawn\w*|delegat\w*",
    "chat": r"user:|assistant:|system:|as we discussed|earlier you said|please|as mentioned",
    "flattery": r"world-class|expert in|years of|seasoned|best-in-class|you are an? \w+ expert",
    "a deed of the parent": r"send|publish|push|delete|deploy|pay|sudo|merge it",
    "left open": r"todo|tbd|lorem|fixme",
}


def split(path: Path) -> tuple[dict[str, Any], str]:
    """The front matter and the body of a template file."""
    opening, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    assert opening == ""
    return yaml.safe_load(front), body


TEMPLATES = {path.stem: split(path) for path in sorted(PROMPTS.glob("*.prompty"))}
FRONTS = {name: front for name, (front, _) in TEMPLATES.items()}
every_template = pytest.mark.parametrize("name", TEMPLATES)
with_schema = pytest.mark.parametrize("name", [n for n in TEMPLATES if n not in TASK_DEFINED])


def render(name: str, args: dict[str, Any]) -> str:
    """The body with `args` over the declared defaults, undefined names being errors."""
    front, body = TEMPLATES[name]
    defaults = {i["name"]: i.get("default") for i in front["inputs"] if not i["required"]}
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(body).render(defaults | args)


def sections(text: str) -> list[tuple[str, str]]:
    """The H2 sections of a prompt, as heading and text."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def fixed_texts(body: str) -> list[str]:
    """What the body says whatever its inputs are, both sides of each `if` included."""
    return [data.data for data in Environment().parse(body).find_all(nodes.TemplateData)]


def schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema and every schema of a value inside it."""
    yield schema
    for child in [*schema.get("properties", {}).values(), schema.get("items")]:
        if child is not None:
            yield from schemas(child)


def is_bounded(schema: dict[str, Any]) -> bool:
    """Whether a value that fits the schema has a largest size, or its shape is the task's."""
    if "enum" in schema or "const" in schema or schema.keys() <= {"x-schema"}:
        return True
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    needed = {"string": "maxLength", "array": "maxItems", "integer": "maximum", "number": "maximum"}
    if "object" in kinds:
        closed = schema.get("additionalProperties") is False and "required" in schema
        return closed or "maxProperties" in schema
    return all(needed[kind] in schema for kind in kinds if kind in needed)


@pytest.mark.requirement("S145", "S146", "S147")
def test_every_template_of_the_starting_set_is_there() -> None:
    wanted = CORE | SOFTWARE | PANEL_AND_BUSINESS | HOOKS_AND_RECOVERY

    assert set(TEMPLATES) == wanted
    assert len(wanted) == 36


@pytest.mark.requirement("S145", "S146")
def test_a_code_review_takes_files_and_a_consensus_check_a_role() -> None:
    inputs = {
        name: {each["name"]: (each["kind"], each["required"]) for each in FRONTS[name]["inputs"]}
        for name in ("code_review", "consensus_check")
    }

    assert inputs["code_review"]["sources"] == ("sources", True)
    assert inputs["consensus_check"]["expert_role"] == ("string", True)


@every_template
def test_the_front_matter_has_every_field(name: str) -> None:
    front, _ = TEMPLATES[name]

    assert front["name"] == name
    assert set(front) == {
        "name", "displayName", "description", "inputs", "outputs", "template", "metadata",
    }  # fmt: skip
    assert front["template"] == {"format": {"kind": "jinja2", "strict": True}, "parser": "prompty"}
    result = set[str]() if name in TASK_DEFINED else {"output_schema", "example_result"}
    assert set(front["metadata"]) - {"mode", "material"} == METADATA | result


@every_template
@pytest.mark.requirement("S143")
def test_the_description_is_one_short_line(name: str) -> None:
    description: str = FRONTS[name]["description"]

    assert "\n" not in description
    assert 20 <= len(description) <= 100
    assert description.endswith(".")


@every_template
@pytest.mark.requirement("S156")
def test_the_metadata_uses_the_known_words(name: str) -> None:
    metadata = FRONTS[name]["metadata"]

    assert metadata["tier"] in {"T1", "T2"}
    assert metadata["model_hint"] in {"cheap", "standard", "expert"}
    assert metadata["aggregate"] in AGGREGATES
    assert 0 < metadata["expected_minutes"] <= 15
    assert set(metadata["worker_needs"]) <= {"read", "web", "run"}
    assert set(metadata["patterns"]) <= PATTERNS


@pytest.mark.requirement("S156")
@pytest.mark.parametrize(
    ("hint", "names"),
    [
        ("cheap", {"data_extraction", "classify", "map_partition", "summarise", "customer_lookup"}),
        ("expert", {"code_review", "security_audit", "consensus_check", "compare_options"}),
        ("expert", {"rank_options", "deal_review_domain", "debug_root_cause"}),
    ],
)
def test_mechanical_work_is_for_a_cheap_model_and_judgement_for_an_expert(
    hint: str, names: set[str]
) -> None:
    assert {FRONTS[name]["metadata"]["model_hint"] for name in names} == {hint}


@every_template
def test_every_input_is_typed_and_described(name: str) -> None:
    for declared in FRONTS[name]["inputs"]:
        assert declared["kind"] in KINDS
        assert declared["description"].endswith(".")
        has_default = "default" in declared
        may_be_none = not declared["required"] and declared["kind"] in MAY_BE_NONE
        assert declared["required"] + has_default == 1 or may_be_none
        assert ("items" in declared) == (declared["kind"] == "array")
        assert ("enumValues" in declared) == (declared["kind"] == "enum")
        if declared["kind"] == "enum" and "default" in declared:
            assert declared["default"] in declared["enumValues"]


@every_template
def test_the_example_arguments_are_those_declared(name: str) -> None:
    inputs = FRONTS[name]["inputs"]
    example = set(FRONTS[name]["metadata"]["example_args"])

    assert {i["name"] for i in inputs if i["required"]} <= example
    assert example <= {i["name"] for i in inputs}


@with_schema
def test_the_example_result_validates(name: str) -> None:
    metadata = FRONTS[name]["metadata"]

    Draft202012Validator.check_schema(metadata["output_schema"])
    Draft202012Validator(metadata["output_schema"]).validate(metadata["example_result"])


@with_schema
def test_the_output_schema_is_closed_and_bounded(name: str) -> None:
    loose = [s for s in schemas(FRONTS[name]["metadata"]["output_schema"]) if not is_bounded(s)]

    assert loose == []


@with_schema
def test_the_outputs_are_the_properties_of_the_schema(name: str) -> None:
    properties = FRONTS[name]["metadata"]["output_schema"]["properties"]

    assert [o["name"] for o in FRONTS[name]["outputs"]] == list(properties)


@every_template
def test_the_body_uses_the_portable_part_of_jinja(name: str) -> None:
    tree = Environment().parse(TEMPLATES[name][1])

    assert [n for n in tree.find_all(nodes.Node) if not isinstance(n, NODES)] == []
    assert {f.name for f in tree.find_all(nodes.Filter)} <= FILTERS


@every_template
def test_the_body_uses_exactly_the_declared_inputs(name: str) -> None:
    front, body = TEMPLATES[name]

    used = meta.find_undeclared_variables(Environment().parse(body))

    assert used == {i["name"] for i in front["inputs"]}


@every_template
@pytest.mark.requirement("S148")
def test_the_body_renders_its_sections_in_order(name: str) -> None:
    for args in (FRONTS[name]["metadata"]["example_args"], required_args(name)):
        found = sections(render(name, args))

        assert [heading for heading, _ in found] == SECTIONS
        assert all(text.strip() for _, text in found)
        assert "### Input Data" in dict(found)["Task"]


def required_args(name: str) -> dict[str, Any]:
    """The example arguments without the optional ones."""
    required = {i["name"] for i in FRONTS[name]["inputs"] if i["required"]}
    example = FRONTS[name]["metadata"]["example_args"]
    return {key: value for key, value in example.items() if key in required}


@every_template
@pytest.mark.requirement("S53", "S58")
def test_role_and_task_are_one_sentence_each(name: str) -> None:
    found = dict(sections(render(name, FRONTS[name]["metadata"]["example_args"])))
    task = found["Task"].partition("###")[0]

    for text in (found["Role"].strip(), task.strip()):
        assert "\n" not in text
        assert re.findall(r"[.!?](?:\s|$)", text) == ["."]


@every_template
@pytest.mark.requirement("S55")
def test_the_constraints_bound_the_scope_forbid_and_say_when_to_stop(name: str) -> None:
    text = dict(sections(TEMPLATES[name][1]))["Constraints"]

    assert "Scope:" in text
    assert "Do not " in text
    assert "Done when" in text


@every_template
def test_the_fixed_words_leave_room_for_the_task(name: str) -> None:
    pieces = [piece for text in fixed_texts(TEMPLATES[name][1]) for piece in text.split()]
    words = sum(any(map(str.isalnum, piece)) for piece in pieces)

    assert words <= MOST_FIXED_WORDS
    assert 2 * MOST_FIXED_WORDS < FRONTS[name]["metadata"]["instruction_word_budget"] <= 500


@every_template
@pytest.mark.parametrize("reason", BANNED)
@pytest.mark.requirement("S6")
def test_no_banned_words_stand_in_the_body(name: str, reason: str) -> None:
    banned = re.compile(rf"(?<![\w-])(?:{BANNED[reason]})(?![\w-])", re.IGNORECASE)

    assert banned.findall(" ".join(fixed_texts(TEMPLATES[name][1]))) == []


@pytest.mark.requirement("A32")
def test_a_panel_votes_on_five_points() -> None:
    properties = FRONTS["consensus_check"]["metadata"]["output_schema"]["properties"]

    assert properties["verdict"] == {
        "enum": ["strong_approve", "approve", "neutral", "reject", "strong_reject"]
    }
    assert properties["criteria"]["items"]["properties"]["score"] == {
        "type": "integer", "minimum": 1, "maximum": 5,
    }  # fmt: skip
    scale = "5 strong_approve, 4 approve, 3 neutral, 2 reject, 1 strong_reject"
    assert scale in TEMPLATES["consensus_check"][1]
