"""The board as an MCP App: the resource that hosts show beside the tools that are about work."""

from collections.abc import Mapping
from typing import Any

from mcp.server.apps import APP_MIME_TYPE, Apps
from mcp.server.mcpserver.resources import FunctionResource

from relaybook.board.page import board_page
from relaybook.surface.kinds import kind_of

BOARD_URI = "ui://relaybook/board"
#: `_meta` of a tool whose call a host may show the board with.
SHOWS_BOARD: Mapping[str, Any] = {"ui": {"resourceUri": BOARD_URI}}


def board_app() -> Apps:
    """The extension that serves the page. It may reach nothing but its host."""
    apps = Apps()
    apps.add_resource(
        FunctionResource(
            uri=BOARD_URI,
            name="board",
            title="Board",
            description="Workflows as people want to see them: live, with the decisions to take.",
            mime_type=APP_MIME_TYPE,
            annotations=kind_of(BOARD_URI).annotations,
            meta={"ui": {"csp": {}, "prefersBorder": True}},
            fn=board_html,
        )
    )
    return apps


def board_html() -> str:
    """The page as hosts show it."""
    return board_page("'none'").html
