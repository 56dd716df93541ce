"""What workers send is shown as text, whatever it looks like, and however much it is."""

import pytest
from playwright.sync_api import Error, expect

from tests.browser import scene
from tests.browser.conftest import Open, Server, picture

PARTS = ("", "/timeline", "/tasks", "/result", "/events", "/tasks/done", "/tasks/failed")


@pytest.fixture
def hostile(server: Server) -> str:
    return scene.hostile(server.engine)


def test_markup_from_workers_stays_text_everywhere(
    server: Server, hostile: str, open_page: Open
) -> None:
    page = open_page(server.board)
    made_elements = page.locator("#board").locator("img, script, iframe, style, object")

    for path in ("/", "/decisions", "/items", *(f"/workflows/{hostile}{part}" for part in PARTS)):
        page.evaluate("(path) => (location.hash = path)", path)
        expect(page.locator(".view > :not(.loading)").first).to_be_visible()
        expect(page.get_by_text("onerror=").or_(page.get_by_text("{{7*7}}")).first).to_be_attached()

        assert made_elements.count() == 0
        assert page.title() != "owned"
        assert page.locator("a:not([href^='#/'], [href='#content'])").count() == 0


def test_text_of_workers_comes_word_for_word(server: Server, hostile: str, open_page: Open) -> None:
    page = open_page(f"{server.board}#/workflows/{hostile}/tasks/failed")

    expect(page.get_by_role("region", name="Error of attempt 1")).to_have_text(scene.MARKUP)
    expect(page.get_by_role("heading", level=1)).to_have_text("{{7*7}}${document.title='owned'}")


def test_a_long_name_makes_no_page_wider_than_a_phone(
    server: Server, hostile: str, open_page: Open
) -> None:
    page = open_page(f"{server.board}#/workflows/{hostile}/tasks/asks", phone=True)

    expect(page.get_by_role("heading", level=1)).to_have_text("a" * 300)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    "attempt",
    [
        "() => (document.body.innerHTML = '<b>x</b>')",
        "() => (document.createElement('script').text = '1')",
        "() => document.body.setAttribute('onclick', '1')",
    ],
)
def test_the_browser_itself_refuses_markup_made_by_script(
    watched: Server, open_page: Open, attempt: str
) -> None:
    page = open_page(watched.board, expected="TrustedHTML|TrustedScript|Trusted Type")

    with pytest.raises(Error, match="Trusted"):
        page.evaluate(attempt)


def test_two_thousand_tasks_are_drawn_as_layers(server: Server, open_page: Open) -> None:
    large = scene.large(server.engine)
    page = open_page(f"{server.board}#/workflows/{large}")
    layers = page.locator("details.layer")

    expect(layers).to_have_count(20)
    layers.first.locator("summary").click()
    expect(layers.first.get_by_text("and 88 more")).to_be_visible()
    picture(page, "two-thousand")
    layers.first.locator(".task-line").first.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Part 30")


def test_two_thousand_tasks_keep_the_page_small(server: Server, open_page: Open) -> None:
    large = scene.large(server.engine)
    page = open_page(server.board)

    for part in ("", "/timeline", "/tasks", "/events"):
        page.evaluate("(path) => (location.hash = path)", f"/workflows/{large}{part}")
        expect(page.get_by_text("30/2000 complete")).to_be_visible()
        expect(page.locator(".tab-body > *").first).to_be_visible()

        assert page.locator("#board *").count() < 6_000
