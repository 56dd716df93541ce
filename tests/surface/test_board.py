"""The board as an MCP App: who is offered it, and what it is made of."""

import re

import pytest
from mcp import Client
from mcp.server.apps import APP_MIME_TYPE
from mcp_types import TextResourceContents

from relaybook.board.page import FOLDER, SCRIPTS, STYLES, board_page
from relaybook.surface.board import BOARD_URI
from tests.surface.conftest import Mode

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("S255")
async def test_a_host_can_show_the_board_with_the_tools_that_are_about_work(
    client: Client,
) -> None:
    tools = (await client.list_tools()).tools
    (page,) = (await client.read_resource(BOARD_URI)).contents

    bound = [
        each.name for each in tools if each.meta and each.meta["ui"]["resourceUri"] == BOARD_URI
    ]
    assert bound == ["create_workflow", "get_workflow", "aggregate", "resolve"]
    assert page.mime_type == APP_MIME_TYPE
    assert isinstance(page, TextResourceContents)
    assert page.text == board_page("'none'").html


async def test_a_model_reads_the_board_in_pages_like_everything_else(client: Client) -> None:
    text, cursor = "", ""
    while True:
        answer = await client.call_tool("read", {"uri": BOARD_URI, "cursor": cursor})
        page = answer.structured_content or {}
        text, cursor = text + page["text"], page.get("cursor", "")
        if not cursor:
            break

    assert text == board_page("'none'").html
    assert page["mime_type"] == APP_MIME_TYPE


async def test_a_worker_is_not_offered_the_board(worker: Client) -> None:
    tools = (await worker.list_tools()).tools
    resources = (await worker.list_resources()).resources

    assert [each.name for each in tools if each.meta] == []
    assert BOARD_URI not in [each.uri for each in resources]


async def test_hosts_that_show_apps_are_told_so(client: Client, mode: Mode) -> None:
    extensions = client.server_capabilities.extensions or {}

    # Up to 2025-11-25 the protocol has no word for it; the tools say it there.
    assert ("io.modelcontextprotocol/ui" in extensions) is (mode == "auto")


async def test_the_page_is_joined_from_every_file_of_its_folder() -> None:
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*s")}
    named = {f"style/{name}.css" for name in STYLES} | {f"script/{name}.js" for name in SCRIPTS}

    assert files == named


async def test_the_page_holds_all_it_needs_and_makes_no_markup() -> None:
    html = board_page("'self'").html

    # Apart from the namespace of SVG, which is a name and no address.
    assert re.findall(r"(?:https?:)?//[a-z][\w.]+\.\w+", html) == ["http://www.w3.org"]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", html)
    assert not re.search(r"\son[a-z]+=", html)
    assert "url(" not in html
