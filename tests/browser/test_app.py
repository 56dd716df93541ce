"""The board as an MCP App: in the frame of a host made with the official AppBridge."""

import json
from collections.abc import Callable
from html import escape
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, Route, expect

from tests.browser.conftest import FOLDER, Open, Server, picture
from tests.helpers import complete

HOST = (FOLDER / "host.js").read_text(encoding="utf-8")
WHOLE = {"serverTools": {}, "serverResources": {}}
WITHOUT_RESOURCES = {"serverTools": {}}


@pytest.fixture
def open_host(server: Server, open_page: Open) -> Callable[..., tuple[Page, FrameLocator]]:
    """Opens a host that called a tool and shows the board for it; the host, and its frame."""

    def opened(
        tool: str, capabilities: dict[str, Any] = WHOLE, **arguments: Any
    ) -> tuple[Page, FrameLocator]:
        options = {"tool": tool, "arguments": arguments, "capabilities": capabilities}
        html = (
            f'<!doctype html><meta name="options" content="{escape(json.dumps(options))}">'
            '<iframe sandbox="allow-scripts" width="900" height="900"></iframe>'
            '<script type="module" src="/host.js"></script>'
        )

        def answer(route: Route) -> None:
            is_script = route.request.url.endswith(".js")
            kind = "text/javascript" if is_script else "text/html"
            route.fulfill(body=HOST if is_script else html, content_type=kind)

        def answer_for_host(page: Page) -> None:
            page.route("**/host*", answer)

        page = open_page(f"{server.url}/host", before=answer_for_host)
        return page, page.frame_locator("iframe")

    return opened


@pytest.mark.parametrize("capabilities", [WHOLE, WITHOUT_RESOURCES], ids=["reads", "calls read"])
def test_a_host_shows_what_its_tool_call_was_about(
    server: Server,
    open_host: Callable[..., tuple[Page, FrameLocator]],
    capabilities: dict[str, Any],
) -> None:
    page, board = open_host("get_workflow", capabilities, workflow_id=server.ids["running"])

    heading = board.get_by_role("heading", name="Security review of the payment service")
    expect(heading).to_be_visible()

    picture(page, "app-inline")
    host = page.evaluate("() => ({...window.host, lighten: null})")
    assert host["mimeType"] == "text/html;profile=mcp-app"
    assert host["showsBoard"] == ["create_workflow", "get_workflow", "aggregate", "resolve"]
    assert host["sizes"][-1]["height"] > 300
    assert ("read" in host["calls"]) is (capabilities is WITHOUT_RESOURCES)


def test_a_decision_in_the_frame_is_a_tool_call_of_the_app(
    server: Server, open_host: Callable[..., tuple[Page, FrameLocator]]
) -> None:
    page, board = open_host("get_workflow", workflow_id=server.ids["broken"])

    board.get_by_role("button", name="Accept what there is").click()

    expect(board.locator(".page-head").get_by_text("Partial")).to_be_visible()
    assert "resolve" in page.evaluate("() => window.host.calls")
    assert server.engine.show_workflow(server.ids["broken"])["status"] == "partial"


def test_the_frame_follows_the_ledger(
    server: Server, open_host: Callable[..., tuple[Page, FrameLocator]]
) -> None:
    running = server.ids["running"]
    _, board = open_host("get_workflow", workflow_id=running)
    expect(board.get_by_text("1/7 complete")).to_be_visible()
    expect(board.get_by_text("Live", exact=True)).to_be_visible()

    complete(server.engine, running, "read-billing", {"findings": []})

    expect(board.get_by_text("2/7 complete")).to_be_visible()


def test_a_digest_opens_with_its_pictures_and_links_lead_on(
    server: Server, open_host: Callable[..., tuple[Page, FrameLocator]]
) -> None:
    _, board = open_host("aggregate", workflow_id=server.ids["panel"])

    expect(board.get_by_text("Pairwise agreement")).to_be_visible()
    board.get_by_role("link", name="Workflows").first.click()
    expect(board.get_by_role("heading", name="Workflows")).to_be_visible()


def test_the_host_sets_theme_colours_and_size(
    server: Server, open_host: Callable[..., tuple[Page, FrameLocator]]
) -> None:
    page, board = open_host("get_workflow")
    root, row = board.locator("html"), board.locator(".row").first
    expect(row).to_have_css("background-color", "rgb(1, 2, 3)")
    expect(root).to_have_attribute("data-theme", "dark")

    page.evaluate("() => window.host.lighten()")
    expect(root).to_have_attribute("data-theme", "light")
    board.get_by_role("button", name="Full screen").click()

    expect(root).to_have_attribute("data-mode", "fullscreen")
    expect(board.get_by_role("button", name="Full screen")).to_have_count(0)
    assert page.evaluate("() => window.host.modes") == ["fullscreen"]
