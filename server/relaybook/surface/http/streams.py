"""Ends the streams that would never end by themselves when the server is told to stop.

Calls go on: what they were told is done must reach the ledger, and the answer the caller.
"""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relaybook.surface.http.stopping import Stopping

#: Of 2026-07-28: the request whose response is a stream of notifications.
LISTEN = "subscriptions/listen"


class Streams:
    """An ASGI layer; once `stopping` is set, clients that only listen seem to have left."""

    def __init__(self, app: ASGIApp, stopping: Stopping) -> None:
        self._app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _only_listens(scope):
            receive = self._until_stopping(receive)
        await self._app(scope, receive, send)

    def _until_stopping(self, receive: Receive) -> Callable[[], Awaitable[Message]]:
        async def received() -> Message:
            with self._stopping.scope():
                return await receive()
            return {"type": "http.disconnect"}

        return received


def _only_listens(scope: Scope) -> bool:
    return scope["method"] == "GET" or Headers(scope=scope).get("mcp-method") == LISTEN
