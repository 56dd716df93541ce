"""update_task over HTTP: at 1, 8 and 64 connections, against a tool that does nothing; commits.

Every connection works on a workflow of its own: it starts tasks and completes them.
"""

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from benchmarks.http_client import HttpConnection
from benchmarks.measure import ratio
from benchmarks.table import count, line
from benchmarks.workload import output, plan
from relaybook.surface.http.serve import has_uvloop

CONNECTIONS = (1, 8, 64)
#: Calls of a round over all connections, and rounds.
CALLS, ROUNDS = 128, 10
TARGET = "<= 1.15"
COMMITS_TARGET = "<= 0.33"


@dataclass(slots=True)
class _Server:
    """A server's process and port, and what was sent to it."""

    process: subprocess.Popen[str]
    port: int
    connections: list[HttpConnection] = field(default_factory=list[HttpConnection])
    #: One of each connection, and how many of its tasks are done.
    workflows: list[str] = field(default_factory=list[str])
    done: int = 0

    def stop(self) -> int:
        """The commits that it counted; 0 of the floor."""
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=60)
        return int(said or 0)


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        for connections in CONNECTIONS:
            yield from anyio.run(_measured, Path(name), connections)


async def _measured(folder: Path, connections: int) -> Sequence[str]:
    servers = {
        "noop": _start("noop"),
        "normal": _start(str(folder / f"normal{connections}.db"), "normal"),
        "full": _start(str(folder / f"full{connections}.db"), "full"),
    }
    if has_uvloop():
        ledger = str(folder / f"uvloop{connections}.db")
        servers["uvloop"] = _start(ledger, "normal", "uvloop")
    spent: dict[str, list[float]] = {name: [] for name in servers}
    for name, server in servers.items():
        await _connect(server, connections, noop=name == "noop")
    for number in range(-1, ROUNDS):
        for name, server in servers.items():
            seconds = await _round(server)
            if number >= 0:
                spent[name].append(seconds)
    for connection in [each for server in servers.values() for each in server.connections]:
        await connection.close()
    commits = {name: server.stop() - connections for name, server in servers.items()}
    calls = 2 * servers["full"].done * connections
    where = f"update_task, HTTP, {connections} connection(s)"
    return [
        line(f"{where}, normal / no-op", ratio(spent["normal"], spent["noop"]), TARGET),
        *_with_uvloop(where, spent),
        line(f"{where}, full / no-op", ratio(spent["full"], spent["noop"])),
        count(
            f"commits a call, full, {connections} connection(s)",
            commits["full"] / calls,
            COMMITS_TARGET if connections == max(CONNECTIONS) else "",
        ),
    ]


def _with_uvloop(where: str, spent: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """The same with another event loop, if it is installed."""
    if "uvloop" in spent:
        for floor in ("noop", "normal"):
            yield line(f"{where}, uvloop / {floor}", ratio(spent["uvloop"], spent[floor]))


def _start(*what: str) -> _Server:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.http_server", str(port), *what]
    return _Server(subprocess.Popen(command, stdout=subprocess.PIPE, text=True), port)


async def _connect(server: _Server, connections: int, *, noop: bool) -> None:
    tasks = (ROUNDS + 1) * _tasks_a_round(connections)
    for _ in range(connections):
        connection = HttpConnection(server.port)
        await connection.open()
        server.connections.append(connection)
        if noop:
            server.workflows.append("wf_00000000")
        else:
            asked = {"pattern": "fan_out", "tasks": plan(tasks)}
            made = (await connection.call("create_workflow", asked))[1]
            server.workflows.append(made["workflow_id"])


def _tasks_a_round(connections: int) -> int:
    return CALLS // 2 // connections


async def _round(server: _Server) -> float:
    """The seconds of a call, by how long all of them took together."""
    tasks = _tasks_a_round(len(server.connections))
    start = time.perf_counter()
    async with anyio.create_task_group() as group:
        for connection, name in zip(server.connections, server.workflows, strict=True):
            group.start_soon(_work, connection, name, range(server.done, server.done + tasks))
    server.done += tasks
    return (time.perf_counter() - start) / (2 * tasks * len(server.connections))


async def _work(connection: HttpConnection, workflow: str, tasks: range) -> None:
    for number in tasks:
        said = {"workflow_id": workflow, "task_id": f"t{number}"}
        answer = (await connection.call("update_task", {**said, "status": "in_progress"}))[1]
        ended = {"status": "completed", "claim": answer.get("claim", ""), "output": output(number)}
        await connection.call("update_task", {**said, **ended})
