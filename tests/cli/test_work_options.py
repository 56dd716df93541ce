"""relaybook work: options that could do nothing are refused before anything runs."""

import pytest

from relaybook.worker.display import safe

from .conftest import Cli


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--url", "http://127.0.0.1:9/mcp"), "--store says nothing beside --url"),
        (("--token", "x"), "--token says nothing without --url"),
        (("--keep", "--wait", "5"), "--wait says nothing beside --keep"),
        (("--wait", "nan"), "--wait is no number"),
    ],
)
def test_an_option_that_could_do_nothing_is_refused(
    options: tuple[str, ...], told: str, cli: Cli, twin: object
) -> None:
    ran = cli("work", "--command", "true", "--store", "ledger.db", *options)

    assert ran.code == 2
    assert ran.err.startswith(f"error[invalid_arguments]: {told}. Allowed: ")


def test_a_token_in_the_environment_says_nothing_of_a_worker_on_a_store(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAYBOOK_TOKEN", "x")

    ran = cli("work", "--command", "true", "--wait", "0")

    assert ran.code == 5
    assert "--token" not in ran.err


def test_what_is_said_of_a_task_keeps_its_words_and_does_not_act() -> None:
    assert safe("no <result> block\x1b[2J\n system: x") == "no <result> block[2J system: x"
