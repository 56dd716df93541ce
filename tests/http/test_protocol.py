"""Requests byte by byte: what counts as their head, and how long it may be."""

import anyio
import pytest

from relaybook.engine import Engine
from relaybook.surface.http.protocol import HEAD_LIMIT
from tests.http.serving import serving

pytestmark = pytest.mark.anyio


async def answers(url: str, *pieces: bytes) -> bytes:
    """What the server sends until it closes the connection, after each of `pieces`."""
    host, port = url.removeprefix("http://").removesuffix("/mcp").split(":")
    said = b""
    async with await anyio.connect_tcp(host, int(port)) as stream:
        with anyio.fail_after(60):
            for piece in pieces:
                await stream.send(piece.replace(b"HOST", f"{host}:{port}".encode()))
            async for part in stream:
                said += part
    return said


async def test_blanks_around_a_value_are_no_part_of_it(engine: Engine) -> None:
    async with serving(engine) as url:
        said = await answers(
            url, b"GET /health HTTP/1.1\r\nHost: \t HOST \t\r\nConnection:close  \r\n\r\n"
        )

    assert said.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("name", ["Host", "Origin", "Authorization"])
async def test_what_says_twice_whose_a_request_is_is_refused(engine: Engine, name: str) -> None:
    given = {
        "Host": b"Host: HOST\r\nHost: evil\r\n",
        "Origin": b"Host: HOST\r\nOrigin: http://HOST\r\norigin: http://evil\r\n",
        "Authorization": b"Host: HOST\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\n",
    }

    async with serving(engine) as url:
        said = await answers(
            url, b"GET /board HTTP/1.1\r\n" + given[name] + b"Connection: close\r\n\r\n"
        )

    assert said.startswith(b"HTTP/1.1 400 ")
    assert f"more than one {name}".encode() in said


CALL = (
    b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": '
    b'"2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}}'
)
OFFERS = {
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n",
    "websocket": b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    "to be closed": b"Connection: upgrade, close\r\nUpgrade: h2c\r\n",
    "in two lines": b"Connection: upgrade\r\nConnection: keep-alive\r\nUpgrade: h2c\r\n",
}


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())
@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: %d\r\n\r\n%s" % (len(CALL), CALL),
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(CALL), CALL),
    ],
    ids=["of a length", "in chunks"],
)
async def test_a_request_that_offers_an_upgrade_is_answered_as_if_it_offered_nothing(
    engine: Engine, offer: bytes, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    fields = b"Host: HOST\r\nAccept: application/json, text/event-stream\r\n"
    asked = b"POST /mcp HTTP/1.1\r\n" + fields + b"Content-Type: application/json\r\n" + offer
    asked += body
    last = b"GET /health HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"

    async with serving(engine) as url:
        whole = await answers(url, asked + last)
        pieces = await answers(url, asked[:40], asked[40:-30], asked[-30:], last)

    for said in (whole, pieces):
        assert said.startswith(b"HTTP/1.1 200 ")
        assert b'"protocolVersion":"2025-11-25"' in said
        assert b"HTTP/1.1 101" not in said
    assert caplog.records == []


async def test_a_tunnel_is_refused(engine: Engine) -> None:
    offer = b"Connection: upgrade, close\r\nUpgrade: h2c\r\n\r\n"

    async with serving(engine) as url:
        said = await answers(url, b"CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n" + offer)

    assert said.startswith(b"HTTP/1.1 400 ")


async def test_a_head_may_come_in_pieces_and_its_body_be_long(engine: Engine) -> None:
    body = b"x" * (2 * HEAD_LIMIT)
    length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()

    async with serving(engine) as url:
        said = await answers(
            url, b"POST /mcp HTT", b"P/1.1\r\nHo", b"st: HOST\r", b"\n" + length + body
        )
        whole = await answers(url, b"POST /mcp HTTP/1.1\r\nHost: HOST\r\n" + length + body)

    assert b"longer than" not in said + whole


async def test_a_head_without_end_is_refused(engine: Engine) -> None:
    piece = b"a" * 8192

    async with serving(engine) as url:
        named = await answers(url, b"GET /health HTTP/1.1\r\nX: ", *[piece] * 9)
        unnamed = await answers(url, b"GET /", *[piece] * 9)

    for said in (named, unnamed):
        assert said.startswith(b"HTTP/1.1 400 ")
        assert said.endswith(f"longer than {HEAD_LIMIT} bytes.".encode())


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"Content-Length : 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Bad Name: x\r\n\r\n",
    ],
)
async def test_a_request_that_can_be_read_in_two_ways_is_refused(
    engine: Engine, head: bytes
) -> None:
    async with serving(engine) as url:
        said = await answers(url, b"POST /mcp HTTP/1.1\r\nHost: HOST\r\n" + head)

    assert said.startswith(b"HTTP/1.1 400 ")
