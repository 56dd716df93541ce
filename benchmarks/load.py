"""Claim, update and read over HTTP under load by wrk, one and two replicas, both stores.

`python -m benchmarks.load [SECONDS]`, by `make bench-http`. Each line is a load on relaybook and
the same load, just before, on as many of the SDK's servers with a tool that does nothing; the
connections are divided over the replicas. A call that is refused is a failure: it ends with
exit code 1 if there was one. Ledgers are as durable as they are by default.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import anyio
from tests import postgres

from benchmarks.http_client import HttpConnection
from benchmarks.servers import http_command, listening
from benchmarks.workload import plan
from benchmarks.wrk import Figures, load

SECONDS = 10.0
CONNECTIONS = (1, 8, 64, 256)
OPERATIONS = ("read", "update", "claim")
#: As many tasks are in progress at once as there are connections, and some are left to claim.
WORKFLOWS, TASKS, HELD = 16, 48, 16
HEAD = (
    f"{'':<40} {'':>6} | {'relaybook':^26} | {'no-op':^26} |\n"
    f"{'load':<40} {'ratio':>6} | {'calls/s':>8} {'p50 ms':>8} {'p99 ms':>8} |"
    f" {'calls/s':>8} {'p50 ms':>8} {'p99 ms':>8} | failed"
)


def main(seconds: float) -> None:
    print(HEAD, flush=True)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        ledgers = (
            ("SQLite", str(Path(folder) / "one.db"), 1),
            ("PostgreSQL", postgres.schema("load_one", fsync=True), 1),
            ("PostgreSQL", postgres.schema("load_two", fsync=True), 2),
        )
        for name, store, replicas in ledgers:
            where = f"{name}, {replicas} replica{'s' if replicas > 1 else ''}"
            for what, found, bare in _measured(store, replicas, seconds):
                print(_line(f"{what}, {where}", found, bare), flush=True)
                failed += found.failed + bare.failed
    if failed:
        sys.exit(f"{failed} calls failed: these figures are of no use")


def _measured(store: str, replicas: int, seconds: float) -> Iterator[tuple[str, Figures, Figures]]:
    with ExitStack() as stack:
        floor = [
            stack.enter_context(listening(["-m", "benchmarks.http_server", "{port}", "noop"])).port
            for _ in range(replicas)
        ]
        ports = [stack.enter_context(listening(http_command(store))).port for _ in range(replicas)]
        for operation in OPERATIONS:
            for connections in CONNECTIONS:
                names = anyio.run(_filled, ports[0], operation)
                bare = load(floor, connections, seconds, "update", *names)
                found = load(ports, connections, seconds, operation, *names)
                for port in ports:
                    anyio.run(_drained, port)
                yield f"{operation}, {connections} conn.", found, bare


def _line(what: str, found: Figures, bare: Figures) -> str:
    failed = found.failed + bare.failed
    refusal = found.refusal or bare.refusal
    told = f"{failed}: {refusal}" if failed else "0"
    return f"{what:<40} {found.rate / bare.rate:>6.2f} | {_shown(found)} | {_shown(bare)} | {told}"


def _shown(figures: Figures) -> str:
    return f"{figures.rate:>8.0f} {figures.p50 * 1e3:>8.1f} {figures.p99 * 1e3:>8.1f}"


async def _filled(port: int, operation: str) -> list[str]:
    """The names that the operation is told: new workflows, or claims on their tasks."""
    connection = HttpConnection(port)
    await connection.open()
    asked = {"pattern": "fan_out", "tasks": plan(TASKS), "max_parallel": TASKS, "override": "load"}
    workflows = [
        (await connection.call("create_workflow", asked))[1]["workflow_id"]
        for _ in range(WORKFLOWS)
    ]
    claims = [
        (await connection.call("claim_task", {"workflow_id": workflow}))[1]["claim"]
        for _ in range(HELD if operation == "update" else 0)
        for workflow in workflows
    ]
    await connection.close()
    return claims or workflows


async def _drained(port: int) -> None:
    """Return when the server has answered what the load before had still sent."""
    connection = HttpConnection(port)
    await connection.open()
    with suppress(AssertionError):  # a refusal is an answer too
        await connection.call("update_task", {"claim": "0", "status": "pending"})
    await connection.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
