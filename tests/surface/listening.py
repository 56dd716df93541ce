"""Subscribing to resources in the way of the client's era."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio
from mcp import Client
from mcp.server.subscriptions import ResourceUpdated
from mcp_types import (
    EmptyResult,
    ResourceUpdatedNotification,
    SubscribeRequest,
    SubscribeRequestParams,
    UnsubscribeRequest,
    UnsubscribeRequestParams,
)

PATIENCE = 20


class Listening(Protocol):
    """What a subscribed client hears."""

    async def next(self) -> str:
        """The URI of the next notification."""
        ...


class Inbox:
    """Hears what a client of the older era is told; `handle` is its message handler."""

    def __init__(self) -> None:
        self.send, self.receive = anyio.create_memory_object_stream[str](100)

    async def handle(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            await self.send.send(str(message.params.uri))

    async def next(self) -> str:
        with anyio.fail_after(PATIENCE):
            return await self.receive.receive()

    def close(self) -> None:
        self.send.close()
        self.receive.close()


class _Stream:
    def __init__(self, stream: Any) -> None:
        self.stream = stream

    async def next(self) -> str:
        with anyio.fail_after(PATIENCE):
            event = await anext(self.stream)
        assert isinstance(event, ResourceUpdated)
        return event.uri


@asynccontextmanager
async def listening(client: Client, inbox: Inbox, *uris: str) -> AsyncGenerator[Listening]:
    """While open, `client`, made with the handler of `inbox`, is subscribed to `uris`."""
    if client.protocol_version == "2026-07-28":
        async with client.listen(resource_subscriptions=list(uris)) as stream:
            yield _Stream(stream)
    else:
        for uri in uris:
            await subscribe(client, uri)
        yield inbox


async def listen_once(client: Client, uri: str) -> None:
    """Open a stream of the newer era, and close it."""
    async with client.listen(resource_subscriptions=[uri]):
        pass


async def subscribe(client: Client, uri: str) -> None:
    request = SubscribeRequest(params=SubscribeRequestParams(uri=uri))
    await client.session.send_request(request, EmptyResult)


async def unsubscribe(client: Client, uri: str) -> None:
    request = UnsubscribeRequest(params=UnsubscribeRequestParams(uri=uri))
    await client.session.send_request(request, EmptyResult)


async def several(listener: Listening, count: int) -> set[str]:
    """The URIs of the next `count` notifications."""
    return {await listener.next() for _ in range(count)}
