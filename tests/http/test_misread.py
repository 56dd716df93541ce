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


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize(
    ("header", "said"), [("Content-Type", "text/plain"), ("Accept", "text/html")]
)
async def test_a_header_that_cannot_be_is_named_with_what_is_allowed(
    url: str, http: httpx2.AsyncClient, era: str, header: str, said: str
) -> None:
    answer = await http.post(url, content=PING, headers=_headers(era) | {header: said})

    assert answer.status_code in (400, 406)
    assert answer.headers["content-type"] == "application/json"
    assert "application/json" in answer.text
    if era == "2026-07-28":
        error = answer.json()["error"]
        assert repr(said) in error["message"]
        assert error["next"].startswith(f"send {header}: application/json")


async def test_a_method_that_a_client_of_today_has_no_use_for_is_named(
    url: str, http: httpx2.AsyncClient
) -> None:
    answer = await http.delete(url, headers=_headers("2026-07-28"))

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["error"]["message"] == "'/mcp' does not answer DELETE."
    assert answer.json()["error"]["allowed"] == "POST"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_request_without_a_body_is_not_told_that_its_body_is_no_json(
    url: str, http: httpx2.AsyncClient, method: str
) -> None:
    answer = await http.request(method, url, headers=_headers("2025-11-25"))

    assert answer.status_code == 400
    assert "session" in answer.json()["error"]["message"].lower()


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", {}), ("DELETE", {}), ("PUT", {}), ("POST", {}), ("POST", {"Accept": "text/html"})],
)
async def test_a_refused_request_names_no_session_that_there_is_not(
    url: str, http: httpx2.AsyncClient, method: str, headers: dict[str, str]
) -> None:
    answer = await http.request(method, url, headers=_headers("2025-11-25") | headers)

    assert answer.status_code in (400, 405, 406)
    assert "mcp-session-id" not in answer.headers


def _headers(era: str) -> dict[str, str]:
    return {
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": era,
    }
