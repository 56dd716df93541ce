"""The board as web pages: the page, the way in and out, and its door to the MCP endpoint.

A browser keeps the token in a cookie that no script can read and no other site can make it send.
The cookie counts below /board only, and there only with a header that a page of another site
cannot set without being asked first.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from relaybook.board.page import board_page
from relaybook.errors import Forbidden, InvalidArguments, Refusal
from relaybook.surface.caller import Caller, caller_of
from relaybook.surface.http.access import Access, MissingScope
from relaybook.surface.http.door import COOKIE, token_of
from relaybook.surface.http.refusing import refused

BOARD_PATH = "/board"
LOGIN_PATH, LOGOUT_PATH = f"{BOARD_PATH}/login", f"{BOARD_PATH}/logout"
BOARD_MCP_PATH = f"{BOARD_PATH}/mcp"
#: What strangers may ask for.
PUBLIC_PATHS: Collection[str] = (BOARD_PATH, LOGIN_PATH, LOGOUT_PATH)

#: Says that a request is made by a script of the page.
OWN_HEADER = "x-relaybook-board"
COOKIE_SECONDS = 30 * 24 * 3600
#: With its name and attributes a cookie may hold 4,096 bytes (RFC 6265, section 6.1).
TOKEN_LIMIT = 3_900

PAGE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


#: Turns what is given at the login into the token for the browser to keep.
Exchange = Callable[[str], str]


def as_given(token: str) -> str:
    """The exchange where people are given the tokens themselves."""
    return token


def board_routes(
    access: Access, mcp: ASGIApp, exchange: Exchange, *, over_tls: bool = False
) -> list[BaseRoute]:
    """The routes of the board; its requests of the protocol go on to `mcp`.

    With `over_tls` browsers are known to reach it so, whatever a request looks like.
    """
    ways = _Ways(access, exchange, over_tls)
    return [
        Route(BOARD_PATH, _page),
        Route(LOGIN_PATH, ways.login, methods=["POST"]),
        Route(LOGOUT_PATH, ways.logout, methods=["POST"]),
        Route(BOARD_MCP_PATH, _OwnRequests(mcp)),
    ]


async def _page(request: Request) -> Response:
    page = board_page("'self'", has_token=token_of(request.scope) is not None)
    policy = f"{page.policy}; frame-ancestors 'none'"
    return HTMLResponse(page.html, headers={**PAGE_HEADERS, "Content-Security-Policy": policy})


@dataclass(frozen=True, slots=True)
class _Ways:
    """The way in and the way out."""

    access: Access
    exchange: Exchange
    over_tls: bool

    async def login(self, request: Request) -> Response:
        try:
            _refuse_foreign(request.headers)
            token = self.exchange(await _token_in(request))
            caller = await self.access.caller(token)
            if caller is None:
                return _unknown()
            _refuse_worker(caller)
        except MissingScope as error:
            return refused(error.refusal)
        except Refusal as refusal:
            return refused(refusal)
        answer = JSONResponse({})
        self._keep(answer, request, token, COOKIE_SECONDS)
        return answer

    async def logout(self, request: Request) -> Response:
        try:
            _refuse_foreign(request.headers)
        except Refusal as refusal:
            return refused(refusal)
        answer = JSONResponse({})
        self._keep(answer, request, "", 0)
        return answer

    def _keep(self, answer: Response, request: Request, token: str, seconds: int) -> None:
        """Have the browser keep the token so long; 0 makes it forget."""
        answer.set_cookie(
            COOKIE,
            token,
            max_age=seconds,
            path=BOARD_PATH,
            httponly=True,
            samesite="strict",
            secure=self.over_tls or _came_over_tls(request),
        )


def _came_over_tls(request: Request) -> bool:
    """Whether the browser sent this over TLS: where that ends at a proxy, the page tells."""
    origin = request.headers.get("origin", "")
    return request.url.scheme == "https" or origin.startswith("https://")


class _OwnRequests:
    """The MCP endpoint for the page: the same, for requests that a script of the page made."""

    def __init__(self, mcp: ASGIApp) -> None:
        self._mcp = mcp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _refuse_foreign(Headers(scope=scope))
            _refuse_worker(caller_of(scope))
        except Refusal as refusal:
            return await refused(refusal)(scope, receive, send)
        await self._mcp(scope, receive, send)


def _refuse_foreign(headers: Headers) -> None:
    """Refuse what another site could have sent; its Origin, if it has one, was checked before."""
    is_json = headers.get("content-type", "").partition(";")[0].strip() == "application/json"
    if headers.get(OWN_HEADER) == "1" and is_json and headers.get("origin"):
        return
    raise Forbidden(
        "This address is for the board's own page.",
        allowed=f"JSON with the headers Origin and {OWN_HEADER}",
        next="use /mcp with an Authorization header",
    )


def _refuse_worker(caller: Caller) -> None:
    if caller.kind.role == "worker":
        raise Forbidden(
            "A worker may not see the board.",
            allowed="tokens of the roles orchestrator and all",
            next="ask for such a token",
        )


async def _token_in(request: Request) -> str:
    try:
        said = await request.json()
    except (ValueError, RecursionError):
        said = None
    token: object = said.get("token") if isinstance(said, dict) else None
    if isinstance(token, str) and 0 < len(token) <= TOKEN_LIMIT and _fits_a_cookie(token):
        return token
    raise InvalidArguments(
        "There is no token in this that a cookie can hold.", next='send {"token": "…"}'
    )


def _fits_a_cookie(token: str) -> bool:
    return token.isascii() and token.isprintable() and not set(token) & set(' ",;\\')


def _unknown() -> Response:
    return JSONResponse({"error": {"code": "unauthorized", "message": "Not a valid token."}}, 401)
