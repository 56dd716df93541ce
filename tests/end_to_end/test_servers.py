"""Several real servers over stdio on one ledger, and the server that mcp.json starts."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from tests.helpers import result

ROOT = Path(__file__).parents[2]
SERVERS, TASKS = 8, 120

pytestmark = pytest.mark.anyio


def server(store: Path, role: str) -> StdioServerParameters:
    arguments = ["-m", "relaybook", "serve", "--store", str(store), "--role", role]
    return StdioServerParameters(command=sys.executable, args=arguments)


async def agent(store: Path, workflow_id: str, done: list[str], refused: list[Any]) -> None:
    """Claim and complete until nothing is left."""
    async with Client(server(store, "worker")) as client:
        while True:
            claimed = await client.call_tool("claim_task", {"workflow_id": workflow_id})
            answer = claimed.structured_content or {}
            if claimed.is_error:
                refused.append(answer)
            elif answer["claimed"]:
                said = {"claim": answer["claim"], "status": "completed", "output": result({"n": 1})}
                ended = await client.call_tool("update_task", said)
                (refused if ended.is_error else done).append(answer["task_id"])
            elif "retry_after_seconds" not in answer:
                return
            else:
                await anyio.sleep(0.05)  # others hold the last of them


async def test_eight_servers_on_one_ledger_do_each_task_once(tmp_path: Path) -> None:
    store = tmp_path / "ledger.db"
    engine = Engine(SqliteStore(store))
    plan = [{"id": f"t{n}", "label": "Count", "schema": {"type": "object"}} for n in range(TASKS)]
    workflow_id = engine.create_workflow("fan_out", "race", tasks=plan)["workflow_id"]
    done: list[str] = []
    refused: list[Any] = []

    with anyio.fail_after(100):
        async with anyio.create_task_group() as agents:
            for _ in range(SERVERS):
                agents.start_soon(agent, store, workflow_id, done, refused)

    assert sorted(done) == sorted(f"t{n}" for n in range(TASKS))
    assert refused == []
    shown = engine.show_workflow(workflow_id)
    assert (shown["status"], shown["progress"]) == ("completed", f"{TASKS}/{TASKS} complete")
    with engine.store.read() as tx:
        assert tx.rows("SELECT count(*), count(DISTINCT task_id) FROM attempts") == [(TASKS, TASKS)]
    engine.store.close()


async def test_mcp_json_starts_the_server_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = json.loads((ROOT / "mcp.json").read_text(encoding="utf-8"))["mcpServers"]["relaybook"]
    command = shutil.which(entry["command"], path=str(Path(sys.executable).parent))
    assert command is not None
    store = {"RELAYBOOK_STORE": str(tmp_path / "ledger.db")}

    with anyio.fail_after(60):
        async with Client(
            StdioServerParameters(command=command, args=entry["args"], env=store)
        ) as client:
            tools = await client.list_tools()

    assert "create_workflow" in {tool.name for tool in tools.tools}
