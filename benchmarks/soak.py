"""A constant load of 70 % for long: whether memory and latency stay flat.

`python -m benchmarks.soak [MINUTES] [sqlite|postgres …]`, by `make soak-http`. First every
connection calls again as soon as it is answered, which warms the server up and says how much it
takes; then calls are due at a constant rate, and a latency counts from the moment that its call
was due. Besides, a client of 2025-11-25 comes, subscribes, reads and goes, again and again, and
the stock tool that does nothing, on a server of its own, tells how fast the machine is just then.
It ends with exit code 1 if a call fails or a target is missed.
"""

import logging
import statistics
import sys
import tempfile
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests import postgres

from benchmarks.http_client import HttpConnection
from benchmarks.servers import Served, http_command, listening
from benchmarks.worker import calls

MINUTES, STORES = 30.0, ("sqlite", "postgres")
CONNECTIONS = 16
#: How long the load is as large as it can be, in seconds, and what share of it follows.
FULL_SECONDS, SHARE = 60.0, 0.7
#: Seconds between two visits of an older client.
VISIT_SECONDS = 1.0
#: The stock tool that does nothing, on the stock server, and what it is given.
FLOOR = ["-m", "benchmarks.http_server", "{port}", "noop"]
NOOP = {"workflow_id": "wf_00000000", "task_id": "t0", "status": "in_progress"}
#: Seconds between two calls of the tool that does nothing.
PROBE_SECONDS = 0.1
#: How many stretches of time are looked at: minutes, if there are 30 of them.
SAMPLES = 30
#: Of the last third of the samples over the first.
MEMORY_TARGET, P50_TARGET = 1.05, 1.10
HEAD = (
    f"{'minute':>6} {'calls/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'no-op ms':>9} {'cpu ms':>7}"
    f" {'memory MB':>10} {'log MB':>7}"
)

#: Waits until a call is due and answers when that was.
Pace = Callable[[], Awaitable[float]]


@dataclass(slots=True)
class Sample:
    """What one stretch of time showed: latencies in seconds, sizes in bytes."""

    latencies: list[float] = field(default_factory=list[float])
    #: Of the tool that does nothing.
    floor: list[float] = field(default_factory=list[float])
    #: Seconds of processor time.
    cpu: float = 0.0
    memory: int = 0
    #: Of SQLite's write-ahead log.
    log: int = 0

    def p(self, percent: int) -> float:
        return statistics.quantiles(self.latencies, n=100, method="inclusive")[percent - 1]

    @property
    def floor_p50(self) -> float:
        return statistics.median(self.floor)

    @property
    def cpu_of_a_call(self) -> float:
        return self.cpu / len(self.latencies)


class Soak:
    """One server under load."""

    def __init__(self, server: Served, floor: Served, store: str) -> None:
        self._server = server
        self._floor = floor
        self._log = Path(f"{store}-wal")
        self._sample = Sample()

    async def run(self, seconds: float) -> list[Sample]:
        """Samples of that many seconds each, after those of the full load."""
        rate = SHARE * await self._full()
        print(f"{SHARE:.0%} of the most that it takes are {rate:.0f} calls/s\n{HEAD}", flush=True)
        pace, samples = constant(rate), list[Sample]()
        async with anyio.create_task_group() as group:
            group.start_soon(self._visits)
            group.start_soon(self._probe)
            for _ in range(CONNECTIONS):
                group.start_soon(self._work, pace)
            for number in range(SAMPLES):
                samples.append(await self._sampled(seconds))
                print(_line((number + 1) * seconds / 60, samples[-1], seconds), flush=True)
            group.cancel_scope.cancel()
        return samples

    async def _full(self) -> float:
        """The calls a second that the server takes."""
        async with anyio.create_task_group() as group:
            for _ in range(CONNECTIONS):
                group.start_soon(self._work, at_once)
            await self._sampled(FULL_SECONDS)
            group.cancel_scope.cancel()
        return len(self._sample.latencies) / FULL_SECONDS

    async def _sampled(self, seconds: float) -> Sample:
        self._sample, before = Sample(), self._server.cpu()
        await anyio.sleep(seconds)
        self._sample.cpu = self._server.cpu() - before
        self._sample.memory = self._server.memory()
        self._sample.log = self._log.stat().st_size if self._log.exists() else 0
        return self._sample

    async def _work(self, pace: Pace) -> None:
        """An orchestrator and its worker on one connection, a call whenever one is due."""
        connection = HttpConnection(self._server.port)
        await connection.open()
        doing = calls()
        tool, arguments = next(doing)
        while True:
            due = await pace()
            _, answer = await connection.call(tool, arguments)
            self._sample.latencies.append(anyio.current_time() - due)
            tool, arguments = doing.send(answer)

    async def _probe(self) -> None:
        connection = HttpConnection(self._floor.port)
        await connection.open()
        while True:
            took, _ = await connection.call("update_task", NOOP)
            self._sample.floor.append(took)
            await anyio.sleep(PROBE_SECONDS)

    async def _visits(self) -> None:
        url = f"http://127.0.0.1:{self._server.port}/mcp"
        while True:
            async with httpx2.AsyncClient() as http:
                transport = streamable_http_client(url, http_client=http)
                async with Client(transport, mode="legacy") as client:
                    with warnings.catch_warnings(action="ignore"):  # newer clients listen
                        await client.session.subscribe_resource("ledger://workflows")  # pyright: ignore[reportDeprecated]
                    await client.read_resource("ledger://workflows/active")
            await anyio.sleep(VISIT_SECONDS)


async def at_once() -> float:
    """The pace of one who waits for nothing but the answer before."""
    return anyio.current_time()


def constant(rate: float) -> Pace:
    """A pace that all who are given it share: `rate` calls a second, from now on."""
    following = anyio.current_time()

    async def next_due() -> float:
        nonlocal following
        due, following = following, following + 1 / rate
        await anyio.sleep_until(due)
        return due

    return next_due


def _line(minute: float, sample: Sample, seconds: float) -> str:
    return (
        f"{minute:>6.1f} {len(sample.latencies) / seconds:>8.0f} {sample.p(50) * 1e3:>8.1f}"
        f" {sample.p(99) * 1e3:>8.1f} {sample.floor_p50 * 1e3:>9.1f}"
        f" {sample.cpu_of_a_call * 1e3:>7.2f} {sample.memory / 1e6:>10.1f} {sample.log / 1e6:>7.1f}"
    )


def _summary(samples: Sequence[Sample]) -> bool:
    """Print the last third over the first; whether the targets are met."""
    third = len(samples) // 3
    first, last = samples[:third], samples[-third:]

    def ratio(of: Callable[[Sample], float]) -> float:
        return statistics.median(map(of, last)) / statistics.median(map(of, first))

    memory, p50 = ratio(lambda each: each.memory), ratio(lambda each: each.p(50))
    p50_over_floor = ratio(lambda each: each.p(50) / each.floor_p50)
    print(f"last third / first third: memory {memory:.3f} (target <= {MEMORY_TARGET}),", end=" ")
    print(f"p50 over the no-op's {p50_over_floor:.2f} (target <= {P50_TARGET}), p50 {p50:.2f},")
    cpu, p99 = ratio(lambda each: each.cpu_of_a_call), ratio(lambda each: each.p(99))
    print(f"p99 {p99:.2f}, processor time of a call {cpu:.2f}")
    return memory <= MEMORY_TARGET and p50_over_floor <= P50_TARGET


def main(minutes: float, stores: Sequence[str]) -> None:
    logging.disable()  # a client that goes while it is told something says so
    met: list[bool] = []
    for name in stores:
        with tempfile.TemporaryDirectory() as folder:
            sqlite = name == "sqlite"
            store = f"{folder}/soak.db" if sqlite else postgres.schema("soak", fsync=True)
            print(f"{name}, {minutes:g} minutes", flush=True)
            with listening(http_command(store)) as server, listening(FLOOR) as floor:
                soak = Soak(server, floor, store)
                met.append(_summary(anyio.run(soak.run, minutes * 60 / SAMPLES)))
    sys.exit(not all(met))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES, sys.argv[2:] or STORES)
