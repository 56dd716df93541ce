"""What each command does, through the command line alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from relaybook.core.policy import KEPT_DAYS
from relaybook.engine import Engine
from relaybook.registry.shipped import shipped
from relaybook.store.sqlite import SqliteStore
from tests.helpers import PROMPTS, Clock, complete, engine_on, start, workflow

from .conftest import FOLDER, Cli

SUBTASKS = (
    '[{"id":"t1","label":"Review auth"},{"id":"t2","label":"Review API"},'
    '{"id":"t3","label":"Review data"}]'
)
#: A composition whose template is nowhere.
LOST = """\
name: lost
trigger: Do it.
description: Two steps.
pattern: pipeline
tasks:
  - id: a
    label: First step
    template: nowhere
"""
RESULT = """Done.
<result>
{"status": "ok", "data": {"outcome": "It holds.", "evidence": [], "blockers": [],
 "suggested_next": null}, "summary": "Auth holds."}
</result>"""


@pytest.mark.requirement("S127")
def test_the_playbooks_create_line_registers_three_tasks(cli: Cli) -> None:
    made = cli("create", "--type", "fan_out", "--subtasks", SUBTASKS, "--json").json

    tasks = cli("status", "--id", made["workflow_id"], "--json").json["tasks"]
    assert [(each["id"], each["label"]) for each in tasks] == [
        ("t1", "Review auth"),
        ("t2", "Review API"),
        ("t3", "Review data"),
    ]


@pytest.mark.requirement("S128", "S129", "S130")
def test_a_task_goes_from_its_start_into_the_digest(cli: Cli) -> None:
    id = cli("create", "--type", "fan_out", "--subtasks", SUBTASKS, "--json").json["workflow_id"]

    named = ("--id", id, "--task-id", "t1")
    cli("update", *named, "--status", "in_progress", "--session-key", "s1")
    started = cli("status", "--id", id, "--json").json["tasks"][0]
    cli("update", *named, "--status", "completed", "--result", "-", stdin=RESULT)

    [first, *others] = cli("status", "--id", id, "--json").json["tasks"]
    digest = cli("aggregate", "--id", id, "--json").json
    assert (started["status"], started["session_key"]) == ("in_progress", "s1")
    assert first["status"] == "completed"
    assert {each["status"] for each in others} == {"pending"}
    assert digest["summary"].startswith("1 of 3 tasks completed.")


@pytest.mark.requirement("S131")
def test_list_shows_all_or_only_those_not_ended(cli: Cli) -> None:
    ended, open = (
        cli("create", "--type", "fan_out", "--subtasks", SUBTASKS, "--json").json["workflow_id"]
        for _ in range(2)
    )
    cli("resolve", "--id", ended, "--decision", "cancel", "--reason", "no use")

    everything = cli("list", "--json").json["workflows"]
    active = cli("list", "--active", "--json").json["workflows"]

    assert {each["workflow_id"] for each in everything} == {ended, open}
    assert [each["workflow_id"] for each in active] == [open]


@pytest.mark.requirement("S132")
def test_cleanup_removes_what_ended_more_than_seven_days_ago(cli: Cli, ledger: Path) -> None:
    import time

    store, days = SqliteStore(ledger, "normal"), 86_400
    clock = Clock(time.time() - 8 * days)
    engine = engine_on(store, clock)
    old, open = workflow(engine, "a"), workflow(engine, "a")
    complete_all(engine, old)
    clock.move(2 * days)
    recent = workflow(engine, "a")
    complete_all(engine, recent)
    store.close()

    told = cli("cleanup", "--dry-run", "--json").json
    done = cli("cleanup", "--json").json

    left = {each["workflow_id"] for each in cli("list", "--json").json["workflows"]}
    assert (told["removed"], told["workflows"]) == (0, [old])
    assert done["removed"] == 1
    assert left == {open, recent}
    assert KEPT_DAYS == 7


def complete_all(engine: Engine, id: str) -> None:
    start(engine, id, "a")
    complete(engine, id, "a")


@pytest.mark.requirement("S140")
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('[{"id": "t1",]', "--subtasks is not a list in JSON: "),
        ('{"id": "t1"}', "it is of the kind 'dict'"),
        ("[" * 100_000, "too deep"),
    ],
)
def test_bad_json_in_subtasks_is_refused_with_its_fault(
    said: str, told: str, cli: Cli, ledger: Path
) -> None:
    ran = cli("create", "--type", "fan_out", "--subtasks", said, "--json")

    refusal = json.loads(ran.err)
    assert (ran.code, ran.out, refusal["code"]) == (2, "", "invalid_arguments")
    assert told in refusal["message"]
    assert refusal["allowed"] == "JSON itself, @file, or - for standard input"


def test_a_stage_is_started_and_completed_by_advance(cli: Cli) -> None:
    stages = '[{"capability": "planning", "goal": "Plan it"}]'
    id = cli("create", "--stages", stages, "--hooks", "advisory", "--json").json["workflow_id"]

    started = cli("advance", "--id", id, "--session-key", "s", "--json").json
    failed = cli(
        *("advance", "--id", id, "--stage", "0", "--outcome", "failed"),
        *("--reason", "no plan fits", "--json"),
    ).json

    assert started["current"]["stage"] == 0
    assert failed["status"] == "failed"


@pytest.mark.requirement("S143")
def test_templates_list_has_a_line_with_a_description_for_each(cli: Cli) -> None:
    templates = cli("templates", "list", "--json").json["templates"]

    lines = cli("templates", "list").out.splitlines()[3:]
    assert [line.split("\t")[:2] for line in lines] == [
        [each["name"], each["description"]] for each in templates
    ]
    assert len(lines) > 20
    assert all(each["description"] for each in templates)


@pytest.mark.requirement("S113", "S144", "A6")
def test_preview_puts_the_content_of_files_into_the_prompt(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "auth.py").write_text("def allowed():\n    return True\n", encoding="utf-8")

    ran = cli("templates", "preview", "code_review", "--files", "src/auth.py")

    assert ran.code == 0
    assert ran.out.startswith("## Role\n")
    assert 'source="src/auth.py"' in ran.out
    assert "def allowed():\n    return True\n" in ran.out


def test_preview_takes_several_files_and_single_arguments(cli: Cli, tmp_path: Path) -> None:
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(f"# {name} it is\n", encoding="utf-8")

    prompt = cli(
        *("templates", "preview", "code_review", "--files", "one.py", "--files", "two.py"),
        *("--arg", "max_findings=3"),
    ).out

    assert "# one.py it is" in prompt
    assert "# two.py it is" in prompt
    assert "at most 3 findings" in prompt


def test_preview_fills_in_the_example_only_when_asked(cli: Cli) -> None:
    asked = cli("templates", "preview", "summarise", "--example", "--arg", "max_words=7")
    plain = cli("templates", "preview", "summarise")

    assert "At 10:02 the database was full" in asked.out
    assert "in at most 7 words" in asked.out
    assert (plain.code, "missing 'source'" in plain.err) == (2, True)


def test_a_template_that_stands_in_for_another_is_marked_in_the_list(
    cli: Cli, tmp_path: Path
) -> None:
    for name in ("summarise", "digest"):
        text = (shipped("prompts") / "summarise.prompty").read_text(encoding="utf-8")
        own = text.replace("name: summarise", f"name: {name}")
        (tmp_path / f"{name}.prompty").write_text(own, encoding="utf-8")

    lines = cli("templates", "list", "--prompts", str(tmp_path)).out.splitlines()[3:]

    told = {name: description for name, description, *_ in (line.split("\t") for line in lines)}
    assert told["summarise"] == f"{told['digest']} (in place of another of this name)"


def test_files_for_a_template_that_takes_none_are_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")

    ran = cli("templates", "preview", "rank_options", "--files", "a.txt")

    assert ran.code == 2
    assert "has no input for 1 file(s)" in ran.err


def test_the_shipped_templates_and_contracts_are_in_order(cli: Cli) -> None:
    templates, contracts = (cli(each, "check", "--json") for each in ("templates", "contracts"))

    assert (templates.code, templates.json["problems"]) == (0, [])
    assert (contracts.code, contracts.json["errors"]) == (0, 0)


@pytest.mark.parametrize(("group", "option"), [("templates", "prompts"), ("contracts",) * 2])
def test_check_ends_with_1_where_something_is_wrong(
    group: str, option: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "broken.prompty").write_text("no front matter", encoding="utf-8")
    (tmp_path / "broken.json").write_text("{}", encoding="utf-8")

    ran = cli(group, "check", f"--{option}", str(tmp_path))

    assert ran.code == 1
    assert "broken" in ran.out


def test_check_reads_compositions_and_roles_too(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "compositions").mkdir()
    (tmp_path / "compositions" / "odd.yaml").write_text("name: odd\nstrange: 1\n", encoding="utf-8")
    (tmp_path / "roles.yaml").write_text("roles: 3\n", encoding="utf-8")

    ran = cli("templates", "check", "--prompts", str(tmp_path), "--json")

    problems = [(Path(each["path"]).name, each["line"]) for each in ran.json["problems"]]
    assert (ran.code, problems) == (1, [("odd.yaml", 2), ("roles.yaml", 1)])


def test_a_composition_that_names_no_template_is_found_by_check_and_doctor(
    cli: Cli, tmp_path: Path
) -> None:
    folder = tmp_path / "compositions"
    folder.mkdir()
    (folder / "lost.yaml").write_text(LOST, encoding="utf-8")

    checked = cli("templates", "check", "--prompts", str(tmp_path), "--json")
    looked = cli("doctor", "--prompts", str(tmp_path), "--json")

    [problem] = checked.json["problems"]
    assert (checked.code, looked.code) == (1, 1)
    assert (problem["line"], problem["reason"]) == (8, "there is no template 'nowhere'")
    [wrong] = [each for each in looked.json["checks"] if each["status"] == "error"]
    assert wrong["check"] == "compositions"
    assert wrong["found"].endswith("line 8: there is no template 'nowhere'")


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({}, "missing 'done_text'"),
        ({"done_text": "{topic}", "nope": 1}, "unknown 'nope'"),
        ({"done_text": "{topic}", "tone": "blue"}, "tone must be one of plain, friendly"),
        ({"done_text": "{topic}", "tone": "plain"}, ""),
        ({"done_text": "{topic}", "tone": "{topic}"}, ""),
    ],
)
def test_a_composition_whose_task_its_template_refuses_is_found_by_check(
    args: dict[str, Any], reason: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "compositions").mkdir()
    task = json.dumps({"id": "a", "label": "Look", "template": "counted", "args": args})
    lost = LOST[: LOST.index("tasks:")]
    text = f"{lost}params: [{{name: topic, kind: string, required: true}}]\ntasks:\n- {task}\n"
    (tmp_path / "compositions" / "lost.yaml").write_text(text, encoding="utf-8")
    counted = (PROMPTS / "counted.prompty").read_text(encoding="utf-8")
    more = (
        "inputs:\n  - {name: done_text, kind: string, required: true, description: x}\n"
        "  - {name: tone, kind: enum, enumValues: [plain, friendly], description: x}\n"
    )
    (tmp_path / "counted.prompty").write_text(
        counted.replace("inputs:\n", more).replace(
            "{{ goal }}", "{{ goal }} {{ done_text }} {{ tone }}"
        ),
        encoding="utf-8",
    )

    told = cli("templates", "check", "--prompts", str(tmp_path), "--json").json["problems"]

    found = [each["reason"] for each in told if "lost.yaml" in each["path"]]
    assert len(found) == bool(reason)
    assert reason in "".join(found)


def test_doctor_looks_into_the_examples_of_templates_as_check_does(
    cli: Cli, tmp_path: Path
) -> None:
    text = (PROMPTS / "counted.prompty").read_text(encoding="utf-8")
    broken = text.replace("metadata:", "metadata:\n  example_result: {count: many}", 1)
    (tmp_path / "counted.prompty").write_text(broken, encoding="utf-8")

    checked = cli("templates", "check", "--prompts", str(tmp_path), "--json")
    looked = cli("doctor", "--prompts", str(tmp_path), "--json")

    reasons = [each["reason"] for each in checked.json["problems"]]
    wrong = [each["found"] for each in looked.json["checks"] if each["status"] == "error"]
    assert len(reasons) == len(wrong) >= 1
    assert all(reason in found for reason, found in zip(reasons, wrong, strict=True))


def test_a_contract_nested_too_deep_is_said_to_be(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 20_000, encoding="utf-8")

    ran = cli("contracts", "check", "--contracts", str(tmp_path))

    assert ran.code == 1
    assert "nested too deep" in ran.out
    assert "recursion" not in ran.out


def test_contracts_are_listed_found_and_shown(cli: Cli) -> None:
    listed = cli("contracts", "list", "--json").json["contracts"]
    found = cli("contracts", "find", "--capability", "security_audit", "--json").json
    shown = cli("contracts", "show", "security", "--json").json

    assert [each["name"] for each in found["contracts"]] == ["security"]
    assert found["contracts"][0] in listed
    assert "security_audit" in shown["capabilities"]
    assert Path(shown["path"]).name == "security.json"


def test_a_plan_that_worked_is_saved_listed_and_used_again(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    mine = ("--prompts", "mine")
    id = cli("create", "--type", "fan_out", "--subtasks", SUBTASKS, "--json").json["workflow_id"]

    cli("compositions", "save", "three_reviews", "--id", id, *mine)

    listed = cli("compositions", "list", *mine, "--json").json["compositions"]
    again = cli("create", "--composition", "three_reviews", *mine, "--json").json
    assert "three_reviews" in [each["name"] for each in listed]
    assert again["progress"] == "0/3 complete"


def test_a_broken_composition_is_listed_with_its_fault(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "compositions").mkdir()
    (tmp_path / "compositions" / "odd.yaml").write_text("- no mapping", encoding="utf-8")

    listed = cli("compositions", "list", "--prompts", str(tmp_path), "--json").json

    [odd] = [each for each in listed["compositions"] if each["name"] == "odd"]
    assert odd["description"].startswith("Composition 'odd' is broken: odd.yaml line 1")


LOOKS = (
    "list",
    "items list",
    "items stats",
    "items graph",
    "items hooks created",
    "lessons list",
    "read ledger://workflows",
)


@pytest.mark.parametrize("look", [*LOOKS, "status --id wf_1"])
def test_a_ledger_that_is_named_and_not_there_is_not_shown_as_empty(
    look: str, cli: Cli, ledger: Path
) -> None:
    ran = cli(*look.split(), "--json")

    assert (ran.code, json.loads(ran.err)["code"], ran.out) == (5, "store_unreachable", "")
    assert not ledger.exists()


@pytest.mark.parametrize("look", LOOKS)
def test_a_ledger_that_nobody_named_is_empty_before_the_first_workflow(
    look: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RELAYBOOK_STORE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    assert cli(*look.split()).code == 0
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "command",
    [
        "templates list",
        "contracts list",
        "compositions list",
        "plan --minutes 3",
        "read guide://vocabulary",
        "read prompt://index",
    ],
)
def test_what_needs_no_ledger_makes_none_and_misses_none(
    command: str, cli: Cli, ledger: Path
) -> None:
    assert cli(*command.split()).code == 0
    assert not ledger.exists()


def test_own_templates_are_known_to_create(cli: Cli) -> None:
    tasks = '[{"id": "a", "label": "Do a", "template": "piece"}]'
    create = ("create", "--type", "fan_out", "--subtasks", tasks)

    assert cli(*create).code == 3
    assert cli(*create, *FOLDER).code == 0


@pytest.mark.requirement("S184", "A15")
def test_a_capability_that_nobody_has_is_refused_with_the_nearest(cli: Cli) -> None:
    found = cli("contracts", "find", "--capability", "deplyo", "--json")

    assert found.code == 3
    assert "deploy" in json.loads(found.err)["allowed"]


@pytest.mark.requirement("S212")
def test_a_broken_contract_is_reported_wherever_contracts_are_listed(
    cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "broken.json").write_text('{"name": ', encoding="utf-8")

    for command in (("list",), ("find", "--capability", "deploy")):
        (problem,) = cli("contracts", *command, "--contracts", str(tmp_path), "--json").json[
            "problems"
        ]
        assert problem["file"].endswith("broken.json")
        assert "not JSON" in problem["reason"]


def test_a_reason_given_on_the_command_line_overrides_a_width_and_a_blocked_prompt(
    cli: Cli,
) -> None:
    tasks = json.dumps([{"id": f"t{n}", "label": "Spawn three agents"} for n in range(8)])
    create = ("create", "--type", "fan_out", "--subtasks", tasks, "--max-parallel", "8")
    reason = ("--override", "this host bears it", "--json")
    too_wide = cli(*create, "--json")
    made = cli(*create, "--shared-decisions", "All times are UTC.", *reason)
    update = ("update", "--id", made.json["workflow_id"], "--task-id", "t0")
    start = (*update, "--status", "in_progress", "--json")

    blocked = cli(*start)
    started = cli(*start, "--override", "it is a practice cluster")

    assert (too_wide.code, blocked.code) == (2, 4)
    assert "All times are UTC." in started.json["prompt"]
