"""What relaybook says that it is, and what it never does."""

import re

import pytest
from mcp import Client

from relaybook.engine import Engine
from relaybook.model import Pattern
from relaybook.surface.server import build_server
from tests.helpers import task

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("S1")
def test_it_names_itself_and_the_four_areas_of_coordination(engine: Engine) -> None:
    server = build_server(engine, "orchestrator")

    assert server.name == "relaybook"
    assert (
        "multi-agent coordination with task routing, handoff protocols, fan-out/fan-in patterns "
        "and supervisor workflows"
    ) in str(server.description)


@pytest.mark.requirement("S2", "S178")
async def test_it_records_and_renders_but_runs_nothing(client: Client, worker: Client) -> None:
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    of_workers = {tool.name for tool in (await worker.list_tools()).tools}

    assert "you plan, spawn, monitor and synthesise" in str(client.instructions).lower()
    assert "orchestrator" not in str(worker.instructions)
    assert of_workers.isdisjoint({"plan", "create_workflow", "change_plan", "aggregate", "resolve"})
    assert not any(re.search(r"spawn|execute|run_", name) for name in tools)


@pytest.mark.requirement("S8")
async def test_the_four_supports_can_be_reached(client: Client) -> None:
    tools = {tool.name for tool in (await client.list_tools()).tools}
    card = await client.call_tool("read", {"uri": "guide://quick-reference"})
    index = await client.call_tool("read", {"uri": "prompt://index"})

    assert {"create_workflow", "get_workflow", "render_prompt", "resolve"} <= tools
    rules = str(card.structured_content)
    assert all(f"- {pattern}:" in rules for pattern in Pattern)
    assert all(f"## {heading}" in rules for heading in ("PATTERNS", "TRACK", "RETRY", "RECOVER"))
    assert "code_review" in str(index.structured_content)


@pytest.mark.requirement("S4", "S6")
async def test_a_prompt_holds_all_it_needs_and_names_no_other_task(client: Client) -> None:
    plan = [task("alpha", label="Count the apples"), task("beta", label="Count the pears")]
    made = await client.call_tool("create_workflow", {"pattern": "fan_out", "tasks": plan})
    name = (made.structured_content or {})["workflow_id"]

    shown = await client.call_tool("render_prompt", {"workflow_id": name, "task_id": "alpha"})

    prompt = (shown.structured_content or {})["prompt"]
    assert "## Output Interface" in prompt
    for other in ("beta", "pears", name):
        assert other not in prompt
