"""Work items on the command line: looked at, and taken from start to end."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relaybook.store.sqlite import SqliteStore
from tests.helpers import Clock, complete, engine_on, start, workflow
from tests.stages import NAME, STAGES, SUMMARY

from .conftest import Cli


def made(cli: Cli, goal: str, capability: str = "planning") -> str:
    """The slug of a new work item."""
    answer = cli("items", "create", "--capability", capability, "--goal", goal, "--json").json
    return answer["stages"][0]["item"]


def rows(out: str) -> list[list[str]]:
    """The cells of the table that a command printed, without its head."""
    lines = [line.split("\t") for line in out.splitlines()]
    return [line for line in lines if len(line) > 1][1:]


@pytest.mark.requirement("S238", "S239")
def test_items_are_listed_all_or_by_status(cli: Cli) -> None:
    first, second = made(cli, "Plan one"), made(cli, "Plan two")
    cli("items", "start", second, "--session-key", "k")

    everything = rows(cli("items", "list").out)
    running = rows(cli("items", "list", "--status", "in_progress").out)

    assert {row[0] for row in everything} == {first, second}
    assert running == [[second, "🔄 in_progress", "Plan two", "task-planner", "default"]]


@pytest.mark.requirement("S238")
def test_a_long_list_says_that_there_are_more_and_how_to_see_them(cli: Cli) -> None:
    plan = json.dumps([{"id": f"t{n}", "label": f"Do {n}"} for n in range(70)])
    cli("create", "--type", "supervisor", "--subtasks", plan)

    first = cli("items", "list")
    rest = cli("items", "list", "--skip", "50")

    assert first.out.splitlines()[-1] == "Next: --skip 50 for more"
    assert "Next" not in rest.out
    assert [row[2] for row in rows(first.out) + rows(rest.out)] == [f"Do {n}" for n in range(70)]


def test_of_many_events_the_first_come_and_the_date_to_go_on_from(cli: Cli, ledger: Path) -> None:
    store = SqliteStore(ledger, "normal")
    clock = Clock(1_771_027_200.0)  # 2026-02-14T00:00:00Z
    engine = engine_on(store, clock)
    for _ in range(2):
        workflow(engine, *(f"t{n}" for n in range(300)))
        clock.move(60)
    store.close()

    first = cli("items", "hooks", "created", "--json").json
    graph = cli("items", "graph").out.splitlines()[-1]

    assert (len(first["events"]), first["next"]) == (
        500,
        "--since 2026-02-14T00:01:00.000+00:00 for more",
    )
    assert graph == "Next: the first 500 alone are shown; --id for others"


@pytest.mark.requirement("S240", "S246")
def test_an_item_goes_from_its_start_to_its_failure(cli: Cli) -> None:
    slug = made(cli, "Plan it", "implement")

    cli("items", "start", slug, "--session-key", "k")
    cli("items", "handoff", slug, "--to", "web-builder", "--reason", "it knows it")
    failed = cli("items", "fail", slug, "--reason", "no plan fits", "--error-code", "crash")

    shown = cli("items", "show", slug, "--json").json
    assert failed.code == 0
    assert (shown["status"], shown["error"]) == ("failed", "no plan fits")
    assert shown["handoffs"] == [{"to": "web-builder", "reason": "it knows it"}]
    assert "goal: Plan it\n" in cli("items", "show", slug).out


@pytest.mark.requirement("S246")
def test_an_item_is_completed_by_evidence(cli: Cli) -> None:
    slug = made(cli, "Add the flag", "implement")
    cli("items", "start", slug, "--session-key", "k")

    cli(
        *("items", "complete", slug, "--reason", "added"),
        *("--artifacts", '["src/flag.py"]'),
        *("--tests", '[{"name": "unit", "status": "passed", "evidence": "12 passed"}]'),
        *("--criteria", '[{"criterion": "Add the flag", "evidence": "src/flag.py"}]'),
    )

    shown = cli("items", "show", slug, "--json").json
    assert shown["status"] == "done"
    assert [each["path"] for each in shown["artifacts"]] == ["src/flag.py"]
    assert [each["name"] for each in shown["tests"]] == ["unit"]


def test_evidence_alone_completes_no_task_that_is_no_stage(cli: Cli) -> None:
    plan = '[{"id": "a", "label": "Do a"}]'
    id = cli("create", "--type", "fan_out", "--subtasks", plan, "--json").json["workflow_id"]

    ran = cli("items", "complete", f"{id}/a", "--reason", "done")

    assert ran.code == 2
    assert "is no stage" in ran.err


@pytest.mark.requirement("S241")
def test_tail_shows_the_last_events_ten_if_not_said(cli: Cli) -> None:
    slug = made(cli, "Plan it", "implement")
    for number in range(12):
        cli("items", "handoff", slug, "--to", "web-builder", "--reason", f"w{number}")

    ten = cli("items", "tail", slug, "--json").json["events"]
    five = rows(cli("items", "tail", slug, "--limit", "5").out)

    assert [each["payload"]["reason"] for each in ten] == [f"w{number}" for number in range(2, 12)]
    assert [row[2:] for row in five] == [
        ["handoff", "orchestrator", f"to web-builder, reason w{number}"] for number in range(7, 12)
    ]


@pytest.mark.requirement("S242")
def test_graph_shows_what_waits_for_what(cli: Cli) -> None:
    stages = '[{"capability": "planning", "goal": "P"}, {"capability": "implement", "goal": "I"}]'
    answer = cli("create", "--name", "two", "--stages", stages, "--json").json
    first, second = (each["item"] for each in answer["stages"])

    assert rows(cli("items", "graph").out) == [[first, "todo", ""], [second, "blocked", first]]


@pytest.mark.requirement("S243", "A23")
def test_hooks_shows_the_events_of_one_name_since_the_first_moment_of_a_day(
    cli: Cli, ledger: Path
) -> None:
    midnight = datetime(2026, 2, 14, tzinfo=UTC)
    store = SqliteStore(ledger, "normal")
    clock = Clock((midnight - timedelta(seconds=1)).timestamp())
    engine = engine_on(store, clock)
    slugs: list[str] = []
    for _ in range(3):
        id = workflow(engine, "a")
        start(engine, id, "a")
        complete(engine, id, "a")
        slugs.append(f"{id}/a")
        clock.move(1)
    store.close()

    found = cli("items", "hooks", "completed", "--since", "2026-02-14", "--json").json["events"]
    later = cli("items", "hooks", "completed", "--since", "2026-02-14T00:00:01Z", "--json").json

    assert [each["slug"] for each in found] == slugs[1:]
    assert {each["type"] for each in found} == {"completed"}
    assert [each["slug"] for each in later["events"]] == slugs[2:]


@pytest.mark.requirement("S244")
def test_stats_counts_by_status_project_and_skill(cli: Cli) -> None:
    made(cli, "Plan one")
    cli("items", "start", made(cli, "Plan two"), "--session-key", "k")

    assert cli("items", "stats").out == (
        "status: in progress 1, todo 1\nproject: default 2\nskill: task-planner 2\n"
    )


@pytest.mark.requirement("S245")
def test_the_eight_commands_of_the_playbook_stand_under_one_program(cli: Cli) -> None:
    for line in (
        "create --type x --subtasks []",
        "update --id x --task-id y --status z",
        "status --id x",
        "aggregate --id x",
        "list",
        "list --active",
        "cleanup --days 7",
        "templates list",
        "templates preview code_review",
    ):
        assert "Usage:" not in cli(*line.split()).err


def test_an_unknown_item_is_not_found(cli: Cli) -> None:
    slug = made(cli, "Plan it")

    ran = cli("items", "show", f"{slug}0")

    assert ran.code == 3
    assert slug in ran.err


@pytest.mark.requirement("S185", "S187")
def test_a_plan_by_stages_is_printed_in_a_line_for_each(cli: Cli) -> None:
    stages = json.dumps(STAGES)

    planned = cli("create", "--name", NAME, "--project", "mpmp", "--stages", stages)

    assert planned.out.startswith(f"{SUMMARY}\n")


def test_a_stage_that_starts_is_shown_with_its_gate_and_its_prompt_as_it_is(cli: Cli) -> None:
    planned = cli("create", "--stages", json.dumps(STAGES), "--json").json

    shown = cli("advance", "--id", planned["workflow_id"]).out

    assert "current gate: pass\n" in shown
    assert "\n## Role\nYou build" in shown


def test_metrics_are_an_object_or_a_list(cli: Cli) -> None:
    planned = cli("create", "--stages", json.dumps(STAGES), "--json").json
    here = ("--id", planned["workflow_id"], "--stage", "0", "--outcome", "completed")
    slug = planned["stages"][0]["item"]
    cli("advance", "--id", planned["workflow_id"])

    ended = cli("advance", *here, "--metrics", '{"coverage": 91}')

    assert ended.code == 0
    assert cli("items", "show", slug, "--json").json["metrics"] == {"coverage": 91}
    assert cli("advance", *here, "--metrics", "91").code == 2


@pytest.mark.requirement("S232", "A22")
def test_accepted_lessons_are_exported_as_a_patch_of_the_file_as_it_is(
    cli: Cli, tmp_path: Path
) -> None:
    planned = cli("create", "--stages", json.dumps(STAGES[:1]), "--json").json
    here = ("--id", planned["workflow_id"])
    finding = json.dumps([{"text": "Run the linter first.", "target": "SOUL.md"}])
    cli("advance", *here)
    cli("advance", *here, "--stage", "0", "--outcome", "completed", "--findings", finding)
    (lesson,) = cli("lessons", "list", "--status", "proposed", "--json").json["lessons"]
    soul = tmp_path / "SOUL.md"
    soul.write_text("# Soul\n\n## Lessons\n\n- Be brief.\n", encoding="utf-8")

    before = cli("lessons", "export", "SOUL.md")
    cli("resolve", *here, "--decision", "accept_lesson", "--lesson", lesson["id"])
    patch = cli("lessons", "export", "SOUL.md", "--file", str(soul)).out

    assert before.out == ""
    assert "--- a/SOUL.md\n+++ b/SOUL.md\n" in patch
    assert " - Be brief.\n+- Run the linter first. [task " in patch
    assert soul.read_text(encoding="utf-8").endswith("- Be brief.\n")
    assert cli("lessons", "export", "AGENTS.md").code == 2


def test_beyond_the_last_item_there_is_none_however_far(cli: Cli, twin: object) -> None:
    assert cli("items", "list", "--skip", "9" * 22, "--json").json == {"items": []}
