"""Claim, update and read over HTTP under load by wrk, one and two replicas, both stores.

`python -m benchmarks.load [SECONDS]`; each line is calls a second over those of the SDK's tool
that does nothing, under the same load just before, then the latencies. Two replicas get half of
the connections each. Needs wrk (Debian: apt-get install wrk).
"""

import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
from tests import postgres

from benchmarks.http_client import HttpConnection
from benchmarks.workload import plan

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = (1, 8, 64, 256)
OPERATIONS = ("read", "update", "claim")
TASKS = 150
HEAD = f"{'load':<44} {'ratio':>6} {'calls/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'no-op/s':>9} failed"


@dataclass(frozen=True, slots=True)
class Figures:
    """What wrk found; latencies in seconds, the worst of the replicas."""

    rate: float
    p50: float
    p99: float
    failed: int


def main(seconds: float) -> None:
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        ledgers = (
            ("SQLite", str(Path(folder) / "one.db"), 1),
            ("PostgreSQL", postgres.schema("load_one"), 1),
            ("PostgreSQL", postgres.schema("load_two"), 2),
        )
        for name, store, replicas in ledgers:
            for line in _measured(f"{name}, {replicas} replica(s)", store, replicas, seconds):
                print(line, flush=True)


def _measured(where: str, store: str, replicas: int, seconds: float) -> Iterator[str]:
    with ExitStack() as stack:
        floor = stack.enter_context(_server("benchmarks.http_server", "{port}", "noop"))
        serve = ("relaybook", "serve", "--http", "--port", "{port}", "--role", "all")
        ports = [stack.enter_context(_server(*serve, "--store", store)) for _ in range(replicas)]
        workflow, claim = anyio.run(_filled, ports[0])
        for operation in OPERATIONS:
            for connections in CONNECTIONS:
                bare = _load([floor], connections, seconds, "update", "wf_0", "0")
                found = _load(ports, connections, seconds, operation, workflow, claim)
                yield _line(f"{operation}, {where}, {connections} conn.", found, bare)


def _line(what: str, found: Figures, floor: Figures) -> str:
    return (
        f"{what:<44} {found.rate / (floor.rate or 1):>6.2f} {found.rate:>9.0f} {found.p50 * 1e3:>8.1f}"
        f" {found.p99 * 1e3:>8.1f} {floor.rate:>9.0f} {found.failed}"
    )


@contextmanager
def _server(*module: str) -> Generator[int]:
    """The port of `python -m module`, which is told it in the place of `{port}`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    words = [word.replace("{port}", str(port)) for word in module]
    process = subprocess.Popen([sys.executable, "-m", *words], stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


async def _filled(port: int) -> tuple[str, str]:
    """A workflow, and a claim on one of its tasks."""
    connection = HttpConnection(port)
    await connection.open()
    asked = {"pattern": "fan_out", "tasks": plan(TASKS), "max_parallel": 100, "override": "load"}
    workflow = (await connection.call("create_workflow", asked))[1]["workflow_id"]
    claim = (await connection.call("claim_task", {"workflow_id": workflow}))[1]["claim"]
    await connection.close()
    return workflow, claim


async def _drained(port: int) -> None:
    """Return when the server has answered what the load before had still sent."""
    connection = HttpConnection(port)
    await connection.open()
    with suppress(AssertionError, KeyError):  # a refusal is an answer too
        await connection.call("update_task", {"claim": "0", "status": "pending"})
    await connection.close()


def _load(ports: Sequence[int], connections: int, seconds: float, *said: str) -> Figures:
    """The load on all `ports` at once, the connections divided over them."""
    for port in ports:
        anyio.run(_drained, port)
    share = max(connections // len(ports), 1)
    command = ["wrk", "-t1", f"-c{share}", f"-d{seconds:g}s", "--timeout", "30s", "-s", str(SCRIPT)]
    started = [
        subprocess.Popen(
            [*command, f"http://127.0.0.1:{port}/mcp", "--", *said],
            stdout=subprocess.PIPE,
            text=True,
        )
        for port in ports
    ]
    found = [_read(process.communicate()[0]) for process in started]
    return Figures(
        sum(each.rate for each in found),
        max(each.p50 for each in found),
        max(each.p99 for each in found),
        sum(each.failed for each in found),
    )


def _read(said: str) -> Figures:
    [line] = [line for line in said.splitlines() if line.startswith("figures ")]
    rate, p50, p99, failed = line.split()[1:]
    return Figures(float(rate), float(p50), float(p99), int(failed))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3)
