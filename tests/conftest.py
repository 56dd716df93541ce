"""Fixtures: an empty ledger, a clock, an engine on both."""

import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from relaybook.engine import Engine
from relaybook.store.base import Store
from relaybook.surface.direct import Direct
from tests.helpers import STORES, Clock, engine_on, open_ledger

# The same examples in every run, however busy the machine.
settings.register_profile("relaybook", deadline=None, derandomize=True)
settings.load_profile("relaybook")


def pytest_report_header() -> str:
    return f"SQLite {sqlite3.sqlite_version}, sqlite-utils {version('sqlite-utils')}"


@pytest.fixture(params=STORES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty ledger, once for each kind of store."""
    store = open_ledger(request.param, tmp_path)
    yield store
    store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(ledger: Store, clock: Clock) -> Engine:
    return engine_on(ledger, clock)


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tools that were called directly."""
    names: list[str] = []
    call = Direct.call

    async def noted(self: Direct, request: Any) -> Any:
        names.append(request.params["name"])
        return await call(self, request)

    monkeypatch.setattr(Direct, "call", noted)
    return names
