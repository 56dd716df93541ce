"""The commands about tokens."""

import pytest

from tests.cli.conftest import Cli


def test_a_token_is_printed_once_and_listed_without_its_text(cli: Cli) -> None:
    made = cli("token", "create", "ci", "--project", "a", "--project", "b", "--json").json
    listed = cli("token", "list", "--json")
    shown = cli("token", "list")

    assert (made["role"], made["projects"], made["status"]) == ("worker", ["a", "b"], "valid")
    assert listed.json["tokens"][0]["id"] == made["id"]
    assert made["token"] not in listed.out + shown.out
    assert made["id"] in shown.out


def test_a_token_is_revoked_by_its_id(cli: Cli) -> None:
    made = cli("token", "create", "ci", "--all-projects", "--never-expires", "--json").json

    revoked = cli("token", "revoke", made["id"], "--json").json
    unknown = cli("token", "revoke", made["token"])

    assert (revoked["status"], revoked["projects"]) == ("revoked", "all")
    assert "expires_at" not in made
    assert unknown.code == 3
    assert made["token"] not in unknown.err


@pytest.mark.parametrize("said", [(), ("--all-projects", "--project", "a")])
def test_the_projects_of_a_token_are_said_in_words(cli: Cli, said: tuple[str, ...]) -> None:
    refused = cli("token", "create", "ci", *said)

    assert refused.code == 2
    assert "--all-projects" in refused.err


def test_a_token_for_every_project_is_not_made_by_a_star(cli: Cli) -> None:
    refused = cli("token", "create", "ci", "--project", "*")
    listed = cli("token", "list", "--json")

    assert refused.code == 2
    assert "--all-projects" in refused.err
    assert listed.json["tokens"] == []


def test_a_token_ends_after_some_days_or_never(cli: Cli) -> None:
    refused = cli("token", "create", "x", "--all-projects", "--days", "5", "--never-expires")
    listed = cli("token", "list", "--json")

    assert refused.code == 2
    assert "--days or --never-expires" in refused.err
    assert listed.json["tokens"] == []


@pytest.mark.requirement("S257", "A7")
def test_a_worker_hands_out_no_access(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAYBOOK_ROLE", "worker")

    refused = cli("token", "create", "ci", "--all-projects", "--role", "all")

    assert refused.code == 1
    assert "A worker cannot" in refused.err
