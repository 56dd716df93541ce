import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import relaybook
from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore

Run = Callable[..., "subprocess.Popen[str]"]

SERVER = Path(relaybook.__file__).parents[1]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def engine(ledger: Path) -> Iterator[Engine]:
    store = SqliteStore(ledger, durability="normal")
    yield Engine(store)
    store.close()


@pytest.fixture
def relaybook_process(tmp_path: Path) -> Iterator[Run]:
    """Starts `python -m relaybook` with the arguments given; ends what still runs."""
    started: list[subprocess.Popen[str]] = []

    def start(
        *args: str, stdin: int = subprocess.DEVNULL, **variables: str
    ) -> "subprocess.Popen[str]":
        kept = {key: value for key, value in os.environ.items() if "RELAYBOOK" not in key}
        process = subprocess.Popen(
            [sys.executable, "-m", "relaybook", *args],
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": str(SERVER), "HOME": str(tmp_path), **variables},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # As a terminal starts it, even where the tests run in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
