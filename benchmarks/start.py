"""From spawning a server to its first answer, against a stock server with one empty tool.

And the processor's time of commands that serve nothing, beside that of a Python that does nothing,
and of one that only imports what reads a command line and what opens a ledger.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Block, interleave, ratio
from benchmarks.servers import floor_command, server_command
from benchmarks.six import new_workflow
from benchmarks.stdio_client import StdioClient
from benchmarks.table import amount, line
from benchmarks.workload import plan
from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore

ROUNDS = 15
SMALL = 3
TARGET = "<= 1.10"
#: Milliseconds of the processor.
COMMAND_TARGET = "<= 150"
#: What is called most, by name.
COMMANDS: Mapping[str, Sequence[str]] = {
    "create": ("create", "--pattern", "fan_out", "--tasks", json.dumps(plan(SMALL))),
    "status": ("status", "--id", "{workflow}"),
    "aggregate": ("aggregate", "--id", "{workflow}"),
    "list": ("list",),
    "items": ("items", "list"),
    "templates": ("templates", "list"),
}

#: What Python is told to do that commands cannot do without.
BARE: Mapping[str, str] = {
    "Python alone": "",
    "Python, typer and sqlite-utils": "import typer, sqlite_utils",
}


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "ledger.db"
        engine = Engine(SqliteStore(store))
        workflow = new_workflow(engine, SMALL)
        engine.store.close()
        commands = {
            name: _command(store, *(word.replace("{workflow}", workflow) for word in words))
            for name, words in COMMANDS.items()
        }
        blocks = [
            _first_answer("floor", floor_command("empty")),
            _first_answer("relaybook", server_command(store, "normal")),
            *(_processor_time(name, [sys.executable, "-c", code]) for name, code in BARE.items()),
            *(_processor_time(name, command) for name, command in commands.items()),
        ]
        samples = interleave(blocks, ROUNDS)
    yield line(
        "start to first tools/list / empty tool",
        ratio(samples["relaybook"], samples["floor"]),
        TARGET,
    )
    for name in COMMANDS:
        yield amount(f"ms of the processor: {name}", samples[name], 1e3, COMMAND_TARGET)
    for name in BARE:
        yield amount(f"ms of the processor: {name}", samples[name], 1e3)


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
