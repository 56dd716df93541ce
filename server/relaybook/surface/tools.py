"""Which tools each role is offered."""

from mcp.server.mcpserver.tools import Tool

from relaybook.engine import Engine
from relaybook.surface.decide_tools import cleanup_tool, resolve_tool
from relaybook.surface.plan_tools import change_plan_tool, create_workflow_tool, plan_tool
from relaybook.surface.read_tools import read_tool, worker_read_tool
from relaybook.surface.record_tools import record_tool, worker_record_tool
from relaybook.surface.stage_tools import advance_stage_tool, find_skills_tool
from relaybook.surface.task_tools import (
    claim_task_tool,
    render_prompt_tool,
    update_task_tool,
    worker_update_tool,
)
from relaybook.surface.wakes import Wakes
from relaybook.surface.workflow_tools import aggregate_tool, get_workflow_tool


def tools_for(engine: Engine, role: str, wakes: Wakes | None = None) -> list[Tool]:
    """The tools of `role`, in the order in which they are listed.

    Calls that wait for a change are woken by `wakes`; without, they look now and then.
    """
    if role == "worker":
        return [
            claim_task_tool(engine, for_worker=True),
            worker_update_tool(engine),
            worker_record_tool(engine),
            worker_read_tool(engine),
        ]
    tools = [
        plan_tool(engine),
        create_workflow_tool(engine),
        change_plan_tool(engine),
        render_prompt_tool(engine),
        update_task_tool(engine),
        record_tool(engine),
        advance_stage_tool(engine),
        get_workflow_tool(engine, wakes or Wakes(engine.store)),
        aggregate_tool(engine),
        resolve_tool(engine),
        find_skills_tool(engine),
        cleanup_tool(engine),
        read_tool(engine),
    ]
    return [*tools, claim_task_tool(engine)] if role == "all" else tools
