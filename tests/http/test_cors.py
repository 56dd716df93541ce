"""Pages of an allowed origin: what a browser asks before it lets them call, and what they read."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from relaybook.engine import Engine
from relaybook.surface.http.tokens import Tokens
from tests.http.serving import serving

pytestmark = pytest.mark.anyio

APP = {"Origin": "https://app.example"}
LOOPBACK = {"Origin": "http://localhost:3000"}
ASKS = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type, mcp-method, mcp-name, "
    "mcp-protocol-version, mcp-session-id",
}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "page", "version": "1"},
    },
}


@pytest.fixture
async def url(engine: Engine) -> AsyncIterator[str]:
    """Where a server runs that asks for tokens, and lets pages of one site call."""
    async with serving(engine, Tokens(engine), allowed_origins=("https://App.example/",)) as found:
        yield found


async def test_a_browser_is_told_without_a_token_what_an_allowed_page_may_send(
    url: str, http: httpx2.AsyncClient
) -> None:
    told = await http.options(url, headers=APP | ASKS)

    assert told.status_code == 200
    assert told.headers["access-control-allow-origin"] == "https://app.example"
    assert "POST" in told.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in told.headers


async def test_an_allowed_page_reads_the_answer_and_its_session(
    url: str, engine: Engine, http: httpx2.AsyncClient
) -> None:
    token = engine.create_token("page", role="orchestrator")["token"]
    headers = APP | {
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {token}",
    }

    answer = await http.post(url, json=HELLO, headers=headers)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert "Mcp-Session-Id" in exposed
    assert "mcp-session-id" in answer.headers


async def test_an_allowed_page_reads_why_it_was_turned_away(
    url: str, http: httpx2.AsyncClient
) -> None:
    answer = await http.post(url, json=HELLO, headers=APP)

    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "https://app.example"


@pytest.mark.parametrize("origin", [LOOPBACK, {"Origin": "https://evil.example"}])
async def test_no_other_page_is_let_read_anything(
    url: str, http: httpx2.AsyncClient, origin: dict[str, str]
) -> None:
    asked = await http.options(url, headers=origin | ASKS)
    answer = await http.post(url, json=HELLO, headers=origin)

    assert asked.status_code in (400, 403)
    assert "access-control-allow-origin" not in {*asked.headers, *answer.headers}


async def test_a_page_of_another_site_may_not_send_what_the_board_sends(
    url: str, http: httpx2.AsyncClient
) -> None:
    asks = ASKS | {"Access-Control-Request-Headers": "content-type, x-relaybook-board"}

    asked = await http.options(url.replace("/mcp", "/board/login"), headers=APP | asks)

    assert asked.status_code == 400
