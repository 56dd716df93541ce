"""From spawning a server to its first answer, against a stock server with one empty tool.

And the processor's time of a command that serves nothing, against that of a server's start.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Block, interleave, ratio
from benchmarks.servers import floor_command, server_command
from benchmarks.stdio_client import StdioClient
from benchmarks.table import line
from relaybook.store.sqlite import SqliteStore

ROUNDS = 15
TARGET = "<= 1.15"
COMMAND_TARGET = "<= 0.33"


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "ledger.db"
        SqliteStore(store).close()
        blocks = [
            _first_answer("floor", floor_command("empty")),
            _first_answer("relaybook", server_command(store, "normal")),
            _processor_time("server", server_command(store, "normal")),
            _processor_time("list", _command(store, "list")),
            _processor_time("items", _command(store, "items", "list")),
        ]
        samples = interleave(blocks, ROUNDS)
    yield line(
        "start to first tools/list / empty tool",
        ratio(samples["relaybook"], samples["floor"]),
        TARGET,
    )
    for name in ("list", "items"):
        found = ratio(samples[name], samples["server"])
        yield line(f"processor's time: {name} / start of serve", found, COMMAND_TARGET)


def _command(store: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "relaybook", *words, "--store", str(store)]


def _first_answer(name: str, command: Sequence[str]) -> Block:
    def block() -> Mapping[str, float]:
        start = time.perf_counter()
        with StdioClient(command, "2026-07-28") as client:
            client.request("tools/list", {})
            seconds = time.perf_counter() - start
        return {name: seconds}

    return block


def _processor_time(name: str, command: Sequence[str]) -> Block:
    """The seconds of processor that a process takes which is given no input."""

    def block() -> Mapping[str, float]:
        before = os.times()
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        children = (after.children_user, after.children_system)
        return {name: sum(children) - before.children_user - before.children_system}

    return block
