"""Advice that names calls, said as commands."""

import json

import pytest
from typer.main import get_command

from relaybook.cli import app
from relaybook.cli.shell_words import COMMANDS, PLAIN, in_shell
from relaybook.engine import Engine
from relaybook.surface.tools import tools_for

from .conftest import Cli
from .test_answers import commands


@pytest.mark.parametrize(
    ("call", "command"),
    [
        ("call get_workflow for what is ready", "relaybook status for what is ready"),
        ("call get_workflow without an id for the list", "relaybook list for the list"),
        ("call resolve: ask the user", "relaybook resolve: ask the user"),
        ("repeat with accept_raw=true", "repeat with --accept-raw"),
        (
            "update_task(workflow_id, task_id, status='in_progress') for one",
            "relaybook update --status in_progress for one",
        ),
        (
            "resolve(decision='answer', task_id='a', answers=[one for each question])",
            "relaybook resolve --decision answer --task-id a --answer [one for each question]",
        ),
        (
            "get_workflow(workflow_id='wf_1', since=5, wait_seconds=45)",
            "relaybook status --id wf_1 --since 5",
        ),
        ("read the plan and record what you resolve", "read the plan and record what you resolve"),
        ("correct the path", "correct the path"),
        (
            "pg_dump --format=custom --schema=relaybook",
            "pg_dump --format=custom --schema=relaybook",
        ),
    ],
)
def test_a_call_is_said_as_its_command(call: str, command: str) -> None:
    assert in_shell(call) == command


def test_each_tool_has_a_command_that_is_there(twin: tuple[Engine, str]) -> None:
    engine, _ = twin

    assert {tool.name for tool in tools_for(engine, "all")} <= {*COMMANDS, *PLAIN}
    assert {*COMMANDS.values(), *PLAIN} <= set(map(" ".join, commands(get_command(app))))


def test_a_refusal_and_an_answer_advise_commands(cli: Cli) -> None:
    done = {"done": ["it is there"]}
    cli("create", "--type", "fan_out", "--subtasks", json.dumps([{"id": "a", "label": "A"} | done]))
    refused = cli("status", "--id", "wf_none")
    empty = cli("lessons", "list")

    assert "Next: relaybook list" in refused.err
    assert empty.out == "No lessons.\n"
    assert "get_workflow" in cli("status", "--id", "wf_none", "--json").err
