"""Reads the body of each request before anything acts on it: bounded, and no longer than we serve.

A body that is still arriving is no call in progress, and none is waited for without end. Of
strangers little is read, and not for long.
"""

from collections.abc import Collection

import anyio
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relaybook.surface.http.stopping import Stopping

#: What a body may hold where anyone may call, in bytes, and how long it may take, in seconds.
OPEN_LIMIT, OPEN_SECONDS = 8 * 1024, 10.0
#: How long that of a known caller may take: a large one over a slow line comes in this time.
KNOWN_SECONDS = 120.0


class Bodies:
    """An ASGI layer that passes requests on with their bodies, whole, of up to `limit` bytes.

    Once `stopping` is set, it waits for no more of any; `public` are the paths for strangers.
    """

    def __init__(
        self, app: ASGIApp, limit: int, stopping: Stopping, public: Collection[str] = ()
    ) -> None:
        self._app = app
        self._limit = limit
        self._stopping = stopping
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        body = await self._read(scope, receive)
        if isinstance(body, Response):
            return await body(scope, receive, send)
        unseen: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return unseen.pop() if unseen else await receive()

        await self._app(scope, replayed, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | Response:
        is_open = scope["path"] in self._public
        limit = min(self._limit, OPEN_LIMIT) if is_open else self._limit
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > limit:
            return _too_long(limit)
        seconds = OPEN_SECONDS if is_open else KNOWN_SECONDS
        with self._stopping.scope() as patience:
            patience.deadline = anyio.current_time() + seconds
            return await _whole(receive, limit)
        if self._stopping.is_set:
            return _unread(503, "The server stops.", "send this to it again later")
        said = f"The body took longer than {seconds:g} seconds."
        return _unread(408, said, "send it again, without a pause")


async def _whole(receive: Receive, limit: int) -> bytes | Response:
    """The body, or the answer to one that is too long or was broken off."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return _unread(400, "The body was broken off.", "send it again, to its end")
        body += message.get("body", b"")
        if len(body) > limit:
            return _too_long(limit)
        if not message.get("more_body", False):
            return bytes(body)


def _too_long(limit: int) -> Response:
    said = f"The body is longer than {limit} bytes."
    return _unread(413, said, "send less, such as the path of a file in place of its text")


def _unread(status: int, message: str, following: str) -> Response:
    """The answer to a request whose body was not read to its end."""
    # A client that goes on sending learns nothing from a closed connection: 413 leaves it open.
    headers = {} if status == 413 else {"Connection": "close"}
    said = {"code": "unread_body", "message": message, "next": following}
    return JSONResponse({"error": said}, status, headers)
