"""Servers as the SDK has them in stock, doing nothing: the floors under relaybook's own.

Run as `python -m benchmarks.floor_server noop|empty`.
"""

import sys
from typing import Any

from mcp.server.mcpserver import MCPServer

server = MCPServer("floor", version="1", log_level="WARNING")


async def update_task(
    workflow_id: str = "",
    task_id: str = "",
    status: str = "",
    session_key: str = "",
    output: str = "",
    error: str = "",
    error_code: str = "",
    claim: str = "",
    accept_raw: bool = False,
    updates: list[dict[str, Any]] = [],  # noqa: B006
) -> dict[str, Any]:
    """Take the arguments of relaybook's update_task and do nothing."""
    return {"workflow_id": workflow_id, "task_id": task_id, "status": status}


async def empty() -> None:
    """Do nothing."""


if __name__ == "__main__":
    server.add_tool(update_task if sys.argv[1] == "noop" else empty)
    server.run()
