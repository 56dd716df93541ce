"""The tools that read any resource by URI, for models whose host reads none for them."""

from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from relaybook.engine import Engine
from relaybook.surface import answers
from relaybook.surface.arguments import Text
from relaybook.surface.rim import tool


def read_tool(engine: Engine) -> Tool:
    async def read(
        uri: Annotated[str, Field(description="e.g. ledger://workflows")], cursor: Text = ""
    ) -> dict[str, Any]:
        return engine.read(uri, cursor=cursor)

    return tool(
        read,
        answer=answers.Page,
        title="Read",
        description="Call to read any resource by URI, page by page: guide://quick-reference, "
        "prompt://index, ledger://workflows/{id}/tasks/{task_id}/result.",
        read_only=True,
    )


def worker_read_tool(engine: Engine) -> Tool:
    async def read(
        uri: Annotated[str, Field(description="e.g. guide://vocabulary")],
        claim: Annotated[Text, Field(description="for your own task")] = "",
        cursor: Text = "",
    ) -> dict[str, Any]:
        return engine.read(uri, cursor=cursor, role="worker", claim=claim)

    return tool(
        read,
        answer=answers.Page,
        title="Read",
        description="Call to read a guide, or with your claim your own task: "
        "ledger://workflows/{id}/tasks/{task_id}/prompt.",
        read_only=True,
    )
