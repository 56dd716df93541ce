"""Listens on an address and serves until a signal says stop."""

import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from importlib.util import find_spec

import anyio
import uvicorn
from sse_starlette.sse import AppStatus
from starlette.applications import Starlette
from starlette.routing import Route

from relaybook.engine import Engine
from relaybook.errors import InvalidArguments
from relaybook.surface.http.access import Access
from relaybook.surface.http.app import MCP_PATH, build_app
from relaybook.surface.http.board import Exchange, as_given
from relaybook.surface.http.options import HttpOptions
from relaybook.surface.http.protocol import BoundedHttp
from relaybook.surface.http.stopping import Stopping


def serve_http(
    engine: Engine,
    access: Access,
    options: HttpOptions,
    announce: Callable[[str], None],
    *,
    pages: Sequence[Route] = (),
    exchange: Exchange = as_given,
) -> None:
    """Serve until a signal; calls in progress are finished first, or given up after a while.

    `announce` is told the URL once it can be called; `pages` are further ones that strangers
    may see; `exchange` is that of `build_app`.

    Raises:
        InvalidArguments: the address cannot be listened on, or the TLS files not be used.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    _check_tls(options)
    listener = listen(options)
    stopping = Stopping()
    app = build_app(
        engine,
        access,
        options,
        stopping=stopping,
        routes=pages,
        public=[page.path for page in pages],
        exchange=exchange,
    )
    server = HttpServer(app, options, stopping, lambda: announce(url_of(options, listener)))
    anyio.run(server.serve, [listener], backend_options={"use_uvloop": has_uvloop()})


def has_uvloop() -> bool:
    """Whether the extra `fast` is installed: an event loop that takes a tenth off a call."""
    return find_spec("uvloop") is not None


class HttpServer(uvicorn.Server):
    """Serves `app`; told to stop, it ends streams first, and itself well, not by the signal."""

    def __init__(
        self,
        app: Starlette,
        options: HttpOptions,
        stopping: Stopping,
        announce: Callable[[], None] = lambda: None,
    ) -> None:
        """`announce` is called once it serves, and a signal ends it well."""
        super().__init__(_config(app, options))
        self._stopping = stopping
        self._announce = announce
        # Left on, it would cut off the answers of calls in progress as well.
        AppStatus.disable_automatic_graceful_drain()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)
        self._captured_signals.clear()


def _config(app: Starlette, options: HttpOptions) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=list(options.trusted_proxies),
        timeout_graceful_shutdown=options.grace_seconds,
        ssl_certfile=options.tls_cert,
        ssl_keyfile=options.tls_key,
    )


def listen(options: HttpOptions) -> socket.socket:
    """A socket that listens on the address.

    Raises:
        InvalidArguments: it cannot.
    """
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise InvalidArguments(
            f"Port {options.port} of {options.host[:80]!r} cannot be listened on: {error}.",
            next="name another with --host and --port",
        ) from error
    # What is accepted inherits it. An answer is sent in two parts, and without this the second
    # would wait 40 ms for the caller's word that it has the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(options: HttpOptions, listener: socket.socket) -> str:
    """Where clients find the server."""
    host, port = listener.getsockname()[:2]
    return f"{options.scheme}://{f'[{host}]' if ':' in host else host}:{port}{MCP_PATH}"


def _check_tls(options: HttpOptions) -> None:
    if options.tls_cert is None:
        return
    try:
        ssl.create_default_context().load_cert_chain(options.tls_cert, options.tls_key)
    except OSError as error:  # ssl.SSLError is one
        raise InvalidArguments(
            f"The certificate {str(options.tls_cert)!r} and the key {str(options.tls_key)!r} "
            f"cannot be used: {error}.",
            allowed="PEM files that belong together",
            next="correct --tls-cert and --tls-key",
        ) from error
