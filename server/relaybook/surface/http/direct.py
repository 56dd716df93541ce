"""Requests of 2026-07-28 that call a tool, answered directly where they may be."""

import json
from collections.abc import Mapping

from mcp_types import JSONRPCRequest
from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relaybook.surface.direct import Direct, answer, kind_of

Fields = Mapping[bytes, bytes]

#: The headers that decide whether and how a call is answered, besides `Mcp-Name`.
DECIDING = (b"accept", b"content-type", b"mcp-protocol-version", b"mcp-method")
#: Those of which this is not enough: a session, arguments in headers.
SPECIAL = (b"mcp-session-id", b"mcp-param-")


class DirectHttp:
    """An ASGI application before the SDK's `app`, for requests whose bodies come whole."""

    def __init__(self, app: ASGIApp, direct: Direct) -> None:
        self._app = app
        self._direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fields = _fields(scope)
        if fields is None:
            return await self._app(scope, receive, send)
        first = await receive()
        request, kind = _call(fields, first.get("body", b""))
        if request is None or kind is None:
            return await self._app(scope, _again(first, receive), send)
        around = self._direct.takes(request, kind)
        if around is not None:
            said = answer(request, around, await self._direct.call(request))
            return await Response(said, media_type="application/json")(scope, receive, send)

        async def send_and_learn(message: Message) -> None:
            self._learn(kind, message)
            await send(message)

        await self._app(scope, _again(first, receive), send_and_learn)

    def _learn(self, kind: str, message: Message) -> None:
        body: bytes = message.get("body", b"")
        if body.startswith(b"{"):  # and no event of a stream
            self._direct.learn(kind, json.loads(body).get("result", {}))


def _fields(scope: Scope) -> Fields | None:
    """The headers of a request that may call a tool without a session."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    fields = dict(headers)
    if scope["method"] != "POST" or fields.get(b"mcp-method") != b"tools/call":
        return None
    is_plain = len(fields) == len(headers) and not any(name.startswith(SPECIAL) for name in fields)
    return fields if is_plain else None


def _call(fields: Fields, body: bytes) -> tuple[JSONRPCRequest | None, str | None]:
    """The call in `body` and its kind, if the headers name the same tool."""
    try:
        request = JSONRPCRequest.model_validate_json(body)
    except ValidationError:
        return None, None
    name = (request.params or {}).get("name")
    if not isinstance(name, str) or fields.get(b"mcp-name") != name.encode("ascii", "replace"):
        return None, None
    return request, kind_of(request, headers=[fields.get(header) for header in DECIDING])


def _again(first: Message, receive: Receive) -> Receive:
    """`receive` with its first message, that was taken, still to come."""
    unseen = [first]

    async def received() -> Message:
        return unseen.pop() if unseen else await receive()

    return received
