"""An MCP server for each kind of caller, made when the first of them calls.

A server is built on an engine that sees the projects of its callers and no others, so that no
tool, resource, prompt, completion or subscription can show more.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup, TaskStatus
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp, Receive, Scope, Send

from relaybook.engine import Engine
from relaybook.errors import StoreBusy
from relaybook.surface.caller import Kind, caller_of
from relaybook.surface.direct import Direct
from relaybook.surface.http.direct import DirectHttp
from relaybook.surface.http.misread import InOurWords
from relaybook.surface.http.options import HttpOptions
from relaybook.surface.http.refusing import refused
from relaybook.surface.http.session_logs import shorten_session_ids
from relaybook.surface.http.stopping import Stopping
from relaybook.surface.rim import Observe
from relaybook.surface.server import build_server
from relaybook.surface.wakes import Wakes

#: How many kinds of callers one process serves.
KINDS_LIMIT = 1000

_log = logging.getLogger(__name__)


class Servers:
    """The ASGI application at `/mcp`: streamable HTTP, for every revision of the protocol."""

    def __init__(
        self, engine: Engine, options: HttpOptions, observe: Observe | None = None
    ) -> None:
        """`observe` is told of every call of a tool."""
        self._engine = engine
        self._observe = observe
        self._options = options
        self._wakes = Wakes(engine.store)
        self._apps: dict[Kind, ASGIApp] = {}
        self._group: TaskGroup | None = None
        self._starting = anyio.Lock()
        shorten_session_ids()

    @asynccontextmanager
    async def running(self, stopping: Stopping) -> AsyncGenerator[None]:
        """Serve while open; once `stopping` is set, calls that wait for a change are answered."""

        async def end_waits() -> None:
            await stopping.wait()
            self._wakes.end()

        async with anyio.create_task_group() as group:
            self._group = group
            group.start_soon(self._wakes.listen)
            group.start_soon(end_waits)
            yield
            group.cancel_scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = await self._app(caller_of(scope).kind)
        if app is None:
            full = StoreBusy(
                f"This server serves {KINDS_LIMIT} kinds of callers already.",
                allowed="tokens of the same role and projects as those in use",
                next="use such a token, or another replica",
            )
            return await refused(full)(scope, receive, send)
        await app(scope, receive, send)

    async def _app(self, kind: Kind) -> ASGIApp | None:
        found = self._apps.get(kind)
        if found is not None:
            return found
        async with self._starting:
            if kind not in self._apps:
                if len(self._apps) >= KINDS_LIMIT:
                    return None
                assert self._group is not None, "the application is not running"
                self._apps[kind] = await self._group.start(self._run, kind)
        return self._apps[kind]

    async def _run(self, kind: Kind, *, task_status: TaskStatus[ASGIApp]) -> None:
        engine = self._engine if kind.projects is None else self._engine.within(kind.projects)
        server = build_server(engine, kind.role, self._options.secrets, self._wakes)
        server.observe = self._observe
        # The application that this answers is left alone: ours has layers and pages of its own.
        server.streamable_http_app(
            stateless_http=self._options.stateless,
            max_request_body_size=self._options.body_limit,
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        try:
            async with server.session_manager.run():
                app = InOurWords(server.session_manager.handle_request)
                task_status.started(DirectHttp(app, Direct(server)))
                await anyio.sleep_forever()
        except Exception:  # noqa: BLE001  # whatever it was, other callers are served on
            _log.exception("an MCP server failed; the next call gets a new one")
        finally:
            self._apps.pop(kind, None)
