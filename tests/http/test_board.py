"""The board over HTTP: its page, its door to the MCP endpoint, and who may not pass it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from relaybook.engine import Engine
from relaybook.surface.caller import Caller, Kind
from tests.http.serving import serving

pytestmark = pytest.mark.anyio

PING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {
        "name": "get_workflow",
        "arguments": {},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    },
}
MODERN = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "get_workflow",
}


class Known:
    """Knows an orchestrator and a worker by their tokens."""

    challenge = "Bearer"
    advice = "ask for one"

    async def caller(self, token: str | None) -> Caller | None:
        roles = {"good": "orchestrator", "worker": "worker"}
        return Caller(token, Kind(roles[token])) if token in roles else None


@pytest.fixture
async def site(engine: Engine) -> AsyncIterator[str]:
    """Where a server runs that asks for tokens."""
    async with serving(engine, Known()) as url:
        yield url.removesuffix("/mcp")


def own(site: str) -> dict[str, str]:
    """The headers of a request that the page's script makes."""
    return {"Origin": site, "X-Relaybook-Board": "1", "Content-Type": "application/json"}


async def test_the_page_is_open_to_strangers_and_closed_to_everything_else(
    site: str, http: httpx2.AsyncClient
) -> None:
    reply = await http.get(f"{site}/board")

    policy = reply.headers["content-security-policy"]
    assert reply.status_code == 200
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "set-cookie" not in reply.headers


async def test_a_login_keeps_the_token_where_no_script_can_read_it(
    site: str, http: httpx2.AsyncClient
) -> None:
    login = await http.post(f"{site}/board/login", json={"token": "good"}, headers=own(site))
    answer = await http.post(f"{site}/board/mcp", json=PING, headers=own(site) | MODERN)
    elsewhere = await http.post(f"{site}/mcp", json=PING, headers=own(site) | MODERN)
    logout = await http.post(f"{site}/board/logout", json={}, headers=own(site))
    after = await http.post(f"{site}/board/mcp", json=PING, headers=own(site) | MODERN)

    cookie = login.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/board"))
    assert answer.json()["result"]["structuredContent"]["workflows"] == []
    assert elsewhere.status_code == 401
    assert "max-age=0" in logout.headers["set-cookie"].lower()
    assert after.status_code == 401


@pytest.mark.parametrize(
    ("origin", "options", "headers"),
    [
        ("https://ledger.example", {}, {}),
        ("", {"public_url": "https://ledger.example/mcp"}, {}),
        ("", {"trusted_proxies": ("127.0.0.1",)}, {"X-Forwarded-Proto": "https"}),
    ],
    ids=["page over TLS", "public URL over TLS", "proxy that says so"],
)
async def test_a_cookie_that_came_over_tls_is_never_sent_in_clear(
    engine: Engine,
    http: httpx2.AsyncClient,
    origin: str,
    options: dict[str, Any],
    headers: dict[str, str],
) -> None:
    async with serving(engine, Known(), allowed_hosts=("ledger.example",), **options) as url:
        site = url.removesuffix("/mcp")
        told = own(origin or site) | headers
        login = await http.post(f"{site}/board/login", json={"token": "good"}, headers=told)
        logout = await http.post(f"{site}/board/logout", json={}, headers=told)

    assert "; secure" in login.headers["set-cookie"].lower()
    assert "; secure" in logout.headers["set-cookie"].lower()


async def test_a_cookie_of_a_page_without_tls_is_kept(site: str, http: httpx2.AsyncClient) -> None:
    forged = own(site) | {"X-Forwarded-Proto": "https"}

    login = await http.post(f"{site}/board/login", json={"token": "good"}, headers=forged)

    assert "secure" not in login.headers["set-cookie"].lower()


@pytest.mark.parametrize("path", ["/board/login", "/board/logout", "/board/mcp"])
@pytest.mark.parametrize("lacking", ["Origin", "X-Relaybook-Board", "Content-Type"])
async def test_what_another_site_could_send_is_refused(
    site: str, http: httpx2.AsyncClient, path: str, lacking: str
) -> None:
    headers = {name: value for name, value in own(site).items() if name != lacking}
    http.cookies.set("relaybook_token", "good")

    reply = await http.post(f"{site}{path}", content=b'{"token": "good"}', headers=headers)

    assert reply.status_code == 403
    assert reply.json()["error"]["code"] == "forbidden"
    assert "set-cookie" not in reply.headers


async def test_a_page_of_another_site_is_refused(site: str, http: httpx2.AsyncClient) -> None:
    http.cookies.set("relaybook_token", "good")
    headers = own(site) | {"Origin": "https://elsewhere.example"}

    reply = await http.post(f"{site}/board/mcp", json=PING, headers=headers | MODERN)

    assert reply.status_code == 403


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"token": "worker"}, 403, "forbidden"),
        ({"token": "guess"}, 401, "unauthorized"),
        ({"token": "a; Path=/"}, 400, "invalid_arguments"),
        ({"token": 7}, 400, "invalid_arguments"),
        ([], 400, "invalid_arguments"),
    ],
)
async def test_who_may_not_see_the_board_gets_no_cookie(
    site: str, http: httpx2.AsyncClient, said: object, status: int, code: str
) -> None:
    reply = await http.post(f"{site}/board/login", json=said, headers=own(site))

    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert "set-cookie" not in reply.headers


async def test_a_worker_cannot_use_the_doors_of_the_board(
    site: str, http: httpx2.AsyncClient
) -> None:
    headers = own(site) | MODERN | {"Authorization": "Bearer worker"}

    reply = await http.post(f"{site}/board/mcp", json=PING, headers=headers)

    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("body", [b"[" * 8000, b"{", b"\xff", b""])
async def test_a_login_that_is_no_json_is_refused_as_invalid(
    site: str, http: httpx2.AsyncClient, body: bytes
) -> None:
    reply = await http.post(f"{site}/board/login", content=body, headers=own(site))

    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_arguments")


@pytest.mark.parametrize("path", ["/board/login", "/board/logout", "/health"])
async def test_of_strangers_no_more_than_a_few_kilobytes_are_read(
    site: str, http: httpx2.AsyncClient, path: str
) -> None:
    told = await http.post(f"{site}{path}", content=b"[" * 50_000, headers=own(site))
    chunked = await http.post(f"{site}{path}", content=pieces(90, 100), headers=own(site))

    assert (told.status_code, chunked.status_code) == (413, 413)


async def pieces(count: int, size: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"[" * size
