"""Templates are found by name, read when asked for, checked, and read again when edited."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relaybook.errors import InvalidTemplate, UnknownTemplate
from relaybook.registry.check import check_template
from relaybook.registry.shipped import shipped
from relaybook.registry.template import Problem
from relaybook.registry.templates import Templates

BODY = """\
## Role
You are an editor.
## Task
Edit {{ topic }}.
## Constraints
- Keep the meaning.
## Output Format
The text.
"""


def file_text(
    name: str = "mine",
    body: str = BODY,
    inputs: str = "  - {name: topic, kind: string, required: true}",
    metadata: str = "  tier: T1",
) -> str:
    return f"""\
---
name: {name}
description: Edits a text.
inputs:
{inputs}
template: {{format: {{kind: jinja2, strict: true}}, parser: prompty}}
metadata:
{metadata}
---
{body}"""


def write(folder: Path, text: str, name: str = "mine") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.prompty"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.requirement("S143")
def test_every_shipped_template_is_listed_and_has_a_one_line_description() -> None:
    templates = Templates()

    shown = {name: templates.get(name).description for name in templates.names()}

    assert {"map_partition", "supervised_piece"} <= shown.keys()
    assert all(line and "\n" not in line for line in shown.values())


@pytest.mark.parametrize("name", Templates().names())
def test_a_shipped_template_is_sound(name: str) -> None:
    template = Templates().get(name)

    assert check_template(template) == []


def test_no_shipped_file_is_broken() -> None:
    assert Templates().problems() == []


@pytest.mark.requirement("S150")
def test_an_unknown_name_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(UnknownTemplate) as refused:
        Templates().get("map_partitoin")

    assert refused.value.allowed.startswith("map_partition")


@pytest.mark.parametrize(
    "name",
    ["../prompts/map_partition", "map_partition.prompty", "/etc/passwd", "", ".", "a/b", "x\x00",
     "MAP_PARTITION", "a" * 100_000, "map_partition\n"],
)  # fmt: skip
def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(UnknownTemplate) as refused:
        Templates().get(name)

    assert len(str(refused.value)) < 1_000


def test_a_users_template_shadows_the_shipped_one(tmp_path: Path) -> None:
    write(tmp_path, file_text("map_partition"), "map_partition")
    write(tmp_path, file_text())

    templates = Templates([tmp_path])

    assert templates.get("map_partition").path == tmp_path / "map_partition.prompty"
    assert [templates.get(n).shadows for n in ("map_partition", "mine", "supervised_piece")] == [
        True,
        False,
        False,
    ]


def test_an_edit_is_seen_at_the_next_call(tmp_path: Path) -> None:
    path = write(tmp_path, file_text())
    templates = Templates([tmp_path])
    before = templates.get("mine")

    path.write_text(file_text(metadata="  tier: T2"), encoding="utf-8")
    os.utime(path, ns=(1, 1))

    assert (before.tier, templates.get("mine").tier) == ("T1", "T2")


def test_a_file_that_did_not_change_is_parsed_once(tmp_path: Path) -> None:
    write(tmp_path, file_text())
    templates = Templates([tmp_path])

    assert templates.get("mine") is templates.get("mine")


def test_a_new_file_and_a_removed_file_are_seen(tmp_path: Path) -> None:
    templates = Templates([tmp_path])
    path = write(tmp_path, file_text())
    listed = "mine" in templates.names()

    path.unlink()

    assert listed
    assert "mine" not in templates.names()


def test_a_broken_file_is_reported_and_stops_no_other(tmp_path: Path) -> None:
    broken = write(tmp_path, file_text("broken", metadata="  tier: T3"), "broken")
    write(tmp_path, file_text())
    templates = Templates([tmp_path])

    assert templates.get("mine").name == "mine"
    assert templates.problems() == [
        Problem(broken, 8, "tier is 'T3'; it must be one of T1, T2"),
    ]
    with pytest.raises(InvalidTemplate, match=r"broken\.prompty line 8: tier is 'T3'"):
        templates.get("broken")


def test_a_folder_with_the_name_of_a_file_is_reported_and_stops_none(tmp_path: Path) -> None:
    (tmp_path / "odd.prompty").mkdir()
    write(tmp_path, file_text())
    templates = Templates([tmp_path])

    assert "odd" not in templates.names()
    assert templates.problems() == [Problem(tmp_path / "odd.prompty", 1, "it is no file")]


def test_a_broken_file_that_is_mended_is_a_template_again(tmp_path: Path) -> None:
    path = write(tmp_path, "no front matter")
    templates = Templates([tmp_path])
    problems = templates.problems()

    path.write_text(file_text(), encoding="utf-8")

    assert [problem.line for problem in problems] == [1]
    assert templates.problems() == []


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("# no front matter", 1, "does not start with a line '---'"),
        ("---\nname: mine\n", 1, "no second line '---'"),
        ("---\nname: [\n---\n", 3, "no YAML"),
        ("---\n- a\n---\n", 2, "no mapping"),
        (file_text(metadata="  tier: T1\n  tier: T2"), 9, "names 'tier' twice"),
        (
            file_text().replace("kind: jinja2", "kind: jinja2, kind: jinja2"),
            6,
            "names 'kind' twice",
        ),
        (file_text("other"), 2, "the file is named 'mine'"),
        (file_text().replace("Edits a text.", ""), 3, "description must be one line"),
        (file_text().replace("description:", "descripton:"), 3, "nearest: description"),
        (file_text(metadata="  teir: T1"), 8, "nearest: tier"),
        (file_text(metadata="  expected_minutes: soon"), 8, "a number above 0"),
        (file_text(metadata="  datamark: <>"), 8, "datamark must be one of"),
        (file_text(metadata="  worker_needs: [fly]"), 8, "one of read, web, run"),
        (file_text(metadata="  patterns: [swarm]"), 8, "'swarm' is not a valid Pattern"),
        (file_text(inputs="  - {name: topic, kind: strng}"), 5, "nearest: string"),
        (file_text(inputs="  - {name: topic, kind: array}"), 5, "does not say what it holds"),
        (file_text(inputs="  - {name: topic, kind: enum}"), 5, "without enumValues"),
        (file_text(inputs="  - {name: topic, kind: integer, default: x}"), 5, "wrong default"),
        (file_text(inputs="  - {name: other, kind: string}"), 13, "uses 'topic', which no input"),
        (file_text(body=BODY.replace("## Task", "## Tasks")), 10, "in this order"),
        (file_text(body=BODY.replace("The text", "\x020\x03")), 17, "control character '\\x02'"),
        (file_text().replace("kind: jinja2", "kind: mustache"), 6, "kind: jinja2"),
        (file_text(body="Hello\n" + BODY), 10, "text before '## Role'"),
        (file_text(body=BODY.replace("{{ topic }}", "{{ topic")), 14, "the body"),
    ],
)
def test_a_fault_in_a_file_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    write(tmp_path, text)

    [problem] = Templates([tmp_path]).problems()

    assert (problem.line, reason in problem.reason) == (line, True), problem


@pytest.mark.parametrize(
    "expression",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ topic['__class__'] }}{{ topic.upper() }}",
        "{{ topic | attr('__class__') }}",
        "{{ topic | tojson }}",
        "{{ topic | join(attribute='x') }}",
        "{{ self }}",
        "{{ range(9) }}",
        "{{ cycler }}",
        "{{ topic * 99 }}",
        "{{ topic is defined }}",
        "{{ topic ~ topic }}",
        "{{ [topic] }}",
        "{% set x = topic %}",
        "{% include 'other' %}",
        "{% import 'other' as x %}",
        "{% extends 'other' %}",
        "{% macro f() %}{% endmacro %}",
        "{% for x in topic recursive %}{% endfor %}",
        "{% for x in topic if x %}{% endfor %}",
        "{% raw %}{{ x }}{% endraw %}{% block b %}{% endblock %}",
        "{% do topic.clear() %}",
    ],
)
def test_what_is_outside_the_portable_language_is_refused_at_load(
    tmp_path: Path, expression: str
) -> None:
    write(tmp_path, file_text(body=BODY.replace("Keep the meaning.", expression)))

    [problem] = Templates([tmp_path]).problems()

    assert problem.line == 15


JUNK = ["5", "[1]", "{a: {b: 1}}", "[[x]]", "~", "''", "!!binary aGk=", "2026-01-01", "true", "*"]


@pytest.mark.parametrize("junk", [*JUNK, "[" * 90_000, "{a: " * 20_000, "&a [*a]"])
def test_no_front_matter_stops_the_other_files(tmp_path: Path, junk: str) -> None:
    fields = {
        "top": f"---\n{junk}\n---\n",
        "inputs": file_text("inputs", inputs=f"  {junk}"),
        "input": file_text("input", inputs=f"  - {junk}"),
        "kind": file_text("kind", inputs=f"  - {{name: topic, kind: {junk}}}"),
        "metadata": file_text("metadata", metadata=f"  {junk}"),
    }
    fields |= {
        key: file_text(key.lower(), inputs=f"  - {{name: topic, kind: array, {key}: {junk}}}")
        for key in ("name", "items", "properties", "enumValues", "default", "required")
    }
    fields |= {
        key: file_text(key, metadata=f"  {key}: {junk}")
        for key in ("version", "tags", "patterns", "tier", "expected_minutes", "gates")
    }
    for name, text in fields.items():
        write(tmp_path, text, name.lower())
    write(tmp_path, file_text())

    problems = Templates([tmp_path]).problems()

    assert Templates([tmp_path]).get("mine").name == "mine"
    assert "top" in {problem.path.stem for problem in problems}
    assert all(len(problem.reason) < 400 for problem in problems)


@pytest.mark.parametrize(
    "body",
    [
        "{% for x in topic %}" * 30 + "{% endfor %}" * 30,
        "{% if topic %}" * 3_000 + "{% endif %}" * 3_000,
        "{{ " + "(" * 9_000 + "topic" + ")" * 9_000 + " }}",
        "{{ " + "not " * 9_000 + "topic }}",
    ],
)
def test_a_body_that_is_nested_too_deeply_is_a_problem(tmp_path: Path, body: str) -> None:
    write(tmp_path, file_text(body=BODY.replace("{{ topic }}", body)))

    [problem] = Templates([tmp_path]).problems()

    assert problem.reason == "the body is nested too deeply"


def test_the_portable_language_is_accepted(tmp_path: Path) -> None:
    expression = (
        "{# why #}{% if topic == 'x' and not loop_free %}a{% elif topic %}b{% else %}c{% endif %}"
        "{% for x in topic %}{{ loop.index }}{{ x | upper | trim }}{% endfor %}"
        "{{ topic | default('y') | lower }}{{ topic | length }}{{ topic | join(', ') }}"
    )
    inputs = "  - {name: topic, kind: string}\n  - {name: loop_free, kind: boolean}"
    write(tmp_path, file_text(body=BODY.replace("{{ topic }}", expression), inputs=inputs))

    assert Templates([tmp_path]).problems() == []


def test_an_example_that_does_not_fit_is_a_problem(tmp_path: Path) -> None:
    metadata = "  output_schema: {type: object, required: [a]}\n  example_result: {b: 1}"
    path = write(tmp_path, file_text(metadata=metadata))

    problems = check_template(Templates([tmp_path]).get("mine"))

    assert [(problem.path, problem.line) for problem in problems] == [(path, 1), (path, 9)]
    assert "missing 'topic' (string)" in problems[0].reason
    assert problems[1].reason == (
        "example_result at '/': 'a' is a required property, not required [\"a\"]"
    )


def test_a_schema_that_is_none_is_a_problem(tmp_path: Path) -> None:
    metadata = "  output_schema: {type: objet}\n  example_args: {topic: x}"
    write(tmp_path, file_text(metadata=metadata))

    [problem] = check_template(Templates([tmp_path]).get("mine"))

    assert problem.line == 8
    assert problem.reason == ("The output schema cannot be used: at '/type', it is \"objet\"")


def test_a_pattern_that_backtracks_is_matched_in_linear_time_or_is_a_problem(
    tmp_path: Path,
) -> None:
    for name, pattern in (("slow", "^(a+)+$"), ("behind", "(?<=a)b")):
        schema = f"  output_schema: {{type: string, pattern: '{pattern}'}}\n"
        metadata = f"{schema}  example_result: {'a' * 60}b\n  example_args: {{topic: x}}"
        write(tmp_path, file_text(name=name, metadata=metadata), name)

    templates = Templates([tmp_path])
    slow, behind = (check_template(templates.get(name)) for name in ("slow", "behind"))

    assert [each.reason[:25] for each in slow] == ["example_result at '/': is"]
    assert "no regular expression that can be matched in linear time" in behind[0].reason


def test_listing_the_names_imports_neither_jinja2_nor_yaml() -> None:
    code = (
        "import sys, relaybook.registry.prompt\n"
        "from relaybook.registry.templates import Templates\n"
        "assert Templates().names()\n"
        "print({'jinja2', 'yaml', 'jsonschema'} & set(sys.modules))"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout == "set()\n"


def test_the_shipped_prompts_are_a_folder_of_templates() -> None:
    assert (shipped("prompts") / "map_partition.prompty").is_file()


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.prompty").write_bytes(b"\xef\xbb\xbf" + file_text().encode())

    templates = Templates([tmp_path])

    assert templates.problems() == []
    assert "mine" in templates.names()


def test_an_example_is_held_against_what_its_arguments_ask_of_it(tmp_path: Path) -> None:
    inputs = (
        "  - {name: topic, kind: string}\n  - {name: kinds, kind: array, items: {kind: string}}"
    )
    metadata = (
        "  output_schema: {properties: {kind: {x-one-of: kinds}}}\n"
        "  example_args: {topic: x, kinds: [good, bad]}\n  example_result: {kind: ugly}"
    )
    write(tmp_path, file_text(inputs=inputs, metadata=metadata))

    [problem] = check_template(Templates([tmp_path]).get("mine"))

    assert problem.reason == 'example_result at \'/kind\': is "ugly", not enum ["good", "bad"]'


def test_a_note_of_a_schema_that_names_no_such_input_is_a_problem(tmp_path: Path) -> None:
    metadata = (
        "  output_schema: {properties: {a: {x-schema: topic}, b: {x-one-of: nope.name}}}\n"
        "  example_args: {topic: x}\n  example_result: {}"
    )
    write(tmp_path, file_text(metadata=metadata))

    problems = check_template(Templates([tmp_path]).get("mine"))

    assert [problem.reason for problem in problems] == [
        "output_schema: x-one-of names 'nope', which is no input of kind array or records",
        "output_schema: x-schema names 'topic', which is no input of kind schema",
    ]


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ("kind: string, minimum: 1", "is of kind string, which has no minimum or maximum"),
        ("kind: integer, maximum: many", "has a minimum or maximum that is no number"),
        (
            "kind: integer, minimum: 1, default: 0",
            "has a wrong default: default must be 1 at least",
        ),
    ],
)
def test_bounds_that_cannot_be_kept_are_a_problem(
    tmp_path: Path, declared: str, reason: str
) -> None:
    write(tmp_path, file_text(inputs=f"  - {{name: topic, {declared}}}"))

    [problem] = Templates([tmp_path]).problems()

    assert reason in problem.reason


def test_material_that_is_no_input_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, file_text(metadata="  material: [topics]"))

    [problem] = Templates([tmp_path]).problems()

    assert problem.reason == "material names 'topics', which is no input; nearest: topic"
