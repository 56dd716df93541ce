"""Bodies that are no message: refused in the words of a pipe, whatever the era of the client."""

import httpx2
import pytest

pytestmark = pytest.mark.anyio

PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ("{}", -32600, "Invalid request: send one JSON-RPC 2.0 message at a time"),
        (f"[{PING}]", -32600, "Invalid request: send one JSON-RPC 2.0 message at a time"),
        ('{"jsonrpc":', -32700, "Parse error: it is no JSON"),
        ("", -32700, "Parse error: it is no JSON"),
    ],
)
async def test_a_body_that_is_no_message_is_refused_in_our_words(
    url: str, http: httpx2.AsyncClient, era: str, body: str, code: int, told: str
) -> None:
    answer = await http.post(url, content=body, headers=_headers(era))

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert error["message"].startswith(told)


async def test_another_refusal_of_the_sdk_stays_as_it_is(
    url: str, http: httpx2.AsyncClient
) -> None:
    answer = await http.post(url, content=PING, headers=_headers("2026-07-28"))

    assert answer.status_code == 400
    assert "params._meta must be an object" in answer.json()["error"]["message"]


def _headers(era: str) -> dict[str, str]:
    return {
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": era,
    }
