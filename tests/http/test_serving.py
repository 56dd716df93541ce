"""The server over HTTP: both eras, its health pages, its limits, and how it stops."""

import json
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import pytest

from relaybook.engine import Engine
from relaybook.engine.readables.table import READABLES
from relaybook.store.base import Store
from relaybook.surface.http.options import HttpOptions
from relaybook.surface.http.serve import listen
from relaybook.surface.http.tokens import Tokens
from tests.helpers import PROMPTS, result, task, workflow
from tests.http.conftest import Connect
from tests.http.serving import server_on, serving
from tests.surface.calls import call, read_text
from tests.surface.listening import Inbox, listening

pytestmark = pytest.mark.anyio


async def test_a_workflow_runs_over_http(url: str, connect: Connect) -> None:
    async with connect(url) as client:
        plan = [task("a")]
        made = await call(client, "create_workflow", pattern="fan_out", tasks=plan)
        here = {"workflow_id": made["workflow_id"], "task_id": "a"}
        started = await call(client, "update_task", **here, status="in_progress")
        await call(client, "update_task", **here, status="completed", output=result(1))
        shown = await call(client, "get_workflow", workflow_id=made["workflow_id"])
        graph = await read_text(client, f"ledger://workflows/{made['workflow_id']}/graph")

    assert "## Output Interface" in started["prompt"]
    assert shown["status"] == "completed"
    assert "✅ a" in graph


@pytest.mark.requirement("A38", "S254", "S257")
async def test_the_tools_are_the_five_of_the_card_and_the_small_set_and_reads_are_resources(
    url: str, connect: Connect, engine: Engine
) -> None:
    workflow_id = workflow(engine, "a")
    async with connect(url) as client:
        tools = {each.name: each for each in (await client.list_tools()).tools}
        listed = {str(each.uri) for each in (await client.list_resources()).resources}
        templates = {
            each.uri_template
            for each in (await client.list_resource_templates()).resource_templates
        }
        read = await call(client, "read", uri=f"ledger://workflows/{workflow_id}")
        resource = await read_text(client, f"ledger://workflows/{workflow_id}")

    five = {"create_workflow", "update_task", "render_prompt", "aggregate", "advance_stage"}
    small_set = {"plan", "change_plan", "record", "get_workflow", "resolve", "find_skills"}
    assert set(tools) == five | small_set | {"read", "cleanup"}
    assert all(tools[name].output_schema for name in five)
    assert {each.uri for each in READABLES} <= listed | templates
    assert json.loads(read["text"]) == json.loads(resource)


@pytest.mark.requirement("S5")
async def test_a_worker_that_lacks_input_asks_and_another_goes_on_with_the_answer(
    engine: Engine, connect: Connect
) -> None:
    workflow_id = workflow(engine, "a")
    boss, hand = (
        engine.create_token(role, role=role)["token"] for role in ("orchestrator", "worker")
    )
    asking = result(status="needs_input", questions=["Which year?"])

    async with (
        serving(engine, Tokens(engine)) as url,
        connect(url, boss) as client,
        connect(url, hand) as worker,
    ):
        claim = (await call(worker, "claim_task"))["claim"]
        await call(worker, "update_task", claim=claim, status="completed", output=asking)
        seen = await call(client, "get_workflow", workflow_id=workflow_id)
        answer = {"decision": "answer", "task_id": "a", "answers": ["2026"], "reason": "asked"}
        await call(client, "resolve", workflow_id=workflow_id, **answer)
        again = await call(worker, "claim_task")

    assert "Which year?" in str(seen["asking"])
    assert "2026" in again["prompt"]


async def test_a_change_is_told_to_who_listens(url: str, connect: Connect, engine: Engine) -> None:
    here = f"ledger://workflows/{workflow(engine, 'a')}"
    inbox = Inbox()

    async with (
        connect(url, message_handler=inbox.handle) as client,
        listening(client, inbox, here) as listener,
    ):
        engine.claim_task()
        heard = await listener.next()

    inbox.close()
    assert heard == here


async def test_a_modern_client_gets_no_session_and_an_older_one_does(
    url: str, http: httpx2.AsyncClient
) -> None:
    headers = {"Accept": "application/json, text/event-stream"}
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}
    older = await http.post(url, json=request("initialize", **hello), headers=headers)
    newer = await http.post(
        url,
        json=request("server/discover", _meta=MODERN),
        headers=headers | {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "server/discover"},
    )

    assert older.status_code == newer.status_code == 200
    assert "mcp-session-id" in older.headers
    assert "mcp-session-id" not in newer.headers


CLIENT = {"name": "test", "version": "1"}
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": CLIENT,
}


def request(method: str, **params: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def test_health_says_that_it_lives_and_ready_that_its_ledger_does(
    engine: Engine, http: httpx2.AsyncClient
) -> None:
    async with serving(engine) as url:
        health, ready = url.replace("/mcp", "/health"), url.replace("/mcp", "/ready")
        before = [(await http.get(page)).status_code for page in (health, ready)]
        with engine.store.transaction() as tx:
            tx.rows("ALTER TABLE workflows RENAME TO lost")
        after = [(await http.get(page)).status_code for page in (health, ready)]

    assert before == [200, 200]
    assert after == [200, 503]


async def test_a_page_that_is_not_there_and_a_method_that_is_not_answered_say_so(
    url: str, http: httpx2.AsyncClient
) -> None:
    lost = await http.get(url.replace("/mcp", "/mpc"))
    wrong = await http.post(url.replace("/mcp", "/health"))

    assert (lost.status_code, lost.json()["error"]["code"]) == (404, "not_found")
    assert "/mcp" in lost.json()["error"]["allowed"]
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "invalid_arguments")
    assert wrong.json()["error"]["allowed"] == wrong.headers["allow"]
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_a_body_over_the_limit_is_refused_unread(
    engine: Engine, http: httpx2.AsyncClient
) -> None:
    async with serving(engine, body_limit=1000) as url:
        told = await http.post(url, content=b"x" * 1001)
        chunked = await http.post(url, content=pieces(20, 100))

    assert (told.status_code, chunked.status_code) == (413, 413)
    assert told.json()["error"]["message"] == "The body is longer than 1000 bytes."
    assert "send less" in told.json()["error"]["next"]


async def pieces(count: int, size: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


class Watched(Engine):
    """An engine that says when somebody begins to wait for a change."""

    asked: anyio.Event

    def workflow_seq(self, workflow_id: str) -> int:
        self.asked.set()
        return super().workflow_seq(workflow_id)


class Slow(Engine):
    """An engine whose digests take until they are let go."""

    asked: threading.Event
    let_go: threading.Event

    def aggregate(self, *args: Any, **said: Any) -> dict[str, Any]:
        self.asked.set()
        assert self.let_go.wait(60)
        return super().aggregate(*args, **said)


@pytest.fixture
def slow(ledger: Store) -> Slow:
    engine = Slow(ledger, (PROMPTS,))
    engine.asked, engine.let_go = threading.Event(), threading.Event()
    return engine


def logged_by_the_server(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if not each.name.startswith("mcp.client")]


async def begun(engine: Slow) -> None:
    assert await anyio.to_thread.run_sync(engine.asked.wait, 60)


async def test_a_call_in_progress_is_answered_though_the_server_stops(
    slow: Slow, connect: Connect
) -> None:
    workflow_id = workflow(slow, "a")
    answers: list[str] = []

    async def ask(url: str) -> None:
        async with connect(url) as client:
            await client.list_tools()  # or the client would ask for them after the answer
            answers.append((await call(client, "aggregate", workflow_id=workflow_id))["type"])

    async with (
        anyio.create_task_group() as group,
        server_on(slow, grace_seconds=60) as (url, server, stopping),
    ):
        group.start_soon(ask, url)
        await begun(slow)
        server.should_exit = True
        await stopping.wait()
        slow.let_go.set()

    assert answers == ["fan_out"]


async def test_a_call_that_only_waits_is_answered_at_once_when_the_server_stops(
    ledger: Store, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Watched(ledger, (PROMPTS,))
    workflow_id = workflow(engine, "a")
    seq = engine.show_workflow(workflow_id)["seq"]
    engine.asked = anyio.Event()
    answers: list[int] = []

    async def wait(url: str) -> None:
        async with connect(url) as client:
            await client.list_tools()
            seen = {"workflow_id": workflow_id, "since": seq, "wait_seconds": 45}
            answers.append((await call(client, "get_workflow", **seen))["seq"])
            assert stopping.is_set

    with anyio.fail_after(40):
        async with (
            anyio.create_task_group() as group,
            server_on(engine, grace_seconds=3600) as (url, server, stopping),
        ):
            group.start_soon(wait, url)
            await engine.asked.wait()
            server.should_exit = True

    assert answers == [seq]
    assert logged_by_the_server(caplog) == []


async def test_a_call_that_outlasts_the_time_to_stop_is_told_so(
    slow: Slow, http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    ask = request("tools/call", name="aggregate", arguments={"workflow_id": workflow(slow, "a")})
    ask["params"] = {**ask["params"], "_meta": MODERN}
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call"}
    headers |= {"Mcp-Name": "aggregate", "Accept": "application/json, text/event-stream"}
    answers: list[httpx2.Response] = []

    async def send(url: str) -> None:
        answers.append(await http.post(url, json=ask, headers=headers))

    async with (
        anyio.create_task_group() as group,
        server_on(slow, grace_seconds=1) as (url, server, _),
    ):
        group.start_soon(send, url)
        await begun(slow)
        server.should_exit = True
        while not logged_by_the_server(caplog):  # noqa: ASYNC110  # that the time is over
            await anyio.sleep(0.02)
        slow.let_go.set()

    [answer] = answers
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "outcome_unknown")
    assert not any(record.exc_info for record in caplog.records)


async def test_who_only_listens_does_not_keep_the_server_from_stopping(
    engine: Engine, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    here = f"ledger://workflows/{workflow(engine, 'a')}"
    inbox = Inbox()

    with anyio.fail_after(60):
        async with server_on(engine, grace_seconds=3600) as (url, server, stopping):
            client = connect(url, message_handler=inbox.handle)
            async with client as opened, listening(opened, inbox, here):
                server.should_exit = True
                await stopping.wait()

    inbox.close()
    assert logged_by_the_server(caplog) == []


def test_no_part_of_an_answer_waits_for_the_caller_to_have_the_part_before() -> None:
    with listen(HttpOptions(port=0)) as listener:
        caller = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        with caller, accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
