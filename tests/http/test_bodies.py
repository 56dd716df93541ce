"""Requests whose body does not come: cut off in time, and without a word in the log."""

import anyio
import pytest
from anyio.abc import SocketStream

from relaybook.engine import Engine
from relaybook.surface.http import bodies
from tests.http.serving import server_on

pytestmark = pytest.mark.anyio


async def begun(url: str, path: str) -> SocketStream:
    """A connection on which a request was begun, with half of its body."""
    host, port = url.removeprefix("http://").removesuffix("/mcp").split(":")
    stream = await anyio.connect_tcp(host, int(port))
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\nContent-Length: 20\r\n\r\n"
    )
    await stream.send(f"{head}0123456789".encode())
    return stream


async def answer(stream: SocketStream) -> bytes:
    """All that comes until the server closes the connection."""
    said = b""
    async with stream:
        with anyio.fail_after(60):
            async for piece in stream:
                said += piece
    return said


@pytest.mark.parametrize("path", ["/mcp", "/board/login"])
async def test_a_body_still_coming_does_not_keep_the_server_from_stopping(
    engine: Engine, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with anyio.fail_after(60):
        async with server_on(engine, grace_seconds=3600) as (url, server, _):
            stream = await begun(url, path)
            while not server.server_state.tasks:  # noqa: ASYNC110  # it has no event for it
                await anyio.sleep(0.01)
            server.should_exit = True
            said = await answer(stream)

    assert said.startswith(b"HTTP/1.1 503 ")
    assert not caplog.records


@pytest.mark.parametrize(
    ("path", "limit"), [("/board/login", "OPEN_SECONDS"), ("/mcp", "KNOWN_SECONDS")]
)
async def test_nobody_is_waited_for_without_end(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, path: str, limit: str
) -> None:
    monkeypatch.setattr(bodies, limit, 0.1)

    async with server_on(engine) as (url, _, _):
        said = await answer(await begun(url, path))

    assert said.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", ["/mcp", "/board/login"])
async def test_a_client_that_leaves_amid_its_body_is_no_fault(
    engine: Engine, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with server_on(engine) as (url, server, _):
        stream = await begun(url, path)
        while not server.server_state.tasks:  # noqa: ASYNC110  # it has no event for it
            await anyio.sleep(0.01)
        await stream.aclose()
        with anyio.fail_after(60):
            while server.server_state.tasks:  # noqa: ASYNC110  # nor for this
                await anyio.sleep(0.01)

    assert not caplog.records
