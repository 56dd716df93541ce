"""Refuses requests that name a host, or come from a web page, that is none of ours.

A page of any site may make a browser send requests to this server; its Origin tells, and if the
page's name was made to resolve to this machine (DNS rebinding), its Host. Nor does a request pass
that says twice whose it is.
"""

from collections.abc import Collection, Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from relaybook.errors import Forbidden, InvalidArguments, Refusal
from relaybook.surface.http.refusing import refused

#: What tells nothing and may be asked by any name: a cluster asks by address.
UNGUARDED = frozenset({"/health", "/ready"})
#: Of more than one, a proxy might look at another than this server (RFC 9112, 3.2; 9110, 5.3).
ONCE = {"host": "Host", "origin": "Origin", "authorization": "Authorization"}


class Guard:
    """An ASGI layer that lets only requests to `hosts` pass, from pages of them or of `origins`.

    A host without a port stands for each port; `origins` are as browsers write them.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        origins: Iterable[str] = (),
        unguarded: Collection[str] = UNGUARDED,
    ) -> None:
        """The paths of `unguarded` are answered under any name."""
        self._app = app
        self._unguarded = frozenset(unguarded)
        self._hosts = {each.lower() for each in hosts}
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        for field, name in ONCE.items():
            if len(headers.getlist(field)) > 1:
                return await refused(_repeated(name))(scope, receive, send)
        if scope["path"] in self._unguarded:
            return await self._app(scope, receive, send)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_ours(host):
            return await refused(_wrong_host(host), 421)(scope, receive, send)
        if origin is not None and not self._may_call(origin):
            return await refused(_wrong_origin(origin))(scope, receive, send)
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        host = host.lower()
        name, colon, port = host.rpartition(":")
        has_port = bool(colon) and port.isdigit()
        return host in self._hosts or (has_port and name in self._hosts)

    def _may_call(self, origin: str) -> bool:
        origin = origin.lower()
        if origin in self._origins:
            return True
        scheme, _, host = origin.partition("://")
        return scheme in ("http", "https") and self._is_ours(host)


def _repeated(name: str) -> Refusal:
    return InvalidArguments(
        f"The request has more than one {name}.", allowed=f"one {name}", next="send it once"
    )


def _wrong_host(host: str) -> Refusal:
    return Forbidden(
        f"This server is not known as {host[:80]!r}.",
        next="start it with --allowed-host for the name that callers use",
    )


def _wrong_origin(origin: str) -> Refusal:
    return Forbidden(
        f"Web pages of {origin[:80]!r} may not call this server.",
        next="start it with --allowed-origin if they may",
    )
