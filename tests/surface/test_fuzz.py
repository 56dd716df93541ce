"""Thousands of calls with arguments of every kind: none crashes, floods, or half-happens.

RELAYBOOK_FUZZ_CALLS and RELAYBOOK_FUZZ_SEED choose how many and which.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult, Tool

from relaybook.core.text import compact
from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore
from relaybook.surface.server import build_server
from tests.helpers import Clock, engine_on, result, task
from tests.surface.arbitrary import Arbitrary
from tests.surface.calls import text_of

pytestmark = pytest.mark.anyio

CALLS = int(os.environ.get("RELAYBOOK_FUZZ_CALLS", "2000"))
SEED = int(os.environ.get("RELAYBOOK_FUZZ_SEED", "1"))

#: In bytes: of an answer, of one that holds a prompt, and of a refusal.
ANSWER, PROMPT, REFUSAL = 20_000, 200_000, 1_000


class Commits:
    """Counts the commits to a ledger, as another connection sees them."""

    def __init__(self, path: Path) -> None:
        self._watching = sqlite3.connect(path)

    def seen(self) -> int:
        return self._watching.execute("PRAGMA data_version").fetchone()[0]

    def close(self) -> None:
        self._watching.close()


@pytest.fixture
def fuzzed(tmp_path: Path, clock: Clock) -> Iterator[Engine]:
    store = SqliteStore(tmp_path / "ledger.db", "normal")
    yield engine_on(store, clock)
    store.close()


@pytest.mark.timeout(600)
async def test_no_call_crashes_floods_or_half_happens(
    fuzzed: Engine, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    draw = Arbitrary(SEED)
    outcomes = {"refused": 0, "done": 0}
    faults: list[str] = []
    async with (
        Client(build_server(fuzzed, "all"), cache=None) as everyone,
        Client(build_server(fuzzed, "worker"), cache=None) as worker,
    ):
        tools = {id(each): (await each.list_tools()).tools for each in (everyone, worker)}
        with closing(Commits(tmp_path / "ledger.db")) as commits:
            for number in range(CALLS):
                client = worker if draw.random.random() < 0.15 else everyone
                tool, arguments = _next_call(draw, tools[id(client)])
                clock.move(draw.random.choice((0, 1, 40, 700)))
                before = commits.seen()
                answer = await client.call_tool(tool.name, arguments)
                assert isinstance(answer, CallToolResult)
                if fault := _fault(answer, tool, changed=commits.seen() != before):
                    call = f"{tool.name}({compact(arguments)[:1_000]})"
                    faults.append(f"call {number} of seed {SEED} {fault}: {call}")
                draw.learn(answer.structured_content)
                outcomes["refused" if answer.is_error else "done"] += 1

    assert faults == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    # It reached beyond the first checks, and met them too.
    assert min(outcomes.values()) > CALLS / 10, outcomes


def _next_call(draw: Arbitrary, tools: list[Tool]) -> tuple[Tool, dict[str, Any]]:
    by_name = {tool.name: tool for tool in tools}
    if draw.random.random() < 0.2:
        name, arguments = draw.random.choice(_sensible(draw))
        if name in by_name:
            return by_name[name], arguments
    tool = draw.random.choice(tools)
    return tool, draw.arguments(tool.input_schema)


#: They keep what spares the next call work, a bookmark and counts of prompts; test_resume.py and
#: test_prompts.py of tests/engine hold them to that.
KEEPERS = frozenset({"aggregate", "render_prompt"})


def _sensible(draw: Arbitrary) -> list[tuple[str, dict[str, Any]]]:
    """Calls as an agent makes them, so that there is work to disturb."""
    claim = draw.last("claim")
    tasks = [task("a"), task("b", template="counted"), task("c", "a")]
    return [
        ("create_workflow", {"pattern": "pipeline", "name": "fuzz", "tasks": tasks}),
        ("claim_task", {}),
        ("claim_task", {}),
        ("update_task", {"claim": claim, "status": "completed", "output": result({"count": 1})}),
        ("update_task", {"claim": claim, "status": "failed", "error": "it broke"}),
    ]


def _fault(answer: CallToolResult, tool: Tool, *, changed: bool) -> str:
    """What is wrong with an answer; empty if nothing is."""
    content = answer.structured_content
    size = max(len(compact(content).encode()), len(text_of(answer).encode()))
    if answer.is_error:
        if content is None:
            return "crashed"
        if size >= REFUSAL:
            return f"was refused in {size} bytes: {text_of(answer)}"
        return "was refused and changed something" if changed else ""
    if size > (PROMPT if '"prompt":' in text_of(answer) else ANSWER):
        return f"answered {size} bytes: {text_of(answer)[:500]}"
    read_only = tool.annotations is not None and tool.annotations.read_only_hint
    changed = changed and tool.name not in KEEPERS
    return "only reads, and changed something" if read_only and changed else ""
