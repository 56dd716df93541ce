"""The ASGI application: the layers that each request passes, and what lies behind them."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route

from relaybook.engine import Engine
from relaybook.surface.http.access import Access, Anyone
from relaybook.surface.http.board import PUBLIC_PATHS, Exchange, as_given, board_routes
from relaybook.surface.http.bodies import Bodies
from relaybook.surface.http.door import Door
from relaybook.surface.http.ending import Ending
from relaybook.surface.http.guard import UNGUARDED, Guard
from relaybook.surface.http.health import health_routes
from relaybook.surface.http.names import normal_origin
from relaybook.surface.http.options import HttpOptions
from relaybook.surface.http.refusing import no_page
from relaybook.surface.http.servers import Servers
from relaybook.surface.http.stopping import Stopping
from relaybook.surface.http.streams import Streams
from relaybook.surface.tools import tools_for

if TYPE_CHECKING:
    from relaybook.surface.http.metrics import Metrics

MCP_PATH = "/mcp"
#: What a page of an allowed origin may send, and what of an answer's headers it may read.
PAGE_METHODS = ("GET", "POST", "DELETE")
PAGE_HEADERS = (
    *("Accept", "Authorization", "Content-Type", "Last-Event-ID"),
    *("MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id"),
)
PAGE_READS = ("Mcp-Session-Id", "WWW-Authenticate")


def build_app(
    engine: Engine,
    access: Access,
    options: HttpOptions | None = None,
    *,
    stopping: Stopping | None = None,
    routes: Sequence[BaseRoute] = (),
    public: Collection[str] = (),
    exchange: Exchange = as_given,
) -> Starlette:
    """The application over `engine`, open to those whom `access` knows.

    `routes` are further pages; each finds who asks with `caller_of(request)`. Those whose paths
    stand in `public` are shown to strangers too. Setting `stopping` ends streams and waits.
    `exchange` turns what is typed at the board's login into the token that its browser keeps.
    """
    options = options or HttpOptions()
    metrics = metrics_of(engine)
    servers = Servers(engine, options, metrics.observe if metrics else None)
    measured = [metrics.route(access)] if metrics else []
    board = board_routes(access, servers, exchange, over_tls=options.is_public_over_tls)
    health = health_routes(engine)
    origins = set(map(normal_origin, options.allowed_origins))
    # The page of figures asks for a token itself.
    strangers = {*(page.path for page in [*health, *measured]), *PUBLIC_PATHS, *public}
    stopping = stopping or Stopping()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with servers.running(stopping):
            yield

    return Starlette(
        routes=[Route(MCP_PATH, servers), *board, *health, *measured, *routes],
        lifespan=lifespan,
        exception_handlers={HTTPException: no_page},
        middleware=[
            Middleware(Ending, stopping),
            Middleware(Guard, options.names, origins, _asked_by_address(access, measured)),
            *_pages_of(origins),
            Middleware(Door, access, strangers),
            Middleware(Bodies, options.body_limit, stopping, strangers),
            Middleware(Streams, stopping),
        ],
    )


def _asked_by_address(access: Access, measured: Sequence[Route]) -> Collection[str]:
    """The paths that are answered under any name, as monitoring asks each replica by its address.

    Figures only where a token guards them: a page that a browser shows has none to send.
    """
    guarded = [] if isinstance(access, Anyone) else measured
    return UNGUARDED | {page.path for page in guarded}


def _pages_of(origins: Collection[str]) -> list[Middleware]:
    """What lets pages of `origins` read answers; where there are none, no request need pass it."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=PAGE_METHODS,
            allow_headers=PAGE_HEADERS,
            expose_headers=PAGE_READS,
        )
    ]


def metrics_of(engine: Engine) -> "Metrics | None":
    """Figures for Prometheus, where its client is installed: it is an extra."""
    try:
        from relaybook.surface.http.metrics import Metrics
    except ImportError:
        return None
    return Metrics(engine, {tool.name for tool in tools_for(engine, "all")})
