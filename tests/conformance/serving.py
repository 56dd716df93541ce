"""A server in a process of its own, for as long as it is needed."""

import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.conformance.kit import REPO, Kit


@contextmanager
def fixture_server(kit: Kit) -> Generator[str]:
    """The URL of relaybook with the suite's fixtures."""
    ledger = kit.scratch / "fixtures.db"
    with _serving(kit, [sys.executable, "-m", "tests.conformance.server", str(ledger)]) as url:
        yield url


@contextmanager
def http_server(kit: Kit) -> Generator[str]:
    """The URL of relaybook as it is, on the ledger that stdio clients of the kit share."""
    with _serving(
        kit, [str(kit.scratch / "bin" / "relaybook"), "serve", "--http", "--port=0"]
    ) as url:
        yield url


@contextmanager
def _serving(kit: Kit, command: Sequence[str]) -> Generator[str]:
    process = subprocess.Popen(
        command,
        cwd=REPO,
        env=kit.environment() | {"PYTHONPATH": f"{REPO / 'server'}:{REPO}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield _url(process.stdout.readline())
    finally:
        process.terminate()
        told = process.communicate(timeout=60)[0]
        (kit.scratch / f"{Path(command[0]).name}.log").write_text(told, encoding="utf-8")


def _url(line: str) -> str:
    _, found, address = line.strip().rpartition("http://")
    assert found, f"the server did not start: {line}"
    return found + address
