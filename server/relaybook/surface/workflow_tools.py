"""The tools that follow a workflow: as it stands, and the digest of its results."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from relaybook.engine import Engine
from relaybook.surface import answers
from relaybook.surface.arguments import Text
from relaybook.surface.board import SHOWS_BOARD
from relaybook.surface.done import done, done_aside
from relaybook.surface.rim import tool
from relaybook.surface.waiting import WAIT_LIMIT_SECONDS, wait_for_change
from relaybook.surface.wakes import Wakes


def get_workflow_tool(engine: Engine, wakes: Wakes) -> Tool:
    async def get_workflow(
        workflow_id: Text = "",
        detail: Annotated[Text, Field(description="concise, detailed or resume")] = "concise",
        since: Annotated[int | None, Field(description="seq; adds the events after it")] = None,
        wait_seconds: Annotated[
            float, Field(ge=0, le=WAIT_LIMIT_SECONDS, description="for a change after since")
        ] = 0,
        running_sessions: Annotated[
            list[str] | None, Field(description="session keys that still run")
        ] = None,
        active: Annotated[bool, Field(description="list only those not ended")] = False,
        project: Text = "",
        cursor: Text = "",
        *,
        ctx: Context[None, Any],
    ) -> dict[str, Any]:
        if not workflow_id:
            return await done(
                engine,
                engine.list_workflows,
                active=active,
                project=project or None,
                cursor=cursor,
            )
        if wait_seconds:
            progress = ctx.report_progress
            await wait_for_change(engine, wakes, workflow_id, since, wait_seconds, progress)
        return await done(
            engine,
            engine.show_workflow,
            workflow_id,
            detail=detail or "concise",
            since=since,
            running_sessions=running_sessions,
            cursor=cursor,
        )

    return tool(
        get_workflow,
        answer=answers.Shown,
        title="Get workflow",
        description="Call to follow work: without an id all workflows, with one its tasks, "
        "failures, what is ready; waits for a change; resume after memory loss.",
        read_only=True,
        lasts=True,
        meta=SHOWS_BOARD,
    )


def aggregate_tool(engine: Engine) -> Tool:
    async def aggregate(
        workflow_id: str,
        detail: Annotated[Text, Field(description="concise or detailed")] = "concise",
        cursor: Text = "",
    ) -> dict[str, Any]:
        return await done_aside(
            engine,
            engine.aggregate,
            workflow_id,
            detail=detail or "concise",
            cursor=cursor,
            noted=True,
        )

    return tool(
        aggregate,
        answer=answers.Aggregated,
        title="Aggregate",
        description="Call at any time for the digest of all results and every gap by name, to "
        "write your synthesis from: integrate, do not paste.",
        read_only=True,
        lasts=True,
        meta=SHOWS_BOARD,
    )
