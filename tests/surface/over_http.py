"""A server behind a real socket, and an older client by hand, for what only HTTP does."""

import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self

import anyio
import httpx2
import uvicorn

from relaybook.engine import Engine
from relaybook.surface.http.access import Anyone
from relaybook.surface.http.app import build_app
from tests.surface.listening import PATIENCE


@asynccontextmanager
async def served(engine: Engine) -> AsyncGenerator[str]:
    """The URL at which a server over `engine` answers while this is open."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = build_app(engine, Anyone("orchestrator"))
    config = uvicorn.Config(app, http="h11", log_level="warning", timeout_graceful_shutdown=1)
    http = uvicorn.Server(config)
    async with anyio.create_task_group() as group:
        group.start_soon(http.serve, [listener])
        while not http.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await anyio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        finally:
            http.should_exit = True


class RawSession:
    """A client that opens its stream only when it is asked for a message."""

    def __init__(self, url: str, version: str = "2025-11-25") -> None:
        self._url, self._version = url, version
        self._http = httpx2.AsyncClient(
            timeout=PATIENCE, headers={"Accept": "application/json, text/event-stream"}
        )
        self._id = 0

    async def __aenter__(self) -> Self:
        answer = await self.request(
            "initialize",
            protocolVersion=self._version,
            capabilities={},
            clientInfo={"name": "raw", "version": "1"},
        )
        self._http.headers["Mcp-Session-Id"] = answer.headers["Mcp-Session-Id"]
        self._http.headers["MCP-Protocol-Version"] = self._version
        await self._post({"method": "notifications/initialized"})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def request(self, method: str, **params: Any) -> httpx2.Response:
        self._id += 1
        return await self._post({"id": self._id, "method": method, "params": params})

    async def result(self, method: str, **params: Any) -> dict[str, Any]:
        """What the server answers to a request that it does not refuse."""
        answer = await self.request(method, **params)
        (data,) = [line for line in answer.text.splitlines() if line.startswith("data: {")]
        return json.loads(data.removeprefix("data: "))["result"]

    async def next_message(self) -> dict[str, Any]:
        """Open the stream and answer the first message on it."""
        async with self._http.stream("GET", self._url) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    return json.loads(line.removeprefix("data: "))
        raise AssertionError("the stream ended without a message")

    async def _post(self, message: dict[str, Any]) -> httpx2.Response:
        answer = await self._http.post(self._url, json={"jsonrpc": "2.0", **message})
        answer.raise_for_status()
        return answer
