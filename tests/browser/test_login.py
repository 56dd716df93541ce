"""The ways in: an address for one browser, and a token typed at the login."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, picture

UNKNOWN = "401"


@pytest.fixture
def address(told: tuple[Path, dict[str, str]]) -> Iterator[str]:
    """What `relaybook board` prints."""
    command = [sys.executable, "-m", "relaybook", "board", "--no-open", "--store", str(told[0])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def test_the_address_of_relaybook_board_opens_it_once(address: str, open_page: Open) -> None:
    page = open_page(address)
    expect(page.get_by_text("Migrate customer exports").first).to_be_visible()
    (cookie,) = page.context.cookies()
    page.reload()
    expect(page.get_by_text("Migrate customer exports").first).to_be_visible()

    other = open_page(address, expected=UNKNOWN)

    expect(other.get_by_role("alert")).to_contain_text("That token is not known")
    assert "#key" not in page.url
    kept = [cookie.get(name) for name in ("httpOnly", "sameSite", "path")]
    assert kept == [True, "Strict", "/board"]
    assert page.evaluate("() => document.cookie") == ""
    assert cookie.get("value", "") not in address


def test_logging_out_forgets_the_token(address: str, open_page: Open) -> None:
    page = open_page(address, expected=UNKNOWN)

    page.get_by_role("button", name="Log out").click()

    expect(page.get_by_label("Access token")).to_be_visible()
    picture(page, "login")
    assert page.context.cookies() == []
    page.reload()
    expect(page.get_by_label("Access token")).to_be_visible()


def test_a_stranger_is_asked_for_a_token(address: str, open_page: Open) -> None:
    page = open_page(address.partition("#")[0], expected=UNKNOWN)

    page.get_by_label("Access token").fill("guess")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("alert")).to_contain_text("That token is not known")
    assert page.context.cookies() == []
