"""Every view, in both themes, at the width of a desk and of a phone."""

from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import FOLDER, PHONE, Open, Server, picture

#: What each view is, where it lies, and a text that only it shows.
VIEWS: Mapping[str, tuple[str, str]] = {
    "workflows": ("/", "Migrate customer exports"),
    "decisions": ("/decisions", "Is the staging key in scope?"),
    "items": ("/items", "Read the auth module for unsafe input"),
    "item": ("/items/wf-refresh-tokens-in-the-sign-in-service-stage-0", "src/auth/refresh.py"),
    "skills": ("/skills", "python-backend"),
    "lessons": ("/lessons", "The staging clock runs two minutes late."),
    "graph": ("/workflows/{running}", "read-webhooks"),
    "timeline": ("/workflows/{running}/timeline", "time expected"),
    "tasks": ("/workflows/{running}/tasks", "Three sources agree"),
    "events": ("/workflows/{running}/events", "malformed output"),
    "result": ("/workflows/{done}/result", "5 of 5 tasks completed."),
    "panel": ("/workflows/{panel}/result", "Pairwise agreement"),
    "risk": ("/workflows/{risk}/result", "Overall red"),
    "breaker": ("/workflows/{broken}", "Too many tasks failed"),
    "task": ("/workflows/{running}/tasks/read-auth", "auth/legacy.py was too long"),
    "retried": ("/workflows/{running}/tasks/read-billing", "no <result> block"),
}
AXE = (FOLDER / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = ("serious", "critical")


def serious_findings(page: Page) -> list[str]:
    """What axe-core says keeps people from using the page."""
    page.evaluate(f"() => {{ {AXE} }}")
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
    ]


@pytest.mark.requirement("S255")
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_its_part_of_the_ledger_to_everyone(
    watched: Server, open_page: Open, view: str
) -> None:
    path, text = VIEWS[view]
    page = open_page(f"{watched.board}#{path.format(**watched.ids)}")
    expect(page.locator(".view").get_by_text(text).locator("visible=true").first).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    wide = look_at(page, f"{view}-light")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(PHONE)
    narrow = look_at(page, f"{view}-phone-dark")

    assert wide == narrow == []


def look_at(page: Page, name: str) -> list[str]:
    """Take a picture of the page; what is seriously wrong with it."""
    picture(page, name)
    fits = page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    return serious_findings(page) + ([] if fits else ["it is wider than its window"])


def test_the_theme_can_be_chosen_and_is_kept(watched: Server, open_page: Open) -> None:
    page = open_page(watched.board)
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)

    page.get_by_role("button", name="System theme").click()
    page.get_by_role("button", name="Light theme").click()
    dark = page.evaluate(ground)
    page.reload()

    expect(page.get_by_role("button", name="Dark theme")).to_be_visible()
    assert page.evaluate(ground) == dark != light


def test_the_board_can_be_used_by_keyboard_alone(watched: Server, open_page: Open) -> None:
    page = open_page(f"{watched.board}#/workflows/{watched.ids['running']}")
    node = page.get_by_role("link", name="read-webhooks, In progress")
    expect(node).to_be_visible()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        if node.evaluate("(found) => found === document.activeElement"):
            break
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Read the webhooks module")).to_be_visible()


def test_a_workflow_is_found_by_its_name_and_by_its_alarm(watched: Server, open_page: Open) -> None:
    page = open_page(watched.board)
    rows = page.locator(".list .row-name")

    page.get_by_role("searchbox").fill("event sou")
    expect(rows).to_have_text(["Event sourcing for orders?"])
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="Alarms").click()

    expect(rows.filter(has_text="Migrate customer exports")).to_be_visible()
    expect(rows.filter(has_text="Release notes")).to_have_count(0)


def test_an_address_that_leads_nowhere_says_so(watched: Server, open_page: Open) -> None:
    page = open_page(f"{watched.board}#/nowhere")

    expect(page.get_by_text("The address leads nowhere.")).to_be_visible()
