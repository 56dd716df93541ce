"""A real HTTP server in the process of the test, and clients on it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.routing import Route

from relaybook.engine import Engine
from relaybook.surface.http.access import Access, Anyone
from relaybook.surface.http.app import build_app
from relaybook.surface.http.options import HttpOptions
from relaybook.surface.http.serve import HttpServer, listen, url_of
from relaybook.surface.http.stopping import Stopping

PATIENCE = 30


@asynccontextmanager
async def serving(
    engine: Engine, access: Access | None = None, *, pages: Sequence[Route] = (), **options: Any
) -> AsyncGenerator[str]:
    """The URL of a server that runs while this is open; strangers may see `pages`."""
    async with server_on(engine, access, pages=pages, **options) as (url, _, _):
        yield url


@asynccontextmanager
async def server_on(
    engine: Engine, access: Access | None = None, *, pages: Sequence[Route] = (), **options: Any
) -> AsyncGenerator[tuple[str, HttpServer, Stopping]]:
    """The URL, the server itself, and what is set once it stops."""
    options.setdefault("grace_seconds", 5)
    chosen = HttpOptions(port=0, **options)
    stopping = Stopping()
    app = build_app(
        engine,
        access or Anyone("orchestrator"),
        chosen,
        stopping=stopping,
        routes=pages,
        public=[page.path for page in pages],
    )
    server, listener = HttpServer(app, chosen, stopping), listen(chosen)
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [listener])
        with anyio.fail_after(PATIENCE):
            while not server.started:  # noqa: ASYNC110  # it has no event for it
                await anyio.sleep(0.01)
        yield url_of(chosen, listener), server, stopping
        server.should_exit = True


@asynccontextmanager
async def connected(url: str, token: str = "", **options: Any) -> AsyncGenerator[Client]:
    """A client of the server at `url`, with a token if one is given."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, **options) as client:
            yield client
