"""Memory of a server at rest and after many calls, against a stock server; what a model is given.

Both lists of tools were asked for, so that both have built their schemas. The calls are whole
workflows, several side by side, their calls sent together.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.servers import floor_command, server_command
from benchmarks.stdio_client import Era, StdioClient
from benchmarks.table import count
from benchmarks.worker import Call, Calls, calls

ERA: Era = "2026-07-28"
#: How many conversations go on side by side.
TOGETHER = 32
BEATS = 8
CALLS = (10_000, 20_000)
MILLION = (10_000, 100_000, 250_000, 500_000, 750_000, 1_000_000)
TARGET = "<= 1.15"
#: Flat: of the most calls and the fewest.
FLAT_TARGET = "<= 1.02"
TOOLS_TARGET = "<= 10000"
#: The members of a tool that a model is given, each host in words of its own around them.
GIVEN = ("name", "description", "inputSchema")

_NOOP: Call = ("update_task", {"workflow_id": "wf_00000000", "task_id": "t0"})


def run() -> Iterator[str]:
    yield from _tools()
    yield from _after(CALLS)


def run_million() -> Iterator[str]:
    yield from _after(MILLION)


def _after(totals: tuple[int, ...]) -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory() as folder,
        StdioClient(floor_command("noop"), ERA) as floor,
        StdioClient(server_command(Path(folder) / "ledger.db", "normal"), ERA) as ours,
    ):
        for client in (floor, ours):
            client.request("tools/list", {})
        yield _memory("memory at rest / stock server", ours.memory(), floor.memory(), TARGET)
        work, idle = _Working(ours), _idle(floor)
        held: list[int] = []
        done = 0
        for total in totals:
            for number in range(done, total, TOGETHER):
                work()
                if number < totals[0]:  # more make no difference to the stock server
                    idle()
            done = total
            held.append(ours.memory())
            figure = f"memory after {total:,} calls / stock server"
            yield _memory(figure, held[-1], floor.memory(), TARGET)
        figure = f"memory after {totals[-1]:,} calls / {totals[0]:,}"
        yield _memory(figure, held[-1], held[0], FLAT_TARGET)


class _Working:
    """Sends the next call of each conversation, all together."""

    def __init__(self, client: StdioClient) -> None:
        self._client = client
        self._conversations: list[Calls] = [calls(BEATS) for _ in range(TOGETHER)]
        self._next: list[Call] = [next(each) for each in self._conversations]

    def __call__(self) -> None:
        answers = self._client.calls(self._next)
        self._next = [
            conversation.send(answer)
            for conversation, answer in zip(self._conversations, answers, strict=True)
        ]


def _idle(client: StdioClient) -> Callable[[], object]:
    return lambda: client.calls([_NOOP] * TOGETHER)


def _memory(figure: str, held: int, least: int, target: str) -> str:
    return f"{count(figure, held / least, target)} {held / 1e6:>6.1f} MB {least / 1e6:>6.1f} MB"


def _tools() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        command = server_command(Path(folder) / "ledger.db", "normal", "orchestrator")
        with StdioClient(command, ERA) as client:
            tools = client.request("tools/list", {})[1]["tools"]
    given = sum(_size(tool[name]) for tool in tools for name in GIVEN)
    yield count("tools, bytes that a model is given", given, TOOLS_TARGET)
    yield count("tools, tokens of four bytes", given / 4)
    yield count("tools/list, bytes in all", _size(tools))


def _size(value: Any) -> int:
    """Bytes of its compact JSON."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
