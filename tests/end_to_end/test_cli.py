import json
from pathlib import Path
from subprocess import PIPE

import pytest

from relaybook import __version__
from relaybook.engine import Engine, Verb
from relaybook.store.sqlite import SqliteStore

from .conftest import SERVER, Run


def test_the_version_is_printed(relaybook_process: Run) -> None:
    out, _ = relaybook_process("--version").communicate(timeout=20)

    assert out == f"relaybook {__version__}\n"


PROFILED = {"PYTHONPROFILEIMPORTTIME": "1", "PYTHONPATH": str(SERVER)}
#: Each costs a start tens of milliseconds. The SDK itself imports some of them.
OF_SDK = {"mcp", "anyio", "pydantic", "opentelemetry", "rich"}
OTHERS = {"jinja2", "jsonschema", "yaml", "rapidfuzz", "jsonschema_rs", "psycopg"}

LIST_TOOLS = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/list",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    },
}


def imported(times: str) -> set[str]:
    return {line.rpartition("|")[2].strip() for line in times.splitlines()}


@pytest.mark.parametrize(
    ("command", "needed", "unwanted"),
    [
        ("--version", "typer", "sqlite_utils"),
        ("list", "sqlite_utils", "relaybook.core.task.machine"),
        ("items list", "sqlite_utils", "relaybook.core.task.machine"),
    ],
)
def test_a_command_that_looks_imports_only_what_it_needs(
    command: str, needed: str, unwanted: str, relaybook_process: Run, tmp_path: Path
) -> None:
    SqliteStore(tmp_path / "ledger.db").close()
    process = relaybook_process(
        *command.split(), **PROFILED, RELAYBOOK_STORE=str(tmp_path / "ledger.db")
    )

    _, times = process.communicate(timeout=60)

    assert needed in imported(times)
    assert not imported(times) & {*OF_SDK, *OTHERS, unwanted}


def test_a_server_lists_its_tools_before_it_imports_a_verb(
    relaybook_process: Run, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.db"
    process = relaybook_process("serve", "--store", str(ledger), stdin=PIPE, **PROFILED)

    answer, times = process.communicate(f"{json.dumps(LIST_TOOLS)}\n", timeout=60)

    verbs = {verb.module for verb in vars(Engine).values() if isinstance(verb, Verb)}
    assert len(json.loads(answer)["result"]["tools"]) == 13
    assert imported(times) >= {"mcp", "sqlite3"}
    assert imported(times) & {*OTHERS, *verbs, "sqlite_utils"} == set()


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
