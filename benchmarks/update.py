"""update_task over stdio against a tool that does nothing on the same SDK, in both eras.

Beside it the default durability, which syncs every commit, and a bare fsync of 4 kB on the
file system that the ledgers lie on.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.measure import Block, Ratio, Samples, interleave, ratio, timed
from benchmarks.servers import floor_command, server_command
from benchmarks.stdio_client import Era, StdioClient
from benchmarks.table import line
from benchmarks.workload import WIDTH, output, plan

ERAS: tuple[Era, ...] = ("2025-11-25", "2026-07-28")
ROUNDS = 60
#: What a task is given in its life.
VERBS = ("start", "heartbeat", "complete")
#: Of each verb, and of all of them.
TARGET, CLOSE = "<= 1.5", "<= 1.15"


def run() -> Iterator[str]:
    for era in ERAS:
        with tempfile.TemporaryDirectory() as folder:
            yield from _one_era(Path(folder), era)


def _one_era(folder: Path, era: Era) -> Iterator[str]:
    with (
        StdioClient(floor_command("noop"), era) as floor,
        StdioClient(server_command(folder / "normal.db", "normal"), era) as normal,
        StdioClient(server_command(folder / "full.db", "full"), era) as full,
    ):
        updates = _Updates(normal, "normal")
        blocks = [_Noop(floor), updates, _Updates(full, "full")]
        floors = [_fsync(folder / "bare"), lambda: {"loads": timed(updates.load_answer)}]
        samples = interleave([*blocks, *floors], ROUNDS)
    for durability, target in (("normal", TARGET), ("full", "")):
        for verb in VERBS:
            found = ratio(samples[f"{verb} {durability}"], samples[f"{verb} noop"])
            yield line(f"{verb}, {durability} / no-op, {era}", found, target)
        found = ratio(_mean(samples, durability), _mean(samples, "noop"))
        yield line(f"update_task, {durability} / no-op, {era}", found, target and CLOSE)
    yield line(f"update_task, full less an fsync / no-op, {era}", _less_a_sync(samples), CLOSE)
    yield line(f"bare fsync / no-op, {era}", ratio(samples["fsync"], samples["complete noop"]))
    loads = ratio(samples["loads"], samples["start noop"])
    yield line(f"json.loads of a start's answer / no-op, {era}", loads)


def _mean(samples: Samples, name: str) -> list[float]:
    """Of each round: the seconds of a call, over one of each verb."""
    return [
        sum(three) / 3 for three in zip(*(samples[f"{verb} {name}"] for verb in VERBS), strict=True)
    ]


def _less_a_sync(samples: Samples) -> Ratio:
    """What a call takes besides the one fsync that it may wait for."""
    full, noop = _mean(samples, "full"), _mean(samples, "noop")
    rest = [spent - sync for spent, sync in zip(full, samples["fsync"], strict=True)]
    return ratio(rest, noop)


class _Noop:
    """The same messages as `_Updates` sends, to a tool that does nothing."""

    def __init__(self, client: StdioClient) -> None:
        self._client = client
        self._next = 0

    def __call__(self) -> Mapping[str, float]:
        first = self._next
        self._next += WIDTH
        numbers = range(first, self._next)
        claim = "0" * 32
        return {
            "start noop": self._mean([_start("wf_00000000", n) for n in numbers]),
            "heartbeat noop": self._mean([_beat("wf_00000000", n, claim) for n in numbers]),
            "complete noop": self._mean([_end("wf_00000000", n, claim) for n in numbers]),
        }

    def _mean(self, calls: list[dict[str, str]]) -> float:
        return sum(self._client.call("update_task", call)[0] for call in calls) / len(calls)


class _Updates:
    """Starts as many fresh tasks as may run at once, renews their leases, completes them."""

    def __init__(self, client: StdioClient, durability: str) -> None:
        self._client = client
        self._durability = durability
        self._next = 0
        self._answer = b"{}"
        arguments = {"pattern": "fan_out", "tasks": plan((ROUNDS + 2) * WIDTH)}
        self._workflow: str = client.call("create_workflow", arguments)[1]["workflow_id"]

    def __call__(self) -> Mapping[str, float]:
        first = self._next
        self._next += WIDTH
        spent = {"start": 0.0, "heartbeat": 0.0, "complete": 0.0}
        claims: dict[int, str] = {}
        for number in range(first, self._next):
            seconds, answer = self._client.call("update_task", _start(self._workflow, number))
            spent["start"] += seconds
            claims[number] = answer["claim"]
        self._answer = self._client.line
        for number, claim in claims.items():
            call = _beat(self._workflow, number, claim)
            spent["heartbeat"] += self._client.call("update_task", call)[0]
        for number, claim in claims.items():
            call = _end(self._workflow, number, claim)
            spent["complete"] += self._client.call("update_task", call)[0]
        return {f"{verb} {self._durability}": total / WIDTH for verb, total in spent.items()}

    def load_answer(self) -> object:
        """What every client does with the answer to a start."""
        return json.loads(self._answer)


def _start(workflow: str, number: int) -> dict[str, str]:
    return {"workflow_id": workflow, "task_id": f"t{number}", "status": "in_progress"}


def _beat(workflow: str, number: int, claim: str) -> dict[str, str]:
    return {**_start(workflow, number), "claim": claim}


def _end(workflow: str, number: int, claim: str) -> dict[str, str]:
    said = {"status": "completed", "claim": claim, "output": output(number)}
    return {**_start(workflow, number), **said}


def _fsync(path: Path) -> Block:
    file = path.open("wb", buffering=0)

    def block() -> Mapping[str, float]:
        total = 0.0
        for _ in range(WIDTH):
            start = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            total += time.perf_counter() - start
        return {"fsync": total / WIDTH}

    return block
