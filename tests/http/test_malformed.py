"""Parameters that no client of an SDK would send: each is named, with what is wanted there."""

import json
from typing import Any

import httpx2
import pytest

from relaybook.engine import Engine
from tests.http.serving import serving

pytestmark = pytest.mark.anyio

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "a test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


async def asked(
    http: httpx2.AsyncClient, url: str, era: str, method: str, params: dict[str, Any]
) -> dict[str, Any]:
    """What the server answers to a client of that era."""
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": era,
        "Mcp-Method": method,
    }
    if era == "2026-07-28":
        params = params | {"_meta": META}
        named = params.get("name", params.get("uri"))
        headers |= {"Mcp-Name": named} if isinstance(named, str) else {}
    said = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    text = (await http.post(url, json=said, headers=headers)).text
    lines = [line.removeprefix("data:") for line in text.splitlines() if line.startswith("data:")]
    return json.loads(lines[-1] if lines else text)


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize(
    ("method", "params", "told"),
    [
        (
            "tools/call",
            {"name": "get_workflow", "arguments": [1]},
            "tools/call: 'params.arguments' is a list, not an object.",
        ),
        ("tools/call", {"arguments": {}}, "tools/call: argument 'params.name' is missing."),
        ("resources/read", {}, "resources/read: argument 'params.uri' is missing."),
        ("completion/complete", {}, "argument 'params.ref' is missing."),
        ("tools/list", {"cursor": "zz"}, "tools/list gave no such cursor"),
        ("resources/list", {"cursor": "zz"}, "resources/list gave no such cursor"),
    ],
)
async def test_parameters_that_cannot_be_are_named(
    engine: Engine,
    http: httpx2.AsyncClient,
    era: str,
    method: str,
    params: dict[str, Any],
    told: str,
) -> None:
    async with serving(engine, stateless=True) as url:
        answer = await asked(http, url, era, method, params)

    assert answer["error"]["code"] == -32602
    assert told in answer["error"]["message"]


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
async def test_a_list_without_a_cursor_is_answered(
    engine: Engine, http: httpx2.AsyncClient, era: str
) -> None:
    async with serving(engine, stateless=True) as url:
        answer = await asked(http, url, era, "tools/list", {})

    assert len(answer["result"]["tools"]) == 13
