"""Change notifications: whoever subscribed is told, in both eras, whoever made the change."""

import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from mcp import Client, MCPError
from mcp.server.mcpserver import MCPServer
from mcp_types import METHOD_NOT_FOUND, ResourceUpdatedNotification

from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import StoreUnreachable
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.changes import Changes
from relaybook.surface.rim import Server
from relaybook.surface.server import build_server
from relaybook.surface.wakes import Wakes
from tests.helpers import Clock, complete, engine_on, start, store_name, workflow
from tests.surface.conftest import Connect, Mode
from tests.surface.listening import (
    PATIENCE,
    Inbox,
    Listening,
    listen_once,
    listening,
    several,
    subscribe,
    unsubscribe,
)
from tests.surface.over_http import RawSession, served

pytestmark = pytest.mark.anyio

Subscribed = Callable[..., AbstractAsyncContextManager[Listening]]


@pytest.fixture
def server(engine: Engine) -> Server:
    """One server, for tests in which several clients meet."""
    return build_server(engine)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    yield made
    made.close()


@pytest.fixture
def subscribed(connect: Connect) -> Subscribed:
    """Opens a client of its own that is subscribed to the URIs given."""

    @asynccontextmanager
    async def opened(*uris: str, server: Server | None = None) -> AsyncGenerator[Listening]:
        with closing(Inbox()) as inbox:
            async with (
                connect(server=server, message_handler=inbox.handle) as client,
                listening(client, inbox, *uris) as listener,
            ):
                yield listener

    return opened


async def test_a_change_is_told_to_every_view_of_its_workflow(
    subscribed: Subscribed, engine: Engine
) -> None:
    workflow_id = workflow(engine, "a")
    other = workflow(engine, "a")
    here = f"ledger://workflows/{workflow_id}"
    uris = [
        "ledger://workflows",
        "ledger://workflows/active",
        "ledger://stats",
        here,
        f"{here}/events",
        f"{here}/tasks/a",
    ]

    async with subscribed(*uris, f"ledger://workflows/{other}", "guide://vocabulary") as listener:
        start(engine, workflow_id, "a")
        told = await several(listener, len(uris))
        start(engine, other, "a")
        told_next = await several(listener, 4)

    assert told == set(uris)
    assert told_next == {*uris[:3], f"ledger://workflows/{other}"}


async def test_a_change_by_another_process_is_told(
    subscribed: Subscribed, engine: Engine, tmp_path: Path
) -> None:
    workflow_id = workflow(engine, "a")
    uri = f"ledger://workflows/{workflow_id}"
    kind = "sqlite" if isinstance(engine.store, SqliteStore) else "postgres"
    name = store_name(kind, tmp_path)
    code = (
        "import sys; from relaybook.store.open import open_store;"
        "from tests.helpers import Clock, engine_on, start;"
        "start(engine_on(open_store(sys.argv[1]), Clock()), sys.argv[2], 'a')"
    )

    async with subscribed(uri) as listener:
        await anyio.run_process(
            [sys.executable, "-c", code, name, workflow_id],
            cwd=Path(__file__).parents[2],
            env={"PYTHONPATH": "server:."},
        )
        assert await listener.next() == uri


async def test_every_client_is_told_of_one_change(
    subscribed: Subscribed, engine: Engine, server: Server
) -> None:
    workflow_id = workflow(engine, "a")
    uri = f"ledger://workflows/{workflow_id}"

    async with (
        subscribed(uri, server=server) as one,
        subscribed(uri, "ledger://workflows", server=server) as other,
        subscribed(uri) as elsewhere,
    ):
        start(engine, workflow_id, "a")
        told = [await several(one, 1), await several(other, 2), await several(elsewhere, 1)]

    assert told == [{uri}, {uri, "ledger://workflows"}, {uri}]


async def test_a_client_is_told_after_another_has_left(
    subscribed: Subscribed, engine: Engine, server: Server
) -> None:
    workflow_id = workflow(engine, "a")
    uri = f"ledger://workflows/{workflow_id}"

    async with subscribed(uri, server=server) as one:
        async with subscribed(uri, server=server):
            pass
        start(engine, workflow_id, "a")

        assert await one.next() == uri


async def test_a_removal_is_told(subscribed: Subscribed, engine: Engine, clock: Clock) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")
    complete(engine, workflow_id, "a")
    clock.move(1)
    uris = {f"ledger://workflows/{workflow_id}", "ledger://workflows"}

    async with subscribed(*uris) as listener:
        assert engine.cleanup(days=0)["removed"] == 1

        assert await several(listener, 2) == uris


async def test_a_heartbeat_is_no_change(engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    claim = start(engine, workflow_id, "a")
    uris = [f"ledger://workflows/{workflow_id}", "ledger://workflows"]
    before = engine.marks(uris)

    engine.update_task(Update(claim=claim, status="in_progress"))

    assert engine.marks(uris) == before


async def test_nothing_is_looked_at_while_nobody_listens(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relaybook.surface.wakes.POLL_SECONDS", 0)
    monkeypatch.setattr("relaybook.surface.changes.SETTLE_SECONDS", 0)
    store = CountingStore(tmp_path / "counted.db")
    changes = Changes(engine_on(store, clock), Wakes(store))

    async with changes.lifespan(MCPServer()):
        looks = [await _looks(store)]
        await changes.add(["ledger://workflows"])
        looks.append(await _looks(store))
        changes.remove(["ledger://workflows"])
        await _looks(store)
        looks.append(await _looks(store))

    assert (looks[0], looks[1] > 0, looks[2]) == (0, True, 0)
    store.close()


async def test_that_changes_are_not_seen_is_logged_once_while_it_lasts(
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("relaybook.surface.wakes.POLL_SECONDS", 0)
    monkeypatch.setattr("relaybook.surface.changes.SETTLE_SECONDS", 0)
    store = CountingStore(tmp_path / "counted.db")
    changes = Changes(engine_on(store, clock), Wakes(store))

    async with changes.lifespan(MCPServer()):
        await changes.add(["ledger://workflows"])
        for store.is_away in (True, False, True):
            assert await _looks(store) > 1

    assert len(caplog.records) == 2
    store.close()


class CountingStore(SqliteStore):
    """Counts how often somebody looked for changes."""

    looks = 0
    is_away = False

    def version(self) -> tuple[int, int]:
        self.looks += 1
        if self.is_away:
            raise StoreUnreachable("The ledger gave no connection in time.")
        return super().version()


async def _looks(store: CountingStore) -> int:
    """How often the watcher looks while it is given a hundred turns."""
    before = store.looks
    for _ in range(100):
        await anyio.lowlevel.checkpoint()
    return store.looks - before


class TestOlderClients:
    """What only clients up to 2025-11-25 can do."""

    @pytest.fixture
    def mode(self) -> Mode:
        return "legacy"

    async def test_the_capability_is_told(self, client: Client) -> None:
        capabilities = client.server_capabilities
        assert capabilities is not None
        assert capabilities.resources is not None
        assert capabilities.resources.subscribe

    async def test_what_was_unsubscribed_is_not_told(
        self, connect: Connect, engine: Engine, inbox: Inbox
    ) -> None:
        workflow_id = workflow(engine, "a")
        async with connect(message_handler=inbox.handle) as client:
            await subscribe(client, f"ledger://workflows/{workflow_id}")
            await subscribe(client, "ledger://stats")
            await unsubscribe(client, f"ledger://workflows/{workflow_id}")
            await unsubscribe(client, f"ledger://workflows/{workflow_id}")
            start(engine, workflow_id, "a")
            assert await inbox.next() == "ledger://stats"
            complete(engine, workflow_id, "a")
            assert await inbox.next() == "ledger://stats"

    async def test_who_does_not_read_is_told_late_and_holds_up_nobody(
        self, subscribed: Subscribed, connect: Connect, engine: Engine, server: Server
    ) -> None:
        workflow_id = workflow(engine, "a")
        uri = f"ledger://workflows/{workflow_id}"
        reads, told = anyio.Event(), anyio.Event()

        async def handle(message: Any) -> None:
            await reads.wait()
            if isinstance(message, ResourceUpdatedNotification):
                told.set()

        async with (
            connect(server=server, message_handler=handle) as slow,
            subscribed(uri, server=server) as quick,
        ):
            await subscribe(slow, uri)
            start(engine, workflow_id, "a")
            first = await quick.next()
            complete(engine, workflow_id, "a")
            second = await quick.next()
            reads.set()
            with anyio.fail_after(PATIENCE):
                await told.wait()

        assert (first, second) == (uri, uri)

    async def test_a_change_before_the_stream_of_http_is_open_is_told_on_it(
        self, engine: Engine
    ) -> None:
        workflow_id = workflow(engine, "a")
        uri = f"ledger://workflows/{workflow_id}"

        async with served(engine) as url, RawSession(url) as session:
            await session.request("resources/subscribe", uri=uri)
            start(engine, workflow_id, "a")
            # The watcher has looked once this one is told of the same change.
            async with (
                Client(url, cache=None) as other,
                other.listen(resource_subscriptions=[uri]) as stream,
            ):
                complete(engine, workflow_id, "a")
                with anyio.fail_after(PATIENCE):
                    await anext(stream)
            message = await session.next_message()

        assert message["method"] == "notifications/resources/updated"
        assert message["params"]["uri"] == uri

    async def test_a_uri_of_no_form_is_refused(self, client: Client) -> None:
        with pytest.raises(MCPError, match="ledger://workflows"):
            await subscribe(client, "ledger://workflow")


async def test_a_client_that_is_gone_is_forgotten(
    engine: Engine, mode: Mode, subscribed: Subscribed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Changes] = []

    def remembered(engine: Engine, wakes: Wakes) -> Changes:
        made.append(Changes(engine, wakes))
        return made[-1]

    monkeypatch.setattr("relaybook.surface.server.Changes", remembered)

    async with subscribed("ledger://workflows"):
        during = made[-1].watched

    assert during == {"ledger://workflows"}
    assert made[-1].watched == set()


async def test_a_worker_cannot_subscribe(worker: Client, mode: Mode) -> None:
    with pytest.raises(MCPError) as caught:
        await (subscribe if mode == "legacy" else listen_once)(worker, "ledger://workflows")

    assert caught.value.error.code == METHOD_NOT_FOUND
