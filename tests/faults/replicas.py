"""Real server processes on one ledger, each with a wrong clock, that are killed and come back."""

import os
import random
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import anyio
import httpx2
from mcp import StdioServerParameters

from tests.helpers import PROMPTS

ROOT = Path(__file__).parents[2]
#: Runs the command line with the time of day wrong by the seconds of its first argument, after
#: it wrote its process id into the file of the second.
SKEWED = """
import os, sys, time
skew, true = float(sys.argv[1]), time.time
time.time = lambda: true() + skew
with open(sys.argv[2], "w") as file:
    file.write(str(os.getpid()))
sys.argv[1:3] = []
from relaybook.cli import main
main()
"""
SKEWS = (0.0, 3600.0, -86_400.0)
PATIENCE = 60


def arguments(store: str, skew: float, pid_file: Path, *more: str) -> list[str]:
    serving = ["serve", "--role", "all", "--store", store, "--prompts", str(PROMPTS)]
    return ["-c", SKEWED, str(skew), str(pid_file), *serving, *more]


def environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if "RELAYBOOK" not in key}
    return kept | {"PYTHONPATH": str(ROOT / "server")}


class Replica:
    """A server over HTTP, always on the same port."""

    def __init__(self, store: str, number: int, folder: Path) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        self._argv = [
            sys.executable,
            *arguments(store, SKEWS[number % len(SKEWS)], folder / f"replica-{number}.pid"),
            *("--http", "--port", str(self.port)),
        ]
        self._log = folder / f"replica-{number}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def ready(self) -> None:
        """Return when it answers."""
        page = f"http://127.0.0.1:{self.port}/health"
        async with httpx2.AsyncClient() as client:
            with anyio.fail_after(PATIENCE):
                while True:
                    with suppress(httpx2.HTTPError):
                        if (await client.get(page)).status_code == 200:
                            return
                    await anyio.sleep(0.05)


def over_stdio(store: str, client: str, number: int, folder: Path) -> StdioServerParameters:
    """A server for one client alone; times of one machine differ little, so its clock is right."""
    return StdioServerParameters(
        command=sys.executable,
        args=arguments(store, 0.0, folder / f"{client}.pid"),
        env=environment(),
    )


def kill_one(folder: Path, draw: random.Random) -> bool:
    """Kill one of the servers over stdio that wrote their process ids into `folder`, if it runs."""
    found = sorted(folder.glob("*.pid"))
    if found:
        with suppress(ProcessLookupError, ValueError):
            os.kill(int(draw.choice(found).read_text("utf-8")), signal.SIGKILL)
            return True
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
