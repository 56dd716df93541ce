"""From spawning a server to its first answer, against a stock server with one empty tool."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Block, interleave, ratio
from benchmarks.servers import floor_command, server_command
from benchmarks.stdio_client import StdioClient
from benchmarks.table import line

ROUNDS = 15
TARGET = "<= 1.15"


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "ledger.db"
        blocks = [
            _first_answer("floor", floor_command("empty")),
            _first_answer("relaybook", server_command(store, "normal")),
        ]
        samples = interleave(blocks, ROUNDS)
    yield line(
        "start to first tools/list / empty tool",
        ratio(samples["relaybook"], samples["floor"]),
        TARGET,
    )


def _first_answer(name: str, command: Sequence[str]) -> Block:
    def block() -> Mapping[str, float]:
        start = time.perf_counter()
        with StdioClient(command, "2026-07-28") as client:
            client.request("tools/list", {})
            seconds = time.perf_counter() - start
        return {name: seconds}

    return block
