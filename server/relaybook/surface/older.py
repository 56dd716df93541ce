"""Subscriptions to single resources, as clients up to 2025-11-25 make them; the SDK keeps none.

What a subscriber is to be told stays due until it was sent, so that a slow client, or one whose
stream is not open yet, is told late and not never.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from anyio.abc import TaskGroup
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server as LowLevelServer
from mcp.server.streamable_http import GET_STREAM_KEY

Reachable = Callable[[Connection], bool]


class Subscriber:
    """A client, what it is subscribed to, and what of that it is still to be told."""

    def __init__(self, connection: Connection) -> None:
        self.uris: set[str] = set()
        self._connection = connection
        #: In the order of the changes; the values mean nothing.
        self._due: dict[str, None] = {}
        self._sending = False

    def note(self, uri: str) -> None:
        """The client is to be told of a change of `uri`, if it subscribed to it."""
        if uri in self.uris:
            self._due[uri] = None

    def forget(self, uri: str) -> None:
        """The client has unsubscribed."""
        self.uris.discard(uri)
        self._due.pop(uri, None)

    def begin(self, group: TaskGroup, reachable: Reachable) -> None:
        """Send what is due in a task of its own: who does not read holds up nobody else."""
        if self._due and not self._sending and reachable(self._connection):
            self._sending = True
            group.start_soon(self._send)

    async def _send(self) -> None:
        try:
            for uri in list(self._due):
                await self._connection.send_resource_updated(uri)
                self._due.pop(uri, None)
        finally:
            self._sending = False


class Subscribers:
    """The subscribers by their connections; each is gone with its own."""

    def __init__(self, left: Callable[[set[str]], None]) -> None:
        """`left` is told what a client that is gone was subscribed to."""
        self._left = left
        self._by_connection: dict[Connection, Subscriber] = {}

    def of(self, ctx: ServerRequestContext[Any, Any]) -> Subscriber:
        """The client that sent the request."""
        # Private: the session of a request is gone with it, the connection is not.
        connection = ctx.session._connection  # pyright: ignore[reportPrivateUsage]
        if connection not in self._by_connection:
            self._by_connection[connection] = Subscriber(connection)
            connection.exit_stack.callback(self._forget, connection)
        return self._by_connection[connection]

    def note(self, uri: str) -> None:
        """`uri` has changed."""
        for subscriber in self._by_connection.values():
            subscriber.note(uri)

    def send(self, group: TaskGroup, reachable: Reachable) -> None:
        """Begin to send all that is due."""
        for subscriber in self._by_connection.values():
            subscriber.begin(group, reachable)

    def _forget(self, connection: Connection) -> None:
        self._left(self._by_connection.pop(connection).uris)


def reachable_over(low: LowLevelServer[Any]) -> Reachable:
    """Whether a message that answers no request would reach a client of `low`.

    Over HTTP it needs a stream that the client opens after its first requests, and opens
    again when it was lost; the SDK drops what is sent in between.
    """

    def reachable(connection: Connection) -> bool:
        if connection.session_id is None:
            return True
        with suppress(KeyError):
            sessions = low.session_manager._server_instances  # pyright: ignore[reportPrivateUsage]
            streams = sessions[connection.session_id]._request_streams  # pyright: ignore[reportPrivateUsage]
            return GET_STREAM_KEY in streams
        return False

    return reachable
