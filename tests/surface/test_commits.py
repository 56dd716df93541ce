"""Calls that come together are answered after one commit."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from benchmarks.recording import Statement, recording
from mcp import Client

from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.server import build_server
from tests.surface.conftest import Mode

pytestmark = pytest.mark.anyio

CALLS = 64


@pytest.fixture
def log() -> Iterator[list[Statement]]:
    """What is said to every ledger that the test opens."""
    with recording() as statements:
        yield statements


async def test_64_calls_at_once_are_answered_after_at_most_a_third_as_many_commits(
    log: list[Statement], tmp_path: Path, mode: Mode
) -> None:
    engine = Engine(SqliteStore(tmp_path / "ledger.db", "full"))
    tasks = [{"id": "t", "label": "Look at it"}]
    workflows = [
        engine.create_workflow("fan_out", tasks=tasks)["workflow_id"] for _ in range(CALLS)
    ]
    log.clear()
    started: list[str] = []

    async def start(client: Client, workflow: str) -> None:
        said = {"workflow_id": workflow, "task_id": "t", "status": "in_progress"}
        result = await client.call_tool("update_task", said)
        started.append(result.structured_content["status"])

    async with (
        Client(build_server(engine), mode=mode) as client,
        anyio.create_task_group() as group,
    ):
        for workflow in workflows:
            group.start_soon(start, client, workflow)

    commits = sum(statement.sql == "COMMIT" for statement in log)
    assert started == ["in_progress"] * CALLS
    assert commits <= CALLS / 3
    engine.store.close()


async def test_a_clean_up_commits_each_of_its_batches(
    log: list[Statement], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    monkeypatch.setattr("relaybook.engine.cleanup.BATCH", 2)
    engine = Engine(SqliteStore(tmp_path / "ledger.db", "full"))
    for _ in range(5):
        made = engine.create_workflow("fan_out", tasks=[{"id": "t", "label": "Look at it"}])
        engine.resolve(Resolution(workflow_id=made["workflow_id"], decision="cancel"))
    log.clear()

    async with Client(build_server(engine), mode=mode) as client:
        answer = await client.call_tool("cleanup", {"days": 0})

    commits = [statement for statement in log if statement.sql == "COMMIT"]
    assert (answer.structured_content or {})["removed"] == 5
    assert len(commits) == 4  # the last finds nothing more to remove
    engine.store.close()
