"""What a server answers while its ledger does not: at once, in JSON, and open pages as ever."""

from threading import Event

import anyio
import httpx2
import pytest

from relaybook.engine import Engine
from relaybook.engine.tokens import Grant
from relaybook.errors import StoreUnreachable
from relaybook.store.base import Store
from relaybook.surface.http.tokens import Tokens
from tests.helpers import PROMPTS
from tests.http.serving import serving

pytestmark = pytest.mark.anyio

GUESS = {"Authorization": "Bearer relaybook_guess"}
COOKIE = {"Cookie": "relaybook_token=relaybook_guess"}


class Away(Engine):
    """An engine whose ledger is away: each lookup fails, but only once it is let go."""

    asked: Event
    let_go: Event

    def grant_of(self, text: str) -> Grant | None:
        self.asked.set()
        assert self.let_go.wait(60)
        raise StoreUnreachable("The ledger cannot be reached.")


@pytest.fixture
def away(ledger: Store) -> Away:
    engine = Away(ledger, (PROMPTS,))
    engine.asked, engine.let_go = Event(), Event()
    return engine


@pytest.mark.parametrize("path", ["/mcp", "/board/mcp", "/metrics"])
async def test_a_token_that_cannot_be_looked_up_is_answered_503(
    away: Away, http: httpx2.AsyncClient, path: str
) -> None:
    away.let_go.set()

    async with serving(away, Tokens(away)) as url:
        answer = await http.post(url.replace("/mcp", path), json={}, headers=GUESS)

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "store_unreachable"


async def test_a_login_that_cannot_be_checked_is_answered_503(
    away: Away, http: httpx2.AsyncClient
) -> None:
    away.let_go.set()

    async with serving(away, Tokens(away)) as url:
        site = url.removesuffix("/mcp")
        headers = {"Origin": site, "X-Relaybook-Board": "1"}
        said = {"token": "relaybook_guess"}
        answer = await http.post(f"{site}/board/login", json=said, headers=headers)

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "store_unreachable"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/health", "/ready", "/board"])
async def test_open_pages_are_shown_without_asking_whose_token_it_is(
    away: Away, http: httpx2.AsyncClient, path: str
) -> None:
    async with serving(away, Tokens(away)) as url:
        answer = await http.get(url.replace("/mcp", path), headers=GUESS | COOKIE)

    assert answer.status_code == 200
    assert not away.asked.is_set()


async def test_others_are_answered_while_a_token_is_looked_up(
    away: Away, http: httpx2.AsyncClient
) -> None:
    statuses: list[int] = []

    async def guess(url: str) -> None:
        statuses.append((await http.post(url, json={}, headers=GUESS)).status_code)

    async with serving(away, Tokens(away)) as url, anyio.create_task_group() as group:
        group.start_soon(guess, url)
        assert await anyio.to_thread.run_sync(away.asked.wait, 30)
        statuses.append((await http.get(url.replace("/mcp", "/health"))).status_code)
        away.let_go.set()

    assert statuses == [200, 503]
