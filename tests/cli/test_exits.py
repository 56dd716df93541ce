"""How commands end when they are refused."""

import json
from pathlib import Path

import pytest

from relaybook import errors
from relaybook.cli.exits import exit_code

from .conftest import Cli


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (errors.InvalidArguments, 2),
        (errors.InvalidPlan, 1),
        (errors.MalformedOutput, 1),
        (errors.Forbidden, 1),
        (errors.UnknownWorkflow, 3),
        (errors.UnknownTemplate, 3),
        (errors.StaleClaim, 4),
        (errors.BreakerOpen, 4),
        (errors.StoreBusy, 5),
        (errors.NotALedger, 5),
    ],
)
def test_the_kind_of_refusal_is_the_exit_code(refusal: type[errors.Refusal], code: int) -> None:
    assert exit_code(refusal("It cannot be.")) == code


def made(cli: Cli) -> str:
    done = {"done": ["it is there"]}
    first, second = {"id": "a", "label": "Do a"}, {"id": "b", "label": "Do b", "depends_on": ["a"]}
    plan = json.dumps([first | done, second | done])
    answer = cli("create", "--type", "pipeline", "--subtasks", plan, "--json").json
    return answer["workflow_id"]


@pytest.mark.parametrize(
    ("args", "code", "named"),
    [
        (("create", "--type", "fan_in", "--subtasks", "[]"), 2, "invalid_arguments"),
        (("create", "--type", "fan_out", "--subtasks", "[]"), 1, "invalid_plan"),
        (("status", "--id", "wf_none"), 3, "unknown_workflow"),
        (("templates", "preview", "none"), 3, "unknown_template"),
        (("contracts", "show", "none"), 3, "unknown_contract"),
        (("update", "--status", "failed", "--claim", "0" * 32), 4, "stale_claim"),
    ],
)
def test_a_refusal_is_one_line_on_standard_error(
    args: tuple[str, ...], code: int, named: str, cli: Cli
) -> None:
    made(cli)

    ran = cli(*args)

    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"error[{named}]: ")
    assert ran.err.count("\n") == 1


def test_what_cannot_start_yet_ends_with_4(cli: Cli) -> None:
    ran = cli("update", "--id", made(cli), "--task-id", "b", "--status", "in_progress", "--json")

    assert (ran.code, json.loads(ran.err)["code"]) == (4, "blocked")


def test_an_unknown_option_is_wrong_usage(cli: Cli) -> None:
    assert cli("list", "--al").code == 2
    assert cli("status").code == 2


@pytest.mark.parametrize("command", ["list", "create", "templates list", "resolve --id wf_1"])
def test_a_worker_has_no_command_line(
    command: str, cli: Cli, monkeypatch: pytest.MonkeyPatch, ledger: Path
) -> None:
    monkeypatch.setenv("RELAYBOOK_ROLE", "worker")

    ran = cli(*command.split(), "--json")

    assert (ran.code, json.loads(ran.err)["code"]) == (1, "forbidden")
    assert not ledger.exists()


def test_the_command_that_a_worker_may_not_use_is_named_whole(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAYBOOK_ROLE", "worker")

    told = [cli(*command).err for command in (("token", "list"), ("list",))]

    assert "cannot use relaybook token list." in told[0]
    assert "cannot use relaybook list." in told[1]


def test_a_folder_that_is_not_there_is_named(cli: Cli) -> None:
    ran = cli("list", "--contracts", "nowhere")

    assert ran.code == 2
    assert ran.err == (
        "error[invalid_arguments]: There is no folder at 'nowhere'. Next: correct --contracts.\n"
    )


def test_the_help_tells_the_exit_codes(cli: Cli) -> None:
    told = " ".join(cli("--help").out.split())

    assert "Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 not found;" in told


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (("status",), "--id"),
        (("items", "list", "--skip", "-1"), "--skip"),
        (("export", "wf_1", "--format", "bogus"), "bogus"),
        (("token", "create", "x", "--role", "bogus"), "bogus"),
        (("lst",), "list"),
        (("config", "nobody"), "nobody"),
        (("work", "--command", "'"), "--command"),
    ],
)
def test_a_wrong_use_is_told_in_json_where_that_is_asked_for(
    args: tuple[str, ...], named: str, cli: Cli
) -> None:
    ran = cli(*args, "--json")

    told = json.loads(ran.err)
    assert (ran.code, ran.out, told["code"]) == (2, "", "invalid_arguments")
    assert named in told["message"]
    assert told["next"].startswith("see relaybook")


@pytest.mark.parametrize("last", ["--json", "--help"])
def test_what_is_asked_for_in_json_ends_as_it_does_in_words(last: str, cli: Cli) -> None:
    assert cli("templates", "check", last).code == 0
    assert cli("compositions", "list", "--json", last).err == ""
