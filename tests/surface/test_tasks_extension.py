"""Calls that wait or aggregate go on as tasks, for clients of 2026-07-28 that know what they are."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension
from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, MISSING_REQUIRED_CLIENT_CAPABILITY, CallToolRequestParams

from relaybook.engine import Engine
from relaybook.surface.call_tasks import CallTasks
from relaybook.surface.server import build_server
from relaybook.surface.tasks_extension import TASKS, TasksExtension
from relaybook.surface.tools import tools_for
from tests.helpers import start, workflow
from tests.surface.as_tasks import AsTasks, ask
from tests.surface.calls import call, raw_call
from tests.surface.conftest import Mode

pytestmark = pytest.mark.anyio


@pytest.fixture
def tasks() -> AsTasks:
    return AsTasks()


@pytest.fixture
async def declared(engine: Engine, tasks: AsTasks) -> AsyncIterator[Client]:
    async with Client(build_server(engine), cache=None, extensions=[tasks]) as client:
        yield client


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """However short a wait, it goes on as a task."""
    monkeypatch.setattr("relaybook.surface.tasks_extension.GRACE_SECONDS", 0)


async def wait_shortly(client: Client, workflow_id: str) -> dict[str, Any]:
    return await call(client, "get_workflow", workflow_id=workflow_id, wait_seconds=0.1)


class Held(Extension):
    """Holds every call back until a client has got a task for it."""

    identifier = "test/held"

    def __init__(self, tasks: AsTasks) -> None:
        self._tasks = tasks

    async def intercept_tool_call(
        self,
        params: CallToolRequestParams,
        ctx: ServerRequestContext[Any, Any],
        call_next: CallNext,
    ) -> HandlerResult:
        await self._tasks.came.wait()
        return await call_next(ctx)


async def test_a_wait_goes_on_as_a_task_that_a_change_ends(
    declared: Client, tasks: AsTasks, engine: Engine
) -> None:
    name = workflow(engine, "a", "b")
    seen: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []

    async def wait() -> None:
        shown.append(await call(declared, "get_workflow", workflow_id=name, wait_seconds=45))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await tasks.came.wait()
        seen.append(await ask(declared, "get", tasks.given[0].task_id))
        start(engine, name, "a")

    assert shown == [engine.show_workflow(name)]
    assert {"status": "working", "ttlMs": 600_000, "pollIntervalMs": 500}.items() <= seen[0].items()
    assert not {"result", "error"} & set(seen[0])
    assert len(tasks.given[0].task_id) == 32


async def test_the_server_says_that_it_knows_the_extension(declared: Client) -> None:
    assert TASKS in (declared.server_capabilities.extensions or {})


async def test_a_server_with_replicas_makes_no_tasks(
    tasks: AsTasks, engine: Engine, no_grace: None
) -> None:
    name = workflow(engine, "a")

    server = build_server(engine, secrets=["s" * 32])
    async with Client(server, cache=None, extensions=[tasks]) as client:
        shown = await wait_shortly(client, name)
        known = client.server_capabilities.extensions or {}

    assert shown == engine.show_workflow(name)
    assert (TASKS in known, tasks.given) == (False, [])


async def test_a_digest_that_takes_long_is_had_through_a_task(
    tasks: AsTasks, engine: Engine
) -> None:
    name = workflow(engine, "a", "b")
    served = TasksExtension()
    server = MCPServer[None](
        "digests",
        tools=tools_for(engine, "orchestrator"),
        extensions=[served, Held(tasks)],
        lifespan=lambda _: served.running(),
    )

    async with Client(server, cache=None, extensions=[tasks]) as client:
        found = await call(client, "aggregate", workflow_id=name)

    assert found == engine.aggregate(name)
    assert len(tasks.given) == 1


async def test_what_is_ready_is_answered_at_once(
    declared: Client, tasks: AsTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relaybook.surface.tasks_extension.GRACE_SECONDS", 3600)

    refused = await raw_call(declared, "get_workflow", workflow_id="none", wait_seconds=45)

    assert refused.is_error
    assert tasks.given == []


async def test_other_calls_are_no_tasks(
    declared: Client, tasks: AsTasks, engine: Engine, no_grace: None
) -> None:
    name = workflow(engine, "a")

    await call(declared, "get_workflow", workflow_id=name)
    await call(declared, "read", uri=f"ledger://workflows/{name}")

    assert tasks.given == []


async def test_a_client_that_declares_nothing_or_is_older_waits_within_the_call(
    engine: Engine, mode: Mode, no_grace: None
) -> None:
    name = workflow(engine, "a")
    extensions = [AsTasks()] if mode == "legacy" else []

    async with Client(build_server(engine), mode=mode, cache=None, extensions=extensions) as client:
        shown = await wait_shortly(client, name)
        found = await call(client, "aggregate", workflow_id=name)

    assert (shown["workflow_id"], found["workflow_id"]) == (name, name)
    assert not any(extension.given for extension in extensions)


async def test_only_a_client_that_declares_tasks_may_ask_for_one(engine: Engine) -> None:
    async with Client(build_server(engine), cache=None) as client:
        with pytest.raises(MCPError) as refused:
            await ask(client, "get", "0" * 32)

    assert refused.value.error.code == MISSING_REQUIRED_CLIENT_CAPABILITY
    assert refused.value.error.data == {"requiredCapabilities": {"extensions": {TASKS: {}}}}


async def test_a_task_that_is_cancelled_ends_and_stays_cancelled(
    declared: Client, tasks: AsTasks, engine: Engine
) -> None:
    name = workflow(engine, "a")
    acknowledged: list[dict[str, Any]] = []

    async def wait() -> None:
        with pytest.raises(MCPError, match="cancelled"):
            await call(declared, "get_workflow", workflow_id=name, wait_seconds=45)

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await tasks.came.wait()
        acknowledged.append(await ask(declared, "cancel", tasks.given[0].task_id))
        acknowledged.append(await ask(declared, "cancel", tasks.given[0].task_id))

    assert [set(told) & {"status", "taskId"} for told in acknowledged] == [set(), set()]
    assert (await ask(declared, "get", tasks.given[0].task_id))["status"] == "cancelled"


async def test_an_update_of_a_task_that_asks_nothing_changes_nothing(
    declared: Client, tasks: AsTasks, engine: Engine, no_grace: None
) -> None:
    await wait_shortly(declared, workflow(engine, "a"))
    task_id = tasks.given[0].task_id
    before = await ask(declared, "get", task_id)

    await ask(declared, "update", task_id, inputResponses={"none": {}})

    assert await ask(declared, "get", task_id) == before


@pytest.mark.parametrize("method", ["get", "update", "cancel"])
async def test_an_unknown_task_is_refused_with_what_to_do(declared: Client, method: str) -> None:
    with pytest.raises(MCPError, match="Call the tool again") as refused:
        await ask(declared, method, "f" * 10_000)

    assert refused.value.error.code == INVALID_PARAMS
    assert len(refused.value.error.message) < 300


async def test_a_task_is_forgotten_when_its_time_is_over(
    declared: Client,
    tasks: AsTasks,
    engine: Engine,
    no_grace: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await wait_shortly(declared, workflow(engine, "a"))

    monkeypatch.setattr("relaybook.surface.call_tasks.TTL_SECONDS", 0)

    with pytest.raises(MCPError, match="Unknown task"):
        await ask(declared, "get", tasks.given[0].task_id)


async def test_with_as_many_tasks_as_are_kept_a_call_is_answered_as_ever(
    declared: Client,
    tasks: AsTasks,
    engine: Engine,
    no_grace: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("relaybook.surface.call_tasks.LIMIT", 2)
    name = workflow(engine, "a")

    answers = [await wait_shortly(declared, name) for _ in range(4)]

    assert answers == [engine.show_workflow(name)] * 4
    assert len(tasks.given) == 2


async def test_a_task_is_there_for_who_made_it_and_for_nobody_else() -> None:
    async def wait() -> None:
        await anyio.sleep_forever()

    tasks = CallTasks()
    async with tasks.running():
        task = tasks.start("one", wait)
        assert task is not None
        with pytest.raises(MCPError, match="Unknown task"):
            tasks.find("other", task.id)

        assert tasks.find("one", task.id) is task
