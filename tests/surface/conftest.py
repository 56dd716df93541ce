"""Fixtures: a client of each protocol era on a server in memory, as orchestrator and as worker."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import pytest
from mcp import Client

from relaybook.engine import Engine
from relaybook.surface.rim import Server
from relaybook.surface.server import build_server

Mode = Literal["auto", "legacy"]
Connect = Callable[..., Client]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["auto", "legacy"], ids=["modern", "legacy"])
def mode(request: pytest.FixtureRequest) -> Mode:
    """How a client chooses its era: every test of the surface runs in both."""
    return request.param


@pytest.fixture
def connect(engine: Engine, mode: Mode) -> Connect:
    """Makes a client of the era, not yet open, that keeps nothing in a cache."""

    def client(
        role: str = "orchestrator", *, server: Server | None = None, **options: Any
    ) -> Client:
        return Client(server or build_server(engine, role), mode=mode, cache=None, **options)

    return client


@pytest.fixture
def connect_to(mode: Mode) -> Callable[[Engine], Client]:
    """Makes a client of the era on the engine given."""
    return lambda engine: Client(build_server(engine, "orchestrator"), mode=mode, cache=None)


@pytest.fixture
async def client(connect: Connect) -> AsyncIterator[Client]:
    async with connect() as opened:
        yield opened


@pytest.fixture
async def worker(connect: Connect) -> AsyncIterator[Client]:
    async with connect("worker") as opened:
        yield opened
