import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from relaybook.cli import app
from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from tests.helpers import PROMPTS, complete, start, task, workflow


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Ran]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The file that commands use; nothing is there yet."""
    return tmp_path / "ledger.db"


@pytest.fixture
def cli(ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs a command in an empty folder, with `ledger` as its ledger."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELAYBOOK_ROLE", raising=False)
    monkeypatch.setenv("RELAYBOOK_STORE", str(ledger))

    def run(*args: str, stdin: str = "") -> Ran:
        ran = CliRunner().invoke(app, list(args), input=stdin, prog_name="relaybook")
        if ran.exception and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return Ran(ran.exit_code, ran.stdout, ran.stderr)

    return run


@pytest.fixture
def twin(ledger: Path, tmp_path: Path) -> tuple[Engine, str]:
    """An engine on a copy of `ledger`, and the id of the workflow that stands in both.

    Its task `a` is completed, `b` is in progress, `c` and `d` are ready.
    """
    store = SqliteStore(ledger, "normal")
    engine = Engine(store, (PROMPTS,))
    plan = [task(name, done=["it is there"]) for name in "abcd"]
    id = workflow(engine, *plan, project="ours")
    start(engine, id, "a")
    complete(engine, id, "a")
    start(engine, id, "b", session_key="s-b")
    store.close()
    copy = shutil.copy(ledger, tmp_path / "copy.db")
    return Engine(SqliteStore(Path(copy), "normal"), (PROMPTS,)), id


#: What makes a command know the templates of `twin`.
FOLDER = ("--prompts", str(PROMPTS))
