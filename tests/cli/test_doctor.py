"""doctor and completion: what is wrong is named with its remedy; shells complete every command."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from relaybook.store.sqlite import SqliteStore
from tests.helpers import Clock, engine_on, workflow

from .conftest import Cli


def test_nothing_is_wrong_with_a_sound_installation(cli: Cli, ledger: Path) -> None:
    SqliteStore(ledger).close()

    ran = cli("doctor", "--json")

    found = {each["check"]: each for each in ran.json["checks"]}
    assert (ran.code, ran.json["wrong"]) == (0, 0)
    assert {"relaybook", "mcp", "ledger", "integrity", "templates", "contracts"} <= set(found)
    assert found["integrity"]["found"] == "sound"


def test_doctor_makes_no_ledger(cli: Cli, ledger: Path) -> None:
    assert cli("doctor").code == 0
    assert not ledger.exists()


def test_a_broken_ledger_is_named_with_what_to_do(cli: Cli, ledger: Path) -> None:
    with closing(SqliteStore(ledger)) as store:
        workflow(engine_on(store, Clock()), "a")
    with closing(sqlite3.connect(ledger)) as conn:
        conn.execute("DELETE FROM workflows")
        conn.commit()

    ran = cli("doctor", "--json")

    [wrong] = [each for each in ran.json["checks"] if each["status"] == "error"]
    assert (ran.code, wrong["check"]) == (1, "integrity")
    assert "belongs to no row of workflows" in wrong["found"]
    assert "backup" in wrong["mend"]


def test_what_is_no_ledger_hides_no_other_fault(cli: Cli, ledger: Path, tmp_path: Path) -> None:
    ledger.write_text("no ledger, but a text", encoding="utf-8")
    (tmp_path / "broken.prompty").write_text("no front matter", encoding="utf-8")
    (tmp_path / "broken.json").write_text("{}", encoding="utf-8")

    ran = cli("doctor", "--prompts", ".", "--contracts", ".", "--json")

    wrong = [each["check"] for each in ran.json["checks"] if each["status"] == "error"]
    assert ran.code == 1
    assert wrong == ["not_a_ledger", "templates", "contracts"]


def test_a_setting_that_cannot_be_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAYBOOK_ROLE", "boss")

    ran = cli("doctor", "--json")

    assert ran.code == 1
    assert ran.json["checks"][-1]["found"] == "RELAYBOOK_ROLE is 'boss'."


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_asks_relaybook_for_completions(shell: str, cli: Cli) -> None:
    script = cli("completion", shell).out

    assert "_RELAYBOOK_COMPLETE=complete_" + shell in script
    assert cli("completion", "tcsh").code == 2


def test_bash_completes_the_commands_that_begin_as_was_typed(tmp_path: Path) -> None:
    asked = {
        "_RELAYBOOK_COMPLETE": "complete_bash",
        "COMP_WORDS": "relaybook co",
        "COMP_CWORD": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", "from relaybook.cli import main; main()"],
        env={**os.environ, **asked},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert set(ran.stdout.split()) == {"completion", "compositions", "config", "contracts", "copy"}
