"""An attacker without a good token: every method, every page, in both eras, over real HTTP."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
import pytest

from relaybook.engine import Engine
from relaybook.engine.readables.table import READABLES
from relaybook.surface.caller import Caller, Kind
from relaybook.surface.http.access import AsWorkers
from relaybook.surface.http.tokens import Tokens
from relaybook.surface.tools import tools_for
from tests.helpers import Clock, task, workflow
from tests.http.conftest import Connect
from tests.http.serving import serving
from tests.surface.conftest import Mode
from tests.surface.listening import PATIENCE

pytestmark = pytest.mark.anyio

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "attacker", "version": "1"},
}
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}

HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "attacker", "version": "1"},
}


@pytest.fixture
async def url(engine: Engine) -> AsyncIterator[str]:
    async with serving(engine, Tokens(engine)) as found:
        yield found


def requests(engine: Engine) -> list[tuple[str, dict[str, Any]]]:
    """One request of every method; of those that name something, one for each."""
    template = {"type": "ref/resource", "uri": "ledger://workflows/{id}"}
    complete = {"ref": template, "argument": {"name": "id", "value": ""}}
    return [
        ("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}}),
        ("server/discover", {}),
        ("ping", {}),
        *((name, {}) for name in ("tools/list", "prompts/list", "resources/list")),
        ("resources/templates/list", {}),
        ("resources/subscribe", {"uri": "ledger://workflows"}),
        ("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["ledger://items"]}}),
        ("completion/complete", complete),
        ("prompts/get", {"name": "recover", "arguments": {"workflow_id": "wf_1"}}),
        *(("tools/call", {"name": t.name, "arguments": {}}) for t in tools_for(engine, "all")),
        *(("resources/read", {"uri": each.uri}) for each in READABLES),
    ]


def headers_of(mode: Mode, method: str, params: dict[str, Any]) -> dict[str, str]:
    if mode == "legacy":
        return ACCEPT | {"MCP-Protocol-Version": "2025-11-25"}
    named = params.get("name") or params.get("uri") or ""
    return ACCEPT | {
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": method,
        "Mcp-Name": str(named),
    }


def bad_credentials(engine: Engine, clock: Clock) -> dict[str, str]:
    """Authorization headers that let nobody in, by what is wrong with them."""
    expired, revoked, good = (engine.create_token(n, role="all", days=1) for n in "abc")
    engine.revoke_token(revoked["id"])
    clock.move(86_401)
    good = engine.create_token("good", role="all")
    return {
        "none": "",
        "wrong": "Bearer relaybook_" + "0" * 64,
        "expired": f"Bearer {expired['token']}",
        "revoked": f"Bearer {revoked['token']}",
        "empty": "Bearer",
        "cut short": f"Bearer {good['token'][:-1]}",
        "the id": f"Bearer {good['id']}",
        "basic": f"Basic {good['token']}",
        "no scheme": good["token"],
    }


async def test_without_a_good_token_nothing_is_answered(
    url: str, engine: Engine, clock: Clock, mode: Mode, http: httpx2.AsyncClient
) -> None:
    canary = workflow(engine, "canary")
    for what, authorization in bad_credentials(engine, clock).items():
        credentials = {"Authorization": authorization} if authorization else {}
        asked = requests(engine)
        for method, params in (
            asked if what in ("none", "wrong", "expired", "revoked") else asked[:3]
        ):
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            if mode == "auto":
                body["params"] = {**params, "_meta": META}
            headers = headers_of(mode, method, params) | credentials
            answer = await http.post(url, content=json.dumps(body), headers=headers)

            assert answer.status_code == 401, (what, method)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert ("invalid_token" in answer.headers["www-authenticate"]) == (
                authorization.startswith("Bearer ") and what != "empty"
            ), what
            assert "canary" not in answer.text
            assert canary not in answer.text


async def test_no_page_but_the_health_pages_is_open_to_strangers(
    url: str, http: httpx2.AsyncClient
) -> None:
    root = url.removesuffix("/mcp")
    for path in (
        "/",
        "/mcp",
        "/mcp/",
        "/board/mcp",
        "/boards",
        "/metrics",
        "/health/",
        "/x",
        "//health",
    ):
        for verb in ("GET", "POST", "DELETE", "OPTIONS", "PUT"):
            answer = await http.request(verb, f"{root}{path}")
            assert answer.status_code == 401, (verb, path)
    assert (await http.get(f"{root}/health")).status_code == 200


async def test_a_token_counts_in_no_place_but_its_header(
    url: str, engine: Engine, http: httpx2.AsyncClient
) -> None:
    good = engine.create_token("good", role="all")["token"]

    in_query = await http.post(f"{url}?token={good}&access_token={good}")
    in_cookie = await http.post(url, headers={"Cookie": f"relaybook_token={good}"})

    assert (in_query.status_code, in_cookie.status_code) == (401, 401)


async def test_an_older_session_belongs_to_the_token_that_opened_it_and_no_log_tells_it(
    url: str, engine: Engine, http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    mine, other = (
        {"Authorization": f"Bearer {engine.create_token(n, role='all')['token']}"} for n in "ab"
    )
    opened = await http.post(url, json=_request("initialize", HELLO), headers=ACCEPT | mine)
    session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}

    stolen = [
        await http.post(url, json=_request("tools/list", {}), headers=ACCEPT | other | session),
        await http.get(url, headers=ACCEPT | other | session),
        await http.delete(url, headers=ACCEPT | other | session),
    ]
    own = await http.post(url, json=_request("ping", {}), headers=ACCEPT | mine | session)

    assert [answer.status_code for answer in stolen] == [404, 404, 404]
    assert own.status_code == 200
    id = session["Mcp-Session-Id"]
    assert f"Rejecting request for session {id[:8]}…: " in caplog.text
    assert id not in caplog.text


def _request(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def test_a_token_that_is_revoked_ends_at_the_next_call(
    url: str, engine: Engine, mode: Mode, http: httpx2.AsyncClient
) -> None:
    made = engine.create_token("good", role="all")
    caller = await _opened(http, url, mode, made["token"])

    before = await caller.post("tools/list", {})
    engine.revoke_token(made["id"])
    after = await caller.post("tools/list", {})

    assert (before.status_code, after.status_code) == (200, 401)
    assert "create_workflow" not in after.text


class KnownOnce:
    """Knows who calls when a call begins, and not when it is answered."""

    challenge = "Bearer"
    advice = "ask for one"

    def __init__(self) -> None:
        self._asked = 0

    async def caller(self, token: str | None) -> Caller | None:
        self._asked += 1
        return Caller("somebody", Kind("all")) if self._asked == 1 else None


async def test_a_call_whose_token_goes_meanwhile_is_answered_once(
    engine: Engine, http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(engine, KnownOnce()) as url:
        answer = await Raw(http, url, "auto", {}).post("tools/list", {})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    assert not caplog.records


async def test_a_stream_ends_before_it_tells_a_revoked_token_anything(
    url: str, engine: Engine, mode: Mode, http: httpx2.AsyncClient
) -> None:
    here = f"ledger://workflows/{workflow(engine, 'a')}"
    made = engine.create_token("good", role="all")
    caller = await _opened(http, url, mode, made["token"])

    with anyio.fail_after(PATIENCE):
        async with caller.listening(here) as stream:
            engine.revoke_token(made["id"])
            engine.claim_task()
            said = [line async for line in stream.aiter_lines()]

    assert stream.status_code == 200
    assert "updated" not in str(said)


@dataclass(frozen=True)
class Raw:
    """Somebody who speaks the protocol without a library."""

    http: httpx2.AsyncClient
    url: str
    mode: Mode
    headers: dict[str, str]

    async def post(self, method: str, params: dict[str, Any]) -> httpx2.Response:
        return await self.http.post(self.url, **self._said(method, params))

    def _said(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        meta = {} if self.mode == "legacy" else {"_meta": META}
        headers = headers_of(self.mode, method, params) | self.headers
        return {"json": _request(method, params | meta), "headers": headers}

    @asynccontextmanager
    async def listening(self, uri: str) -> AsyncGenerator[httpx2.Response]:
        """A stream that tells of changes of `uri`, in the way of the era."""
        if self.mode == "legacy":
            await self.post("resources/subscribe", {"uri": uri})
            async with self.http.stream("GET", self.url, headers=ACCEPT | self.headers) as stream:
                yield stream
        else:
            wanted = {"notifications": {"resourceSubscriptions": [uri]}}
            said = self._said("subscriptions/listen", wanted)
            async with self.http.stream("POST", self.url, **said) as stream:
                yield stream


async def _opened(http: httpx2.AsyncClient, url: str, mode: Mode, token: str) -> Raw:
    """A caller of the era, of the older one with a session."""
    caller = Raw(http, url, mode, {"Authorization": f"Bearer {token}"})
    if mode == "legacy":
        opened = await caller.post("initialize", HELLO)
        caller.headers["Mcp-Session-Id"] = opened.headers["mcp-session-id"]
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await http.post(url, json=ready, headers=ACCEPT | caller.headers)
    return caller


async def test_a_server_of_a_worker_makes_workers_of_all(engine: Engine, connect: Connect) -> None:
    made = engine.create_token("boss", role="all")

    async with (
        serving(engine, AsWorkers(Tokens(engine))) as url,
        connect(url, made["token"]) as client,
    ):
        names = {each.name for each in (await client.list_tools()).tools}

    assert names == {"claim_task", "update_task", "record", "read"}


async def test_each_role_gets_its_tools(url: str, engine: Engine, connect: Connect) -> None:
    engine.create_workflow("fan_out", tasks=[task("a")])
    counts: dict[str, int] = {}

    for role in ("orchestrator", "worker", "all"):
        made = engine.create_token(role, role=role)
        async with connect(url, made["token"]) as client:
            counts[role] = len((await client.list_tools()).tools)

    assert counts == {"orchestrator": 13, "worker": 4, "all": 14}
