"""How the servers under measurement are started."""

import os
import socket
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from relaybook.settings import Durability


@dataclass(frozen=True, slots=True)
class Served:
    """A server's process, and where it listens or will soon."""

    pid: int
    port: int

    def memory(self) -> int:
        """Bytes that it holds in memory, as Linux counts them."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def cpu(self) -> float:
        """Seconds of processor time that it took."""
        status = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        user, system = status.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def server_command(store: Path, durability: Durability, role: str = "all") -> list[str]:
    """Relaybook on the ledger at `store`, with the tools of `role`."""
    where = ["--store", str(store), "--durability", durability]
    return [sys.executable, "-m", "relaybook", "serve", *where, "--role", role]


def floor_command(tool: Literal["noop", "empty"]) -> list[str]:
    """A stock server of the SDK with that one tool."""
    return [sys.executable, "-m", "benchmarks.floor_server", tool]


def http_command(store: str) -> list[str]:
    """What Python is told to serve relaybook on that ledger over HTTP, for `listening`."""
    return [
        "-m",
        "relaybook",
        "serve",
        "--http",
        "--port",
        "{port}",
        "--role",
        "all",
        "--store",
        store,
    ]


@contextmanager
def listening(command: Sequence[str]) -> Generator[Served]:
    """A process of Python with these arguments, in which `{port}` stands for the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    words = [word.replace("{port}", str(port)) for word in command]
    process = subprocess.Popen([sys.executable, *words], stderr=subprocess.DEVNULL)
    try:
        yield Served(process.pid, port)
    finally:
        process.kill()
        process.wait()
