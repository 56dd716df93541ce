"""The tools that read any resource by URI, for models whose host reads none for them."""

from typing import Annotated, Any

from mcp.server.apps import APP_MIME_TYPE
from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from relaybook.engine import Engine
from relaybook.surface import answers
from relaybook.surface.arguments import Text
from relaybook.surface.board import BOARD_URI, board_html
from relaybook.surface.done import done
from relaybook.surface.rim import tool


def read_tool(engine: Engine) -> Tool:
    async def read(
        uri: Annotated[str, Field(description="e.g. ledger://workflows")], cursor: Text = ""
    ) -> dict[str, Any]:
        if uri == BOARD_URI:
            return _board(cursor)
        return await done(engine, engine.read, uri, cursor=cursor)

    return tool(
        read,
        answer=answers.Page,
        title="Read",
        description="Call to read any resource by URI, page by page: guide://quick-reference, "
        "prompt://index, ledger://workflows/{id}/tasks/{task_id}/result.",
        read_only=True,
    )


def _board(cursor: str) -> dict[str, Any]:
    from relaybook.engine.read import Content, page_of

    return page_of(BOARD_URI, Content(board_html(), APP_MIME_TYPE), cursor)


def worker_read_tool(engine: Engine) -> Tool:
    async def read(
        uri: Annotated[str, Field(description="e.g. guide://vocabulary")],
        claim: Annotated[Text, Field(description="for your own task")] = "",
        cursor: Text = "",
    ) -> dict[str, Any]:
        return await done(engine, engine.read, uri, cursor=cursor, role="worker", claim=claim)

    return tool(
        read,
        answer=answers.Page,
        title="Read",
        description="Call to read a guide, or with your claim your own task: "
        "ledger://workflows/{id}/tasks/{task_id}/prompt.",
        read_only=True,
        for_worker=True,
    )
