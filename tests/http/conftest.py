"""Fixtures: a real server on a free port over the engine of the test, and clients of each era."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2
import pytest
from mcp import Client

from relaybook.engine import Engine
from relaybook.store.base import Store
from tests.helpers import Clock, engine_on, open_ledger
from tests.http.serving import connected, serving
from tests.surface.conftest import Mode

Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["auto", "legacy"], ids=["modern", "legacy"])
def mode(request: pytest.FixtureRequest) -> Mode:
    """How a client chooses its era."""
    return request.param


@pytest.fixture
def ledger(tmp_path: Any) -> Iterator[Store]:
    """An empty ledger in a file; what differs between the stores is tested elsewhere."""
    store = open_ledger("sqlite", tmp_path)
    yield store
    store.close()


@pytest.fixture
def engine(ledger: Store, clock: Clock) -> Engine:
    return engine_on(ledger, clock)


@pytest.fixture
async def url(engine: Engine) -> AsyncIterator[str]:
    """Where a server runs that anyone may call."""
    async with serving(engine) as found:
        yield found


@pytest.fixture
def connect(mode: Mode) -> Connect:
    """Opens a client of the era on a URL, with a token if one is given."""

    def client(url: str, token: str = "", **options: Any) -> AbstractAsyncContextManager[Client]:
        return connected(url, token, mode=mode, cache=None, **options)

    return client


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=30) as client:
        yield client
