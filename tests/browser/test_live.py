"""The board follows the ledger, and what the user decides on it reaches the ledger."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open, Server, picture
from tests.helpers import complete, start, workflow


def test_a_change_by_another_process_appears_by_itself(server: Server, open_page: Open) -> None:
    running = server.ids["running"]
    page = open_page(f"{server.board}#/workflows/{running}")
    expect(page.get_by_text("1/7 complete")).to_be_visible()

    complete(server.engine, running, "read-billing", {"findings": []})

    expect(page.get_by_text("2/7 complete")).to_be_visible()
    expect(page.get_by_role("link", name="read-billing, Completed")).to_be_visible()


def test_a_new_workflow_appears_among_the_others(server: Server, open_page: Open) -> None:
    page = open_page(server.board)
    expect(page.get_by_text("Migrate customer exports").first).to_be_visible()

    workflow(server.engine, "a", "b")

    expect(page.locator(".row-name").first).to_have_text("test")


def test_what_is_being_typed_outlives_a_change(server: Server, open_page: Open) -> None:
    running = server.ids["running"]
    page = open_page(f"{server.board}#/workflows/{running}")
    field = page.get_by_label("Is the staging key in scope?")
    field.press_sequentially("Yes, bec")

    complete(server.engine, running, "read-billing", {"findings": []})
    expect(page.get_by_text("2/7 complete")).to_be_visible()
    page.keyboard.type("ause it opens both")

    expect(field).to_be_focused()
    expect(field).to_have_value("Yes, because it opens both")


def test_a_worker_is_answered_from_the_board(server: Server, open_page: Open) -> None:
    page = open_page(f"{server.board}#/decisions")

    page.get_by_label("Is the staging key in scope?").fill("No, it is rotated daily.")
    page.get_by_role("button", name="Send answers").click()

    expect(page.get_by_text("Is the staging key in scope?")).to_have_count(0)
    shown = server.engine.read_text(f"ledger://workflows/{server.ids['running']}/tasks/read-search")
    assert "No, it is rotated daily." in shown.text


@pytest.mark.parametrize(
    ("button", "status"),
    [("Retry what failed", "in_progress"), ("Accept what there is", "partial")],
)
def test_an_open_breaker_is_decided_by_a_button(
    server: Server, open_page: Open, button: str, status: str
) -> None:
    broken = server.ids["broken"]
    page = open_page(f"{server.board}#/workflows/{broken}")

    page.get_by_role("button", name=button).click()

    expect(page.get_by_role("button", name=button)).to_have_count(0)
    shown = server.engine.show_workflow(broken)
    assert (shown["status"], shown.get("breaker_open")) == (status, None)


def test_a_wish_to_change_the_plan_is_put_on_record(server: Server, open_page: Open) -> None:
    broken = server.ids["broken"]
    page = open_page(f"{server.board}#/workflows/{broken}")

    page.get_by_role("button", name="Change the plan").click()

    expect(page.get_by_text("The orchestrator changes the plan.")).to_be_visible()
    picture(page, "toast")
    assert "adjust" in server.engine.read_text(f"ledger://workflows/{broken}/events").text


def test_a_refusal_is_told_and_the_board_goes_on(server: Server, open_page: Open) -> None:
    broken = server.ids["broken"]
    page = open_page(f"{server.board}#/workflows/{broken}")
    button = page.get_by_role("button", name="Retry what failed")
    expect(button).to_be_visible()
    page.route("**/board/mcp", lambda route: decide_before(route, server))

    button.click()

    expect(page.get_by_role("alert")).to_contain_text("partial")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def decide_before(route: Route, server: Server) -> None:
    """Let somebody else decide before the decision of the page arrives."""
    if route.request.headers.get("mcp-name") == "resolve":
        from relaybook.engine.request import Resolution

        decided = Resolution(workflow_id=server.ids["broken"], decision="accept_partial")
        server.engine.resolve(decided)
    route.continue_()


@pytest.mark.parametrize(("button", "status"), [("Accept", "accepted"), ("Reject", "rejected")])
def test_a_lesson_is_decided_by_a_button(
    server: Server, open_page: Open, button: str, status: str
) -> None:
    page = open_page(f"{server.board}#/lessons")
    form = page.get_by_role("form", name="Lesson").first

    form.get_by_role("button", name=button).click()

    expect(page.get_by_role("heading", name="Decided")).to_be_visible()
    assert len(server.engine.list_lessons(status=status)) == 1


def test_a_workflow_is_cancelled_only_after_a_second_word(server: Server, open_page: Open) -> None:
    running = server.ids["running"]
    page = open_page(f"{server.board}#/workflows/{running}")
    dialog = page.get_by_role("dialog")

    page.get_by_role("button", name="Cancel workflow").click()
    dialog.get_by_role("button", name="Keep it").click()
    kept = server.engine.show_workflow(running)["status"]
    page.get_by_role("button", name="Cancel workflow").click()
    dialog.get_by_label("Reason").fill("The service is retired")
    picture(page, "dialog")
    dialog.get_by_role("button", name="Cancel workflow").click()

    expect(page.locator(".page-head").get_by_text("Cancelled")).to_be_visible()
    assert kept == "in_progress"
    assert server.engine.show_workflow(running)["status"] == "cancelled"


@pytest.mark.parametrize("path", ["/", "/workflows/{made}", "/workflows/{made}/timeline"])
def test_without_a_stream_the_board_asks(server: Server, open_page: Open, path: str) -> None:
    made = workflow(server.engine, "a", "b")
    page = open_page(f"{server.board}#{path.format(made=made)}", before=refuse_streams)
    expect(page.get_by_text("0/2 complete").first).to_be_visible()

    start(server.engine, made, "a")
    complete(server.engine, made, "a")

    expect(page.get_by_text("1/2 complete").first).to_be_visible()


def refuse_streams(page: Page) -> None:
    page.route("**/board/mcp", without_stream)


def without_stream(route: Route) -> None:
    if route.request.headers.get("mcp-method") == "subscriptions/listen":
        answer = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no stream"}}
        route.fulfill(json=answer)
    else:
        route.continue_()


def test_it_goes_on_by_itself_when_the_server_is_back(server: Server, open_page: Open) -> None:
    page = open_page(server.board, expected="503")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.route("**/board/mcp", lambda route: route.fulfill(status=503, body="gone"))
    page.get_by_role("link", name="Skills").click()
    expect(page.get_by_role("alert")).to_be_visible()

    page.unroute("**/board/mcp")

    expect(page.get_by_role("heading", name="python-backend")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_it_says_when_the_server_is_gone(server: Server, open_page: Open) -> None:
    page = open_page(server.board, expected="503")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    page.route("**/board/mcp", lambda route: route.fulfill(status=503, body="gone"))
    page.get_by_role("link", name="Skills").click()

    expect(page.get_by_role("alert")).to_contain_text(re.compile("503"))
