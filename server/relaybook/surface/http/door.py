"""Lets only callers in, and cuts a stream off when its caller's token is revoked or expires."""

from collections.abc import Collection
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie

import anyio
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relaybook.errors import IssuerUnreachable, StoreFault
from relaybook.surface.caller import Caller, keep_caller
from relaybook.surface.http.access import Access, MissingScope
from relaybook.surface.http.refusing import refused

#: The cookie that a browser's pages present their token in, and the paths where it counts. It
#: counts nowhere else: a browser sends it with requests that no user meant to make.
COOKIE = "relaybook_token"
COOKIE_PATHS = ("/board",)

EVENT_STREAM = "text/event-stream"


class Door:
    """An ASGI layer that asks for a token everywhere but at the paths of `public`."""

    def __init__(self, app: ASGIApp, access: Access, public: Collection[str] = ()) -> None:
        self._app = app
        self._access = access
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if scope["path"] in self._public:
            keep_caller(scope, None)
            return await self._app(scope, receive, send)
        token = token_of(scope)
        found = await self._known(token)
        if isinstance(found, Response):
            return await found(scope, receive, send)
        keep_caller(scope, found)
        await self._let_in(found, token, scope, receive, send)

    async def _known(self, token: str | None) -> Caller | Response:
        """Who presents `token`, or the answer to one who may not call."""
        try:
            caller = await self._access.caller(token)
        except MissingScope as error:
            return self._lacking(error)
        except (StoreFault, IssuerUnreachable) as fault:
            return refused(fault)
        return caller or self._stranger(token)

    async def _let_in(
        self, caller: Caller, token: str | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        # What the SDK binds its sessions and sealed states to.
        user = scope["user"] = _user(caller.name)
        reset = auth_context_var.set(user)
        streaming = ended = False

        async def send_while_known(message: Message) -> None:
            nonlocal streaming, ended
            if ended:  # what cleans up behind a response that is over may still send
                return
            starts = message["type"] == "http.response.start"
            if starts or streaming:
                found = await self._known(token)
                if found != caller:
                    ended = True
                    answer = found if isinstance(found, Response) else self._stranger(token)
                    await _end(answer if starts else None, scope, receive, send)
                    inside.cancel()
                    return
            streaming = streaming or (starts and _is_stream(message))
            await send(message)

        try:
            with anyio.CancelScope() as inside:
                await self._app(scope, receive, send_while_known)
        finally:
            auth_context_var.reset(reset)

    def _stranger(self, token: str | None) -> Response:
        """The answer to one whom nobody knows: RFC 6750 section 3."""
        message = "The token is not valid." if token else "A token is needed."
        said = {"code": "unauthorized", "message": message, "next": self._access.advice}
        fault = 'error="invalid_token"' if token else ""
        return JSONResponse({"error": said}, 401, self._challenge(fault))

    def _lacking(self, error: MissingScope) -> Response:
        """The answer to one whose token is good for too little."""
        answer = refused(error.refusal)
        answer.headers.update(self._challenge(f'error="insufficient_scope", scope="{error.scope}"'))
        return answer

    def _challenge(self, fault: str) -> dict[str, str]:
        challenge = self._access.challenge
        if fault:
            challenge += f"{',' if ' ' in challenge else ''} {fault}"
        return {"WWW-Authenticate": challenge}


@lru_cache(maxsize=1024)
def _user(name: str) -> AuthenticatedUser:
    return AuthenticatedUser(AccessToken(token="", client_id=name, scopes=[]))


async def _end(answer: Response | None, scope: Scope, receive: Receive, send: Send) -> None:
    """End the response to one who may not call any more: with `answer`, or what was sent of it."""
    if answer is None:
        await send({"type": "http.response.body", "body": b""})
    else:
        await answer(scope, receive, send)


def _is_stream(start: Message) -> bool:
    return Headers(raw=list(start["headers"])).get("content-type", "").startswith(EVENT_STREAM)


def token_of(scope: Scope) -> str | None:
    """The token that a request presents, in its header or, where it counts, its cookie."""
    headers = Headers(scope=scope)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    if scope["path"].startswith(COOKIE_PATHS):
        return _cookie(headers.get("cookie", ""))
    return None


def _cookie(header: str) -> str | None:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None
