"""With --json a command prints what the engine answers: on one ledger, and on a copy of it."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from typer.main import get_command

from relaybook.cli import app
from relaybook.core.item import WorkItem
from relaybook.engine import Engine
from relaybook.engine.request import Resolution, Update

from .conftest import FOLDER, Cli

TASKS = [{"id": "t1", "label": "Review auth"}, {"id": "t2", "label": "Review API"}]
STAGES = [{"capability": "implement", "goal": "Add the flag"}]
RESULT = '<result>{"status": "ok", "data": {"seen": 1}, "summary": "fine"}</result>'
MAP = '{"instruction": "Count the words."}'
CLASSIFY = '{"items": [{"id": "t1", "text": "x"}], "labels": [{"name": "a", "definition": "b"}]}'
LAUNCH = '{"product": "Kite", "launch_date": "2026-05-01", "product_brief": "It flies."}'

Ask = Callable[[Engine, str], Any]


def item(found: WorkItem) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if value not in (None, (), {}, "")}


def items(found: list[WorkItem]) -> dict[str, Any]:
    return {"items": [item(each) for each in found]}


#: A command, and the call that it stands for. `ID` is the workflow of both ledgers.
CALLS: list[tuple[list[str], Ask]] = [
    (["list"], lambda e, id: e.list_workflows()),
    (["list", "--active"], lambda e, id: e.list_workflows(active=True)),
    (["list", "--project", "theirs"], lambda e, id: e.list_workflows(project="theirs")),
    (["status", "--id", "ID"], lambda e, id: e.show_workflow(id)),
    (
        ["status", "--id", "ID", "--detail", "detailed", "--since", "2", "--running", "s-b,s-x"],
        lambda e, id: e.show_workflow(
            id, detail="detailed", since=2, running_sessions=["s-b", "s-x"]
        ),
    ),
    (
        ["status", "--id", "ID", "--running", ""],
        lambda e, id: e.show_workflow(id, running_sessions=[]),
    ),
    (["aggregate", "--id", "ID"], lambda e, id: e.aggregate(id)),
    (
        ["aggregate", "--id", "ID", "--detail", "detailed"],
        lambda e, id: e.aggregate(id, detail="detailed"),
    ),
    (["read", "ledger://workflows/ID"], lambda e, id: e.read(f"ledger://workflows/{id}")),
    (["cleanup"], lambda e, id: e.cleanup(days=7)),
    (["cleanup", "--days", "0", "--dry-run"], lambda e, id: e.cleanup(days=0, dry_run=True)),
    (
        [
            "plan",
            "--minutes",
            "40",
            "--subtasks",
            "5",
            "--independent",
            "--no-sequential",
            "--words",
            "200",
            "--other-workers",
            "3",
        ],
        lambda e, id: e.plan(
            {
                "minutes": 40,
                "subtasks": 5,
                "independent": True,
                "sequential": False,
                "exploration": False,
                "questions": 1,
                "stages": False,
                "recurring": False,
                "homogeneous": False,
                "writes_same_artefact": False,
            },
            words=200,
            other_workers=[3],
        ),
    ),
    (
        [
            "create",
            "--type",
            "fan_out",
            "--name",
            "two",
            "--project",
            "p",
            "--max-parallel",
            "2",
            "--subtasks",
            json.dumps(TASKS),
            "--metadata",
            '{"k": 1}',
            "--request-id",
            "r",
        ],
        lambda e, id: e.create_workflow(
            "fan_out",
            "two",
            tasks=TASKS,
            project="p",
            max_parallel=2,
            metadata={"k": 1},
            request_id="r",
        ),
    ),
    (
        [
            "create",
            "--type",
            "map_reduce",
            "--items",
            '["a", "b", "c"]',
            "--batches",
            "2",
            "--template",
            "map_partition",
            "--args",
            MAP,
            "--dry-run",
        ],
        lambda e, id: e.create_workflow(
            "map_reduce",
            items=["a", "b", "c"],
            batches=2,
            template="map_partition",
            args=json.loads(MAP),
            dry_run=True,
        ),
    ),
    (
        ["create", "--stages", json.dumps(STAGES), "--hooks", "reflect"],
        lambda e, id: e.create_workflow(stages=STAGES, hooks=["reflect"]),
    ),
    (
        [
            "change",
            "--id",
            "ID",
            "--add",
            '[{"id": "e", "label": "Do e"}]',
            "--replaces",
            "c",
            "--reason",
            "better",
        ],
        lambda e, id: e.change_plan(
            id, add=[{"id": "e", "label": "Do e"}], replaces=["c"], reason="better"
        ),
    ),
    (
        ["update", "--id", "ID", "--task-id", "c", "--status", "in_progress"],
        lambda e, id: e.update_task(Update(workflow_id=id, task_id="c", status="in_progress")),
    ),
    (
        ["update", "--id", "ID", "--task-id", "c", "--status", "in_progress", "--session-key", "k"],
        lambda e, id: e.update_task(
            Update(workflow_id=id, task_id="c", status="in_progress", session_key="k")
        ),
    ),
    (
        ["update", "--id", "ID", "--task-id", "b", "--status", "completed", "--result", RESULT],
        lambda e, id: e.update_task(
            Update(workflow_id=id, task_id="b", status="completed", output=RESULT)
        ),
    ),
    (
        [
            "update",
            "--id",
            "ID",
            "--task-id",
            "b",
            "--status",
            "completed",
            "--accept-raw",
            "--result",
            "no block",
        ],
        lambda e, id: e.update_task(
            Update(
                workflow_id=id, task_id="b", status="completed", output="no block", accept_raw=True
            )
        ),
    ),
    (
        [
            "update",
            "--id",
            "ID",
            "--task-id",
            "b",
            "--status",
            "failed",
            "--error",
            "it broke",
            "--error-code",
            "crash",
        ],
        lambda e, id: e.update_task(
            Update(
                workflow_id=id, task_id="b", status="failed", error="it broke", error_code="crash"
            )
        ),
    ),
    (
        ["render", "--id", "ID", "--task-id", "c"],
        lambda e, id: e.render_prompt(workflow_id=id, task_id="c"),
    ),
    (
        [
            "record",
            "metric",
            "--id",
            "ID",
            "--task-id",
            "b",
            "--entries",
            '[{"name": "coverage", "value": 0.9}]',
        ],
        lambda e, id: e.record(
            "metric", [{"name": "coverage", "value": 0.9}], workflow_id=id, task_id="b"
        ),
    ),
    (["resolve", "--id", "ID"], lambda e, id: e.open_decisions(id)),
    (
        ["resolve", "--id", "ID", "--decision", "cancel", "--task-id", "d", "--reason", "no use"],
        lambda e, id: e.resolve(
            Resolution(workflow_id=id, decision="cancel", task_id="d", reason="no use")
        ),
    ),
    (["items", "list", "--status", "todo"], lambda e, id: items(e.list_items(status="todo"))),
    (["items", "list", "--project", "ours"], lambda e, id: items(e.list_items(project="ours"))),
    (["items", "show", "ID/a"], lambda e, id: item(e.load_item(f"{id}/a"))),
    (["items", "tail", "ID/a"], lambda e, id: {"events": e.item_events(f"{id}/a", limit=10)}),
    (["items", "hooks", "completed"], lambda e, id: {"events": e.hook_events("completed")}),
    (["items", "graph", "--id", "ID"], lambda e, id: {"items": e.items_graph(workflow_id=id)}),
    (["items", "stats"], lambda e, id: e.items_stats()),
    (
        ["items", "create", "--capability", "planning", "--goal", "Plan it", "--project", "p"],
        lambda e, id: e.create_workflow(
            name="Plan it", stages=[{"capability": "planning", "goal": "Plan it"}], project="p"
        ),
    ),
    (
        ["items", "start", "ID/c", "--session-key", "k"],
        lambda e, id: e.update_task(
            Update(workflow_id=id, task_id="c", status="in_progress", session_key="k")
        ),
    ),
    (
        ["items", "complete", "ID/b", "--result", RESULT],
        lambda e, id: e.update_task(
            Update(workflow_id=id, task_id="b", status="completed", output=RESULT)
        ),
    ),
    (
        ["items", "fail", "ID/b", "--reason", "it broke", "--error-code", "crash"],
        lambda e, id: e.update_task(
            Update(
                workflow_id=id, task_id="b", status="failed", error="it broke", error_code="crash"
            )
        ),
    ),
    (
        ["items", "handoff", "ID/b", "--to", "ann"],
        lambda e, id: e.record("handoff", [{"to": "ann"}], workflow_id=id, task_id="b"),
    ),
    (["templates", "list"], lambda e, id: json.loads(e.read_text("prompt://index").text)),
    (
        ["templates", "preview", "classify", "--args", CLASSIFY, "--arg", "multi=yes"],
        lambda e, id: e.render_prompt(
            template="classify", args=json.loads(CLASSIFY) | {"multi": "yes"}
        ),
    ),
    (
        ["compositions", "preview", "product_launch", "--args", LAUNCH],
        lambda e, id: e.create_workflow(
            composition="product_launch", args=json.loads(LAUNCH), dry_run=True
        ),
    ),
]

#: Commands that hold commands.
GROUPS = {"templates", "contracts", "compositions", "items", "lessons"}
#: Commands that stand for no single call of the engine; their own tests are in other files.
APART = {
    ("serve",),
    ("board",),
    ("watch",),
    ("export",),
    ("import",),
    ("doctor",),
    ("backup",),
    ("completion",),
    ("config",),
    ("migrate",),
    ("copy",),
    ("work",),
    ("advance",),
    ("templates", "check"),
    ("contracts", "list"),
    ("contracts", "show"),
    ("contracts", "find"),
    ("contracts", "pipeline"),
    ("contracts", "check"),
    ("compositions", "list"),
    ("compositions", "save"),
    ("token", "create"),
    ("token", "list"),
    ("token", "revoke"),
    ("lessons", "list"),
    ("lessons", "export"),
}


def same(text: str) -> Any:
    """What two runs of one call have in common: not the tokens drawn, nor the time."""
    text = re.sub(r"\b[0-9a-f]{32}\b", "claim", text)
    text = re.sub(r"\bdata-[0-9a-f]{12}\b", "data-nonce", text)
    text = re.sub(r"\bwf_[0-9a-f]{8}", "wf_id", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "at", text)
    return json.loads(re.sub(r'"(elapsed_seconds|seconds|minutes)": [0-9.]+', r'"\1": 0', text))


@pytest.mark.parametrize(("args", "ask"), CALLS, ids=[" ".join(args)[:60] for args, _ in CALLS])
def test_json_is_the_answer_of_the_engine(
    args: list[str], ask: Ask, cli: Cli, twin: tuple[Engine, str]
) -> None:
    engine, id = twin

    ran = cli(*[each.replace("ID", id) for each in args], *FOLDER, "--json")

    assert (ran.code, ran.err) == (0, "")
    assert same(ran.out) == same(json.dumps(ask(engine, id)))


def commands(command: Any, *above: str) -> Iterator[tuple[str, ...]]:
    for name, each in command.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, *above, name)
        else:
            yield (*above, name)


def test_every_command_is_compared_or_set_apart() -> None:
    compared = {tuple(args[: 2 if args[0] in GROUPS else 1]) for args, _ in CALLS}

    assert compared | APART == set(commands(get_command(app)))
    assert not compared & APART
