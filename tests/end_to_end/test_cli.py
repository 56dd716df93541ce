import json
from pathlib import Path

import pytest

from relaybook import __version__

from .conftest import SERVER, Run


def test_the_version_is_printed(relaybook_process: Run) -> None:
    out, _ = relaybook_process("--version").communicate(timeout=20)

    assert out == f"relaybook {__version__}\n"


HEAVY = {"mcp", "jinja2", "jsonschema", "rich", "yaml"}


@pytest.mark.parametrize(
    ("command", "needed", "unwanted"),
    [("--version", "typer", {*HEAVY, "sqlite_utils", "pydantic"}), ("list", "sqlite_utils", HEAVY)],
)
def test_a_command_imports_only_what_it_needs(
    command: str, needed: str, unwanted: set[str], relaybook_process: Run
) -> None:
    process = relaybook_process(command, PYTHONPROFILEIMPORTTIME="1", PYTHONPATH=str(SERVER))

    _, times = process.communicate(timeout=20)

    imported = {line.rpartition("|")[2].strip() for line in times.splitlines()}
    assert needed in imported
    assert not imported & unwanted


def test_a_ledger_that_is_not_there_is_refused_and_not_made(
    relaybook_process: Run, tmp_path: Path
) -> None:
    missing = tmp_path / "no" / "ledger.db"
    process = relaybook_process("work", "--command", "cat", "--store", str(missing))

    _, said = process.communicate(timeout=20)

    assert process.returncode == 5
    assert said.startswith(f"error[store_unreachable]: There is no ledger at {str(missing)!r}.")
    assert not missing.parent.exists()


def test_a_store_that_cannot_be_made_is_refused(relaybook_process: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    process = relaybook_process("serve", "--store", str(tmp_path / "file" / "ledger.db"), "--json")

    _, said = process.communicate(timeout=20)

    refusal = json.loads(said)
    assert (process.returncode, refusal["code"]) == (5, "store_unreachable")
    assert refusal["next"] == "name a path that can be written with --store or RELAYBOOK_STORE"


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("no-such-program-anywhere", "'no-such-program-anywhere' is not a program"),
        ("", "nothing is not a program"),
        ("'open", "No closing quotation"),
    ],
)
def test_a_command_that_cannot_run_is_a_mistake_of_usage(
    command: str, complaint: str, relaybook_process: Run
) -> None:
    process = relaybook_process("work", "--command", command)

    _, said = process.communicate(timeout=20)

    assert process.returncode == 2
    assert complaint in said


@pytest.mark.requirement("S71")
def test_a_worker_cannot_start_workers(relaybook_process: Run) -> None:
    process = relaybook_process("work", "--command", "cat", RELAYBOOK_ROLE="worker")

    _, said = process.communicate(timeout=20)

    assert process.returncode == 1
    assert said.startswith("error[forbidden]: A worker cannot start workers.")
