"""Change notifications, in both eras of the protocol, whichever process made the change.

A watcher compares marks of what is subscribed, and only while something is. Clients of
2026-07-28 listen on a stream, which the SDK serves from a bus; older ones subscribe to
single resources, which `older` keeps.

No change is missed between a subscription and the watcher's next look: marks are taken before
a subscription is answered, and they move on only together with the telling.
"""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Hashable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import MCPServer
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)

from relaybook.engine import Engine
from relaybook.errors import StoreFault
from relaybook.surface.done import done
from relaybook.surface.older import Reachable, Subscribers, reachable_over
from relaybook.surface.wakes import Wakes

#: The least time between two looks, however many hints come.
SETTLE_SECONDS = 0.02
#: How many different resources may be subscribed to at once.
SUBSCRIBED_LIMIT = 10_000

_log = logging.getLogger(__name__)


class Changes:
    """Who listens to what, and the watcher that tells them."""

    def __init__(self, engine: Engine, wakes: Wakes) -> None:
        self._wakes = wakes
        self.bus = InMemorySubscriptionBus()
        #: Whether a client of the older era can be told something just now.
        self.reachable: Reachable = lambda _: True
        self._engine = engine
        self._listeners: Counter[str] = Counter()
        self._marks: dict[str, Hashable] = {}
        self._version: object = None
        self._blind = False
        self.older = Subscribers(self.remove)
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

    async def add(self, uris: Collection[str]) -> None:
        """One more listener to each of `uris`.

        Raises:
            MCPError: too many are subscribed to already, or the ledger cannot be read.
        """
        new = [uri for uri in uris if uri not in self._marks]
        if len(self._marks) + len(new) > SUBSCRIBED_LIMIT:
            raise MCPError(INVALID_PARAMS, f"At most {SUBSCRIBED_LIMIT} resources are watched.")
        try:
            found = await done(self._engine, self._engine.marks, new)
        except StoreFault as fault:
            raise MCPError(INTERNAL_ERROR, f"{fault.code}: {fault}") from fault
        await checkpoint_if_cancelled()  # nobody would remove what one adds who has left
        self._marks = {**found, **self._marks}  # others may have added some meanwhile
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
        async with anyio.create_task_group() as group:
            while True:
                await self._wanted.wait()
                await self._wakes.wait()
                await anyio.sleep(SETTLE_SECONDS)
                await self._look()
                self.older.send(group, self.reachable)

    async def _look(self) -> None:
        try:
            changed = await self._changed()
        except StoreFault as fault:
            if not self._blind:
                _log.warning("changes are not seen until the ledger answers: %s", fault)
            self._blind = True
            return
        self._blind = False
        # The marks have moved on, so nobody else would tell the rest.
        with anyio.CancelScope(shield=True):
            for uri in changed:
                self.older.note(uri)
                await self.bus.publish(ResourceUpdated(uri=uri))

    async def _changed(self) -> list[str]:
        """What was subscribed to and has changed since the last look."""
        version = await done(self._engine, self._engine.store.version)
        if version == self._version:
            return []
        found = await done(self._engine, self._engine.marks, list(self._marks))
        marks = {uri: mark for uri, mark in found.items() if uri in self._marks}
        changed = [uri for uri, mark in marks.items() if mark != self._marks[uri]]
        self._marks |= marks
        self._version = version
        return changed


def offer_subscriptions(server: MCPServer[None], changes: Changes) -> None:
    """Serve both kinds of subscription from `changes`; its bus is the server's."""
    changes.reachable = reachable_over(server._lowlevel_server)  # pyright: ignore[reportPrivateUsage]  # no public way yet
    _offer_to_older(server, changes)
    _offer_streams(server, changes)


def _offer_to_older(server: MCPServer[None], changes: Changes) -> None:
    async def subscribe(
        ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams
    ) -> EmptyResult:
        from relaybook.engine.readables.table import matching, unknown

        uri, subscriber = str(params.uri), changes.older.of(ctx)
        if matching(uri) is None and uri not in {str(r.uri) for r in await server.list_resources()}:
            raise MCPError(INVALID_PARAMS, str(unknown(uri, "orchestrator")), {"uri": uri})
        if uri not in subscriber.uris:
            await changes.add([uri])
            if uri in subscriber.uris:  # it asked twice at once
                changes.remove([uri])
            subscriber.uris.add(uri)
        return EmptyResult()

    async def unsubscribe(
        ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams
    ) -> EmptyResult:
        """Harmless for what was not subscribed to."""
        uri, subscriber = str(params.uri), changes.older.of(ctx)
        if uri in subscriber.uris:
            subscriber.forget(uri)
            changes.remove([uri])
        return EmptyResult()

    low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]  # no public way yet
    low.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribe)
    low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, unsubscribe)


def _offer_streams(server: MCPServer[None], changes: Changes) -> None:
    low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]  # no public way yet
    entry = low.get_request_handler("subscriptions/listen")
    assert entry is not None
    serve_stream = entry.handler

    async def listen(
        ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> Any:
        uris = set(params.notifications.resource_subscriptions or ())
        await changes.add(uris)
        try:
            return await serve_stream(ctx, params)
        finally:
            changes.remove(uris)

    low.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, listen)
