"""Over HTTP a call that is answered directly gets the answer that the SDK would give."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from relaybook.engine import Engine
from tests.http.serving import serving

pytestmark = pytest.mark.anyio

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
}


@pytest.fixture
async def http(direct: list[str], engine: Engine) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        serving(engine) as url,
        httpx2.AsyncClient(
            base_url=url.removesuffix("/mcp"), headers=HEADERS, timeout=60
        ) as client,
    ):
        yield client


async def call(
    http: httpx2.AsyncClient, name: str, arguments: dict[str, Any], **headers: str
) -> httpx2.Response:
    params = {"name": name, "arguments": arguments, "_meta": ENVELOPE}
    said = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return await http.post("/mcp", json=said, headers={"Mcp-Name": name, **headers})


def told(response: httpx2.Response) -> tuple[int, dict[str, str], Any]:
    headers = {name: said for name, said in response.headers.items() if name != "date"}
    headers.pop("content-length")  # the order of members is the same, the blanks may differ
    return response.status_code, headers, json.loads(response.content)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read", {"uri": "guide://vocabulary"}),
        ("read", {"url": "guide://vocabulary"}),
        ("update_task", {"workflow_id": "wf_0", "task_id": "ünknown ☃", "status": "failed"}),
    ],
)
async def test_the_second_call_is_answered_as_the_first(
    http: httpx2.AsyncClient, direct: list[str], name: str, arguments: dict[str, Any]
) -> None:
    first = await call(http, name, arguments)
    second = await call(http, name, arguments)

    assert told(first) == told(second)
    assert direct == [name]


@pytest.mark.parametrize(
    "headers",
    [
        {"Mcp-Name": "cleanup"},
        {"MCP-Protocol-Version": "1999-01-01"},
        {"Mcp-Method": "tools/list"},
        {"Accept": "text/plain"},
        {"Mcp-Session-Id": "0"},
        {"Content-Type": "text/plain"},
    ],
)
async def test_headers_that_say_something_else_are_left_to_the_sdk(
    http: httpx2.AsyncClient, direct: list[str], headers: dict[str, str]
) -> None:
    for _ in range(2):
        await call(http, "read", {"uri": "guide://vocabulary"})
    direct.clear()

    await call(http, "read", {"uri": "guide://vocabulary"}, **headers)

    assert direct == []


async def test_a_header_that_comes_twice_is_left_to_the_sdk(
    http: httpx2.AsyncClient, direct: list[str]
) -> None:
    for _ in range(2):
        await call(http, "read", {"uri": "guide://vocabulary"})
    direct.clear()
    params = {"name": "read", "arguments": {"uri": "guide://vocabulary"}, "_meta": ENVELOPE}
    said = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}

    twice = [*HEADERS.items(), ("Mcp-Name", "read"), ("Mcp-Name", "cleanup")]
    response = await http.post("/mcp", json=said, headers=twice)

    assert (response.status_code, direct) == (400, [])


async def test_what_needs_its_session_is_left_to_the_sdk(
    http: httpx2.AsyncClient, direct: list[str]
) -> None:
    answers = [await call(http, "get_workflow", {}) for _ in range(2)]

    assert [each.status_code for each in answers] == [200, 200]
    assert direct == []


async def test_a_body_that_is_no_call_is_left_to_the_sdk(
    http: httpx2.AsyncClient, direct: list[str]
) -> None:
    response = await http.post("/mcp", content=b"{", headers={"Mcp-Name": "read"})

    assert (response.status_code, direct) == (400, [])
