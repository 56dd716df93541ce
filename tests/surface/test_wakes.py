"""A hint of the database wakes who waits for a change, without a look in between."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from mcp import Client

from relaybook.engine import Engine
from relaybook.store.open import open_store
from tests.helpers import Clock, engine_on, store_name, workflow
from tests.surface.conftest import Connect
from tests.surface.listening import Inbox, listening

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
#: Starts task a of a workflow, from a process of its own.
START = (
    "import sys; from relaybook.store.open import open_store;"
    "from tests.helpers import Clock, engine_on, start;"
    "start(engine_on(open_store(sys.argv[1]), Clock()), sys.argv[2], 'a')"
)


@pytest.fixture
def ledger_name(tmp_path: Path) -> str:
    return store_name("postgres", tmp_path)


@pytest.fixture
def engine(ledger_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine on PostgreSQL, whose waiters look only when they are woken."""
    monkeypatch.setattr("relaybook.surface.wakes.HINTED_SECONDS", 3600)
    store = open_store(ledger_name)
    yield engine_on(store, Clock())
    store.close()


def start_elsewhere(name: str, workflow_id: str) -> None:
    argv = [sys.executable, "-c", START, name, workflow_id]
    subprocess.run(argv, cwd=ROOT, env={"PYTHONPATH": "server:."}, check=True, timeout=60)


async def test_a_subscriber_hears_of_a_change_by_another_process(
    connect: Connect, engine: Engine, ledger_name: str
) -> None:
    workflow_id = workflow(engine, "a")
    uri, inbox = f"ledger://workflows/{workflow_id}", Inbox()

    async with (
        connect(message_handler=inbox.handle) as client,
        listening(client, inbox, uri) as listener,
    ):
        await anyio.to_thread.run_sync(start_elsewhere, ledger_name, workflow_id)
        heard = await listener.next()
    inbox.close()

    assert heard == uri


async def test_a_waiting_call_answers_a_change_by_another_process(
    client: Client, engine: Engine, ledger_name: str
) -> None:
    workflow_id = workflow(engine, "a")
    seen = engine.workflow_seq(workflow_id)
    said = {"workflow_id": workflow_id, "since": seen, "wait_seconds": 45}
    answers: list[int] = []

    async def wait() -> None:
        result = await client.call_tool("get_workflow", said)
        answers.append((result.structured_content or {})["seq"])

    # Well before the call gives up by itself.
    with anyio.fail_after(40):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.to_thread.run_sync(start_elsewhere, ledger_name, workflow_id)

    assert answers == [seen + 1]
