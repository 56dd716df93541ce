"""Clients of older revisions, by hand: the SDK's own speaks only the newest of each era."""

from pathlib import Path

import pytest

from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from tests.helpers import Clock, engine_on, task
from tests.surface.over_http import RawSession, served

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine(tmp_path: Path, clock: Clock) -> Engine:
    return engine_on(SqliteStore(tmp_path / "ledger.db"), clock)


@pytest.mark.parametrize("version", ["2025-06-18", "2025-03-26"])
async def test_an_older_client_lists_calls_reads_gets_and_completes(
    engine: Engine, version: str
) -> None:
    plan = {"pattern": "fan_out", "name": "old", "tasks": [task("a"), task("b")]}
    async with served(engine) as url, RawSession(url, version) as session:
        tools = (await session.result("tools/list"))["tools"]
        call = {"name": "create_workflow", "arguments": plan}
        created = (await session.result("tools/call", **call))["structuredContent"]
        uri = f"ledger://workflows/{created['workflow_id']}"
        read = await session.result("resources/read", uri=uri)
        got = await session.result("prompts/get", name="orchestrate", arguments={"goal": "ship"})
        ref = {"type": "ref/resource", "uri": "ledger://workflows/{id}"}
        argument = {"name": "id", "value": "wf"}
        completed = await session.result("completion/complete", ref=ref, argument=argument)
        refused = await session.result("tools/call", name="get_workflow", arguments={"x": 1})

    assert len(tools) == 13
    assert created["ready"] == ["a", "b"]
    assert read["contents"][0]["uri"] == uri
    assert "ship" in got["messages"][0]["content"]["text"]
    assert completed["completion"]["values"] == [created["workflow_id"]]
    assert refused["isError"]
    engine.store.close()
