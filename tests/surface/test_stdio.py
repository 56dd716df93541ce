"""The whole way: a real process, spoken to over standard input and output."""

import os
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from tests.helpers import result
from tests.surface.calls import call, read_text
from tests.surface.conftest import Mode
from tests.surface.listening import Inbox, listening

pytestmark = pytest.mark.anyio

SERVE = """
import sys
from pathlib import Path
from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.server import serve_stdio
serve_stdio(Engine(SqliteStore(Path(sys.argv[1]))), sys.argv[2])
"""


async def test_a_workflow_runs_over_stdio_with_its_worker_in_another_process(
    mode: Mode, tmp_path: Path
) -> None:
    def server(role: str) -> StdioServerParameters:
        return StdioServerParameters(
            command=sys.executable,
            args=["-c", SERVE, str(tmp_path / "ledger.db"), role],
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    tasks = [{"id": "t1", "label": "Review auth", "schema": {"type": "object"}}]
    inbox = Inbox()
    async with (
        Client(server("orchestrator"), mode=mode, message_handler=inbox.handle) as client,
        Client(server("worker"), mode=mode) as worker,
    ):
        created = await call(client, "create_workflow", pattern="fan_out", tasks=tasks)
        here = f"ledger://workflows/{created['workflow_id']}"
        async with listening(client, inbox, here) as listener:
            claimed = await call(worker, "claim_task")
            assert await listener.next() == here
        done = {"claim": claimed["claim"], "status": "completed"}
        await call(worker, "update_task", **done, output=result({"answer": "fine"}))
        seen = await call(client, "aggregate", workflow_id=created["workflow_id"])
        graph = await read_text(client, f"{here}/graph")

    inbox.close()
    assert seen["status"] == "completed"
    assert "✅ t1: Review auth" in graph
