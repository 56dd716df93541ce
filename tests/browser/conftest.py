"""Fixtures: a real server on a ledger full of work, and pages of a real browser on it."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from tests.browser import scene
from tests.helpers import PROMPTS, Clock
from tests.http.serving import serving

FOLDER = Path(__file__).parents[2] / ".browser"
PICTURES = FOLDER / "pictures"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DESKTOP: ViewportSize = {"width": 1200, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
#: How long a page may take to show something on a busy machine, in milliseconds.
PATIENCE = 30_000

expect.set_options(timeout=PATIENCE)

Open = Callable[..., Page]


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and another engine on the same ledger."""

    url: str
    engine: Engine
    #: The workflows of the scene by what they show.
    ids: dict[str, str]

    @property
    def board(self) -> str:
        return f"{self.url}/board"


def picture(page: Page, name: str) -> None:
    """Keep what the page looks like."""
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A ledger in which the scene was told, to be copied, and the ids of its workflows."""
    path = tmp_path_factory.mktemp("told") / "ledger.db"
    store = SqliteStore(path)
    clock = Clock(time.time() - scene.STORY)
    ids = scene.tell(Engine(store, (PROMPTS,), clock=clock), clock)
    store.close()
    return path, ids


@pytest.fixture(scope="session")
def watched(
    told: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server for tests that only look."""
    path, ids = told
    yield from _serving(Path(shutil.copy(path, tmp_path_factory.mktemp("watched"))), ids)


@pytest.fixture
def server(told: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Server]:
    """A server for tests that change something."""
    path, ids = told
    yield from _serving(Path(shutil.copy(path, tmp_path / "ledger.db")), ids)


def _serving(path: Path, ids: dict[str, str]) -> Iterator[Server]:
    """A server in a thread of its own, on a store of its own."""
    served, ours = SqliteStore(path), SqliteStore(path)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(Engine(served, (PROMPTS,)))) as url,
    ):
        yield Server(url.removesuffix("/mcp"), Engine(ours, (PROMPTS,)), ids)
    served.close()
    ours.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens an address in a browser of its own.

    Nothing may go wrong on it, but for what matches `expected`, and nothing be asked of another
    server. `before` gets the page first.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(
        url: str,
        *,
        phone: bool = False,
        before: Callable[[Page], object] = lambda _: None,
        expected: str = "(?!)",
    ) -> Page:
        context = browser.new_context(viewport=PHONE if phone else DESKTOP, color_scheme="light")
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        origin = "/".join(url.split("/")[:3])

        def note(fault: str) -> None:
            if not re.search(expected, fault):
                faults.append(fault)

        page.on("pageerror", lambda error: note(str(error)))
        page.on("console", lambda line: note(line.text) if line.type == "error" else None)
        page.on(
            "request",
            lambda sent: None if sent.url.startswith((origin, "data:")) else note(sent.url),
        )
        before(page)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
