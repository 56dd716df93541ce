"""While another process keeps a lock, a server goes on with whatever does not need it."""

import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import httpx2
import psycopg
import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Update
from tests.helpers import PROMPTS, STORES, Clock, open_ledger, start, store_name, workflow
from tests.http.serving import connected, serving
from tests.surface.calls import call

pytestmark = pytest.mark.anyio

Lock = Callable[[str], AbstractContextManager[None]]


class Watched(Engine):
    """An engine that says when a task is about to be updated."""

    begun: Event

    def update_task(self, update: Update) -> dict[str, Any]:
        self.begun.set()
        return super().update_task(update)


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def locked(kind: str, tmp_path: Path) -> Lock:
    """Keeps others from writing a workflow, as another process would."""
    name = store_name(kind, tmp_path)

    @contextmanager
    def on_file(_: str) -> Generator[None]:
        with closing(sqlite3.connect(name, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def on_server(workflow_id: str) -> Generator[None]:
        with psycopg.connect(name) as other:
            other.execute("SELECT 1 FROM workflows WHERE id = %s FOR UPDATE", (workflow_id,))
            yield

    return on_file if kind == "sqlite" else on_server


@pytest.fixture
def watched(kind: str, tmp_path: Path, clock: Clock) -> Iterator[Watched]:
    engine = Watched(open_ledger(kind, tmp_path), (PROMPTS,), clock=clock)
    engine.begun = Event()
    yield engine
    engine.store.close()


async def test_others_are_answered_while_a_call_waits_for_a_lock_and_then_it_is_too(
    watched: Watched, locked: Lock, http: httpx2.AsyncClient
) -> None:
    name = workflow(watched, "a", "b")
    claim = start(watched, name, "a")
    watched.begun.clear()
    answers: list[dict[str, Any]] = []

    async with serving(watched) as url, connected(url) as client:

        async def renew() -> None:
            said = {"claim": claim, "status": "in_progress"}
            answers.append(await call(client, "update_task", **said))

        async with anyio.create_task_group() as group:
            with locked(name):
                group.start_soon(renew)
                assert await anyio.to_thread.run_sync(watched.begun.wait, 30)
                health = await http.get(url.replace("/mcp", "/health"))
                shown = await call(client, "get_workflow", workflow_id=name)
                assert (health.status_code, shown["status"]) == (200, "in_progress")
                assert answers == []

    assert answers[0]["status"] == "in_progress"


@pytest.mark.parametrize("kind", ["postgres"])
async def test_on_a_server_other_workflows_go_on_while_one_is_locked(
    watched: Watched, locked: Lock
) -> None:
    name, other = workflow(watched, "a"), workflow(watched, "b")

    async with (
        serving(watched) as url,
        connected(url) as client,
        anyio.create_task_group() as group,
    ):
        with locked(name):
            here = {"workflow_id": name, "task_id": "a", "status": "in_progress"}
            group.start_soon(lambda: call(client, "update_task", **here))
            assert await anyio.to_thread.run_sync(watched.begun.wait, 30)
            there = {"workflow_id": other, "task_id": "b", "status": "in_progress"}
            answer = await call(client, "update_task", **there)
            assert answer["status"] == "in_progress"


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_lock_that_is_kept_too_long_makes_a_call_busy_and_changes_nothing(
    watched: Watched, locked: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relaybook.surface.done.LOCK_PATIENCE", 0.05)
    name = workflow(watched, "a", "b")
    said = [{"task_id": each, "status": "in_progress"} for each in "ab"]

    async with serving(watched) as url, connected(url) as client:
        with locked(name):
            busy = await client.call_tool("update_task", {"workflow_id": name, "updates": said})
        again = await call(client, "update_task", workflow_id=name, updates=said)

    assert (busy.structured_content or {})["error"]["code"] == "store_busy"
    assert [each["status"] for each in again["results"]] == ["in_progress"] * 2
