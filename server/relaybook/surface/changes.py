"""Change notifications, in both eras of the protocol, whichever process made the change.

A watcher compares marks of what is subscribed, and only while something is. Clients of
2026-07-28 listen on a stream, which the SDK serves from a bus; older ones subscribe to
single resources, which it leaves to us.
"""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Hashable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import MCPServer
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)

from relaybook.engine import Engine
from relaybook.engine.read import matching, unknown
from relaybook.errors import StoreFault
from relaybook.surface.wakes import Wakes

#: The least time between two looks, however many hints come.
SETTLE_SECONDS = 0.02
#: How long one client may hold up the notifications of the others.
SEND_SECONDS = 2.0
#: How many different resources may be subscribed to at once.
SUBSCRIBED_LIMIT = 10_000

_log = logging.getLogger(__name__)


class Changes:
    """Who listens to what, and the watcher that tells them."""

    def __init__(self, engine: Engine, wakes: Wakes) -> None:
        self._wakes = wakes
        self.bus = InMemorySubscriptionBus()
        self._engine = engine
        self._listeners: Counter[str] = Counter()
        self._marks: dict[str, Hashable] = {}
        self._version: object = None
        self._older: dict[Connection, set[str]] = {}
        self._wanted = anyio.Event()

    @property
    def watched(self) -> set[str]:
        """What somebody is subscribed to."""
        return set(self._marks)

    @asynccontextmanager
    async def lifespan(self, _: MCPServer[None]) -> AsyncGenerator[None]:
        """Watch while the server runs."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._wakes.listen)
            group.start_soon(self._watch)
            yield
            group.cancel_scope.cancel()

    def add(self, uris: Collection[str]) -> None:
        """One more listener to each of `uris`.

        Raises:
            MCPError: too many are subscribed to already.
        """
        new = [uri for uri in uris if uri not in self._marks]
        if len(self._marks) + len(new) > SUBSCRIBED_LIMIT:
            raise MCPError(INVALID_PARAMS, f"At most {SUBSCRIBED_LIMIT} resources are watched.")
        self._marks.update(self._engine.marks(new))
        self._listeners.update(uris)
        if self._marks:
            self._wanted.set()

    def remove(self, uris: Collection[str]) -> None:
        """One listener less to each of `uris`."""
        self._listeners.subtract(uris)
        for uri in uris:
            if self._listeners[uri] <= 0:
                del self._listeners[uri]
                self._marks.pop(uri, None)
        if not self._marks and self._wanted.is_set():
            self._wanted = anyio.Event()

    async def _watch(self) -> None:
        while True:
            await self._wanted.wait()
            await self._wakes.wait()
            await anyio.sleep(SETTLE_SECONDS)
            try:
                changed = self._changed()
            except StoreFault as fault:
                _log.warning("changes not seen: %s", fault)
                continue
            for uri in changed:
                await self._tell(uri)

    def _changed(self) -> list[str]:
        """What was subscribed to and has changed since the last look."""
        version = self._engine.store.version()
        if version == self._version:
            return []
        marks = self._engine.marks(self._marks)
        changed = [uri for uri, mark in marks.items() if mark != self._marks[uri]]
        self._marks, self._version = marks, version
        return changed

    async def _tell(self, uri: str) -> None:
        await self.bus.publish(ResourceUpdated(uri=uri))
        for connection, uris in list(self._older.items()):
            if uri in uris:
                with anyio.move_on_after(SEND_SECONDS):
                    await connection.send_resource_updated(uri)

    async def subscribe(
        self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams
    ) -> EmptyResult:
        """resources/subscribe, of clients up to 2025-11-25."""
        uri = str(params.uri)
        if matching(uri) is None:
            raise MCPError(INVALID_PARAMS, str(unknown(uri, "orchestrator")), {"uri": uri})
        uris = self._uris_of(ctx)
        if uri not in uris:
            self.add([uri])
            uris.add(uri)
        return EmptyResult()

    async def unsubscribe(
        self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams
    ) -> EmptyResult:
        """resources/unsubscribe; harmless for what was not subscribed to."""
        uri, uris = str(params.uri), self._uris_of(ctx)
        if uri in uris:
            uris.remove(uri)
            self.remove([uri])
        return EmptyResult()

    def _uris_of(self, ctx: ServerRequestContext[Any, Any]) -> set[str]:
        # Private: the session of a request is gone with it, the connection is not.
        connection = ctx.session._connection  # pyright: ignore[reportPrivateUsage]
        if connection not in self._older:
            self._older[connection] = set()
            connection.exit_stack.callback(self._forget, connection)
        return self._older[connection]

    def _forget(self, connection: Connection) -> None:
        self.remove(self._older.pop(connection))


def offer_subscriptions(server: MCPServer[None], changes: Changes) -> None:
    """Serve both kinds of subscription from `changes`; its bus is the server's."""
    low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]  # no public way yet
    low.add_request_handler("resources/subscribe", SubscribeRequestParams, changes.subscribe)
    low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, changes.unsubscribe)
    entry = low.get_request_handler("subscriptions/listen")
    assert entry is not None
    serve_stream = entry.handler

    async def listen(
        ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> Any:
        uris = set(params.notifications.resource_subscriptions or ())
        changes.add(uris)
        try:
            return await serve_stream(ctx, params)
        finally:
            changes.remove(uris)

    low.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, listen)
