"""Talks once to an installed relaybook over stdio, as a client of each protocol era would."""

import sys
import tempfile
from pathlib import Path
from typing import Literal

import anyio
from mcp import Client, StdioServerParameters


async def talk(command: str, era: Literal["auto", "legacy"]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "ledger.db")
        server = StdioServerParameters(command=command, args=["serve", "--store", store])
        async with Client(server, mode=era) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            made = await client.call_tool(
                "create_workflow",
                {"pattern": "fan_out", "tasks": [{"id": "t1", "label": "Say that it works"}]},
            )
            assert not made.is_error, made
            assert made.structured_content is not None
            shown = await client.call_tool(
                "update_task",
                {
                    "workflow_id": made.structured_content["workflow_id"],
                    "task_id": "t1",
                    "status": "in_progress",
                },
            )
            assert not shown.is_error, shown
            assert "## Output Interface" in str(shown.structured_content), shown
            (board,) = (await client.read_resource("ui://relaybook/board")).contents
            assert "</html>" in str(board), "the wheel lacks files of the board"
            sys.stdout.write(f"{client.protocol_version}: {len(tools)} tools, a task started\n")


for protocol in ("auto", "legacy"):
    anyio.run(talk, sys.argv[1], protocol)
