"""Replicas die, the database restarts, connections break, workers freeze: what was answered holds.

Each run is drawn from a seed. `RELAYBOOK_FAULT_SEEDS` and `RELAYBOOK_FAULT_SECONDS` make it
long, as `make soak` does, with seeds from `RELAYBOOK_FAULT_FIRST` on, and each says how often it
injected what; a seed that once failed stays in `SEEDS`.
"""

import json
import os
import random
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import psycopg
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from relaybook.model import EdgeKind, Pattern
from relaybook.store.base import Tx
from relaybook.store.events import read_events
from relaybook.store.open import open_store
from relaybook.store.tables import ATTEMPTS, TASKS, WORKFLOWS
from relaybook.store.texts import get_text
from tests.faults.agent import Agent, Door, Plan
from tests.faults.checker import faults
from tests.faults.history import Ended, Kept, Ledger, Recorded
from tests.faults.replicas import Replica, kill_one, over_stdio
from tests.helpers import task
from tests.postgres import Server

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600)]

SEEDS = (1,)
#: Long runs draw further seeds.
MORE = int(os.environ.get("RELAYBOOK_FAULT_SEEDS", "0"))
FIRST = int(os.environ.get("RELAYBOOK_FAULT_FIRST", "100"))
SECONDS = float(os.environ.get("RELAYBOOK_FAULT_SECONDS", "5"))
LONG = SECONDS > 60
REPLICAS, AGENTS, PROCESSES, COPIES = (3, 24, 8, 12) if LONG else (2, 4, 2, 1)
TASKS_EACH = 24 if LONG else 6
#: Seconds between two faults, and the time in which all work must be able to end after them.
PAUSE, CALM = (0.5, 2.0), 60.0
#: What must have happened in a long run, whatever was drawn.
IN_PROCESSES = frozenset({"kill -9", "call unanswered", "frozen worker", "late answer refused"})
IN_REPLICAS = IN_PROCESSES | {"database restart", "connections cut"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=[*SEEDS, *range(FIRST, FIRST + MORE)])
def seed(request: pytest.FixtureRequest) -> int:
    return request.param


def plans() -> list[dict[str, Any]]:
    """Workflows of all patterns; the steps of some wait for each other."""
    made: list[dict[str, Any]] = []
    for copy in range(COPIES):
        for pattern in Pattern:
            tasks = [_task(pattern, n) for n in range(TASKS_EACH)]
            name = f"{pattern}-{copy}"
            made.append({"pattern": str(pattern), "name": name, "tasks": tasks, "request_id": name})
    return made


def _task(pattern: Pattern, n: int) -> dict[str, Any]:
    waits = pattern in (Pattern.PIPELINE, Pattern.SUPERVISOR) and n
    said: dict[str, Any] = {"writes": [f"src/{n % 4}/"]} if n % 3 == 0 else {}
    if pattern is Pattern.EXPERT_PANEL:
        said["expert_role"] = f"expert {n}"
    return task(f"t{n}", *([f"t{(n - 1) // 2}"] if waits else []), **said)


async def register(door: Door, plan: Plan, seed: int) -> None:
    """Make all workflows; a request is repeated until it is answered."""
    agent = Agent("orchestrator", door, plan, f"{seed}")
    for said in plans():
        answer: dict[str, Any] = {}
        while "workflow_id" not in answer:
            try:
                async with door() as client:
                    answer = await agent.call(
                        client, "create_workflow", said, request_id=said["request_id"]
                    )
            except* Exception:  # noqa: BLE001 - the same request is harmless
                await anyio.sleep(0.1)
        plan.names.append(answer["workflow_id"])


async def run(
    plan: Plan, doors: list[Door], breaks: Callable[[], Any], seed: int, heal: Any
) -> None:
    """Let agents work, first while things break, then in peace until nothing is left to claim."""
    await register(doors[0], plan, seed)
    async with anyio.create_task_group() as group:
        for number, door in enumerate(doors):
            group.start_soon(Agent(f"agent-{number}", door, plan, f"{seed}-{number}").work)
        with anyio.move_on_after(SECONDS):
            while True:
                await anyio.sleep(random.Random(f"{seed}-{len(plan.history)}").uniform(*PAUSE))
                await breaks()
        await heal()
        plan.calm = True
        with anyio.move_on_after(CALM):
            while not _idle(plan):  # noqa: ASYNC110 - the agents know nothing of each other
                await anyio.sleep(0.5)
        plan.over = True


def _idle(plan: Plan) -> bool:
    """Whether the last claims of all agents found nothing."""
    claims = [call for call in plan.history[-500:] if call.tool == "claim_task"]
    enough = 6 * len(plan.names)
    return len(claims) > enough and not any(call.claim for call in claims[-enough:])


def kept(name: str) -> Ledger:
    """The ledger as it is in the end, read beside all servers."""
    store = open_store(name)
    with store.read() as tx:
        found = {each.id: _workflow(tx, each) for each in WORKFLOWS.find(tx, "ORDER BY id")}
    store.close()
    return found


def _workflow(tx: Tx, workflow: Any) -> Kept:
    tasks = TASKS.find(tx, "WHERE workflow_id = :id", id=workflow.id)
    attempts = ATTEMPTS.find(tx, "WHERE workflow_id = :id", id=workflow.id)
    edges = tx.rows(
        "SELECT task_id, needs FROM edges WHERE workflow_id = :id AND kind = :kind",
        {"id": workflow.id, "kind": str(EdgeKind.NEEDS)},
    )
    results = {
        each.id: json.loads(get_text(tx, workflow.id, each.result))["data"]["by"]
        for each in tasks
        if each.result is not None
    }
    return Kept(
        seq=workflow.seq,
        request_id=workflow.request_id or "",
        events=[
            Recorded(seq=e.seq, type=str(e.type), task_id=e.task_id, claim=e.data.get("claim", ""))
            for e in read_events(tx, workflow.id, limit=100_000)
        ],
        needs={each.id: [need for id, need in edges if id == each.id] for each in tasks},
        results=results,
        attempts={each.claim: each.outcome and str(each.outcome) for each in attempts},
    )


def check(plan: Plan, ledger: Ledger, folder: Path, seed: int, expected: frozenset[str]) -> None:
    """Hold the history against the ledger; it stays in `folder` for who looks into a failure."""
    sys.stderr.write(f"seed {seed}: {len(plan.history)} calls, {dict(plan.injected)}\n")
    lines = "\n".join(map(repr, sorted(plan.history, key=lambda call: call.began)))
    (folder / "history.txt").write_text(lines, encoding="utf-8")
    completed = [call for call in plan.history if call.completes and call.how is Ended.OK]
    codes = {call.answer["error"]["code"] for call in plan.history if "error" in call.answer}
    assert not codes & {"invalid_arguments", "unknown_tool", "forbidden"}
    assert faults(plan.history, ledger) == []
    assert len(ledger) == len(plans())
    assert len({(call.workflow_id, call.task_id) for call in completed}) > 2 * TASKS_EACH
    assert not LONG or set(+plan.injected) >= expected


@pytest.mark.requirement("S134", "S135")
async def test_replicas_over_http_on_postgresql(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    server = await anyio.to_thread.run_sync(Server)
    replicas = [Replica(server.url, number, tmp_path) for number in range(REPLICAS)]
    plan = Plan()

    async def kill() -> None:
        victim = draw.choice(replicas)
        victim.kill()
        victim.start()
        plan.injected["kill -9"] += 1

    async def restart() -> None:
        await anyio.to_thread.run_sync(server.restart)
        plan.injected["database restart"] += 1

    async def cut() -> None:
        found = await anyio.to_thread.run_sync(_cut, server.url, draw.random())
        plan.injected["connections cut"] += found

    async def breaks() -> None:
        await draw.choices([kill, restart, cut], [3, 1, 4])[0]()

    async def heal() -> None:
        for each in replicas:
            await each.ready()

    try:
        for each in replicas:
            each.start()
            await each.ready()  # one by one: the machine may be busy
        doors = [_any_of(replicas, random.Random(f"{seed} {n}")) for n in range(AGENTS)]
        await run(plan, doors, breaks, seed, heal)
        check(plan, kept(server.url), tmp_path, seed, IN_REPLICAS)
    finally:
        for each in replicas:
            each.kill()
        await anyio.to_thread.run_sync(server.remove)


def _any_of(replicas: list[Replica], draw: random.Random) -> Door:
    """Clients of both eras, each on whichever replica it happens to get."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Client]:
        mode = draw.choice(["auto", "legacy"])
        async with httpx2.AsyncClient(timeout=30) as http:
            transport = streamable_http_client(draw.choice(replicas).url, http_client=http)
            async with Client(transport, mode=mode) as client:  # pyright: ignore[reportArgumentType]
                yield client

    return opened


def _cut(url: str, share: float) -> int:
    """Break off about that share of the connections of all replicas; how many these were."""
    sql = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'relaybook' AND random() < %s"
    )
    with psycopg.connect(url, autocommit=True, application_name="the_cut") as connection:
        return len(connection.execute(sql, (share,)).fetchall())


@pytest.mark.requirement("S134", "S135")
async def test_processes_over_stdio_on_one_file(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    store = str(tmp_path / "ledger.db")
    plan = Plan()

    async def breaks() -> None:
        plan.injected["kill -9"] += kill_one(tmp_path, draw)

    async def heal() -> None:
        """Nothing to do: each client starts its server."""

    def door(number: int) -> Callable[[], AbstractAsyncContextManager[Client]]:
        return lambda: Client(over_stdio(store, f"client-{number}", number, tmp_path))

    await run(plan, [door(number) for number in range(PROCESSES)], breaks, seed, heal)

    check(plan, kept(store), tmp_path, seed, IN_PROCESSES)
