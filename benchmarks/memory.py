"""Memory of a server at rest and after many calls, against a stock server; what a model is given.

Both lists of tools were asked for, so that both have built their schemas.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.servers import floor_command, server_command
from benchmarks.stdio_client import Era, StdioClient
from benchmarks.table import count
from benchmarks.workload import plan

ERA: Era = "2026-07-28"
CALLS = 10_000
TARGET = "<= 1.15"
TOOLS_TARGET = "<= 10000"


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        command = server_command(Path(folder) / "ledger.db", "normal", "orchestrator")
        with StdioClient(floor_command("noop"), ERA) as floor, StdioClient(command, ERA) as ours:
            tools = [client.request("tools/list", {})[1]["tools"] for client in (floor, ours)][1]
            yield _memory("memory at rest / stock server", ours, floor)
            beat, noop = _heartbeat(ours), {"workflow_id": "wf_00000000", "task_id": "t0"}
            for calls in (CALLS, 2 * CALLS):
                for _ in range(CALLS):
                    ours.call("update_task", beat)
                    floor.call("update_task", noop)
                yield _memory(f"memory after {calls:,} calls / stock server", ours, floor)
    size = sum(len(json.dumps(_given(tool), separators=(",", ":"))) for tool in tools)
    yield count("tools, bytes that a model is given", size, TOOLS_TARGET)
    yield count("tools, tokens", size / 4)
    whole = len(json.dumps(tools, separators=(",", ":")))
    yield count("tools/list, bytes in all", whole)


def _memory(figure: str, ours: StdioClient, floor: StdioClient) -> str:
    held, least = ours.memory(), floor.memory()
    shown = f"{held / 1e6:>6.1f} MB {least / 1e6:>6.1f} MB"
    return f"{count(figure, held / least, TARGET)} {shown}"


def _heartbeat(client: StdioClient) -> dict[str, str]:
    """The arguments of a heartbeat of a task in progress."""
    made = client.call("create_workflow", {"pattern": "fan_out", "tasks": plan(2)})[1]
    said = {"workflow_id": made["workflow_id"], "task_id": "t0", "status": "in_progress"}
    return {**said, "claim": client.call("update_task", said)[1]["claim"]}


def _given(tool: dict[str, Any]) -> dict[str, Any]:
    return {name: tool[name] for name in ("name", "description", "inputSchema")}
