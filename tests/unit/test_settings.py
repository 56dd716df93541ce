from pathlib import Path
from typing import Any

import pytest

from relaybook.errors import InvalidArguments
from relaybook.settings import Settings, default_store, read_settings

HOME = Path("/home/ann")


def settings(env: dict[str, str] | None = None, **options: Any) -> Settings:
    return read_settings(env or {}, home=HOME, platform="linux", **options)


@pytest.mark.parametrize(
    ("platform", "env", "path"),
    [
        ("linux", {}, "/home/ann/.local/share/relaybook/ledger.db"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/relaybook/ledger.db"),
        ("linux", {"XDG_DATA_HOME": "data"}, "/home/ann/.local/share/relaybook/ledger.db"),
        ("darwin", {}, "/home/ann/Library/Application Support/relaybook/ledger.db"),
    ],
)
def test_the_ledger_lies_in_the_users_data_folder(
    platform: str, env: dict[str, str], path: str
) -> None:
    assert default_store(env, home=HOME, platform=platform) == Path(path)


def test_nothing_said_means_the_defaults() -> None:
    assert settings() == Settings(
        store=str(HOME / ".local/share/relaybook/ledger.db"),
        named=False,
        durability="full",
        role="orchestrator",
        prompts=(),
        contracts=(),
    )


def test_the_option_goes_before_the_environment() -> None:
    env = {"RELAYBOOK_STORE": "/a.db", "RELAYBOOK_ROLE": "all"}

    assert settings(env).store == "/a.db"
    assert settings(env, store="/b.db").store == "/b.db"
    assert (settings(env).named, settings(store="/b.db").named) == (True, True)
    assert (settings(env).role, settings(env, role="worker").role) == ("all", "worker")


@pytest.mark.requirement("S71")
@pytest.mark.parametrize("asked", [None, "orchestrator", "all"])
def test_what_runs_inside_a_worker_stays_a_worker(asked: Any) -> None:
    assert settings({"RELAYBOOK_ROLE": "worker"}, role=asked).role == "worker"


def test_an_unknown_role_in_the_environment_is_refused() -> None:
    with pytest.raises(InvalidArguments, match="orchestrator, worker, all"):
        settings({"RELAYBOOK_ROLE": "boss"})


def test_the_secrets_of_replicas_are_told_and_never_shown() -> None:
    new, old = "n" * 32, "o" * 32

    read = settings({"RELAYBOOK_SECRET": f"{new}, {old}"})

    assert read.secrets == (new, old)
    assert new not in repr(read)


@pytest.mark.parametrize("blank", [" " * 40, ",", " , "])
def test_a_secret_of_blanks_is_no_secret(blank: str) -> None:
    with pytest.raises(InvalidArguments, match="holds no key"):
        settings({"RELAYBOOK_SECRET": blank})


def test_a_short_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(InvalidArguments, match="32 characters") as refused:
        settings({"RELAYBOOK_SECRET": "hunter2"})

    assert "hunter2" not in str(refused.value)
