"""Ends each answer that a stop of the server leaves open, so that none is torn in the middle."""

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relaybook.errors import OutcomeUnknown
from relaybook.surface.http.refusing import refused
from relaybook.surface.http.stopping import Stopping

_GIVEN_UP = OutcomeUnknown(
    "The server stopped before the call was over: what it changes is in the ledger whole, or not "
    "at all.",
    next="repeat the call with the same request_id or claim, or look with get_workflow first",
)


class Ending:
    """An ASGI layer around all others."""

    def __init__(self, app: ASGIApp, stopping: Stopping) -> None:
        self._app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = over = False

        async def noted(message: Message) -> None:
            nonlocal begun, over
            begun = True
            over = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except anyio.get_cancelled_exc_class():  # the time for calls in progress is over
            if not self._stopping.is_set:
                raise
        if scope["type"] != "http" or over or not self._stopping.is_set:
            return
        if begun:
            await send({"type": "http.response.body", "body": b""})
        else:
            await refused(_GIVEN_UP)(scope, receive, send)
