"""The tools of the workflow engine: stages, and the skills that can do them."""

from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from relaybook.engine import Engine
from relaybook.engine.request import StageReport
from relaybook.surface.answers import Advanced, Found
from relaybook.surface.arguments import (
    Artifacts,
    Criteria,
    ErrorCode,
    Findings,
    HooksRun,
    Metrics,
    Outcome,
    Tests,
    Text,
)
from relaybook.surface.done import done
from relaybook.surface.rim import tool


def advance_stage_tool(engine: Engine) -> Tool:
    async def advance_stage(
        workflow_id: str,
        stage: Annotated[int | None, Field(description="from 0; needed with outcome")] = None,
        outcome: Outcome = "",
        output: Annotated[Text, Field(description="the worker's message, if one did it")] = "",
        artifacts: Artifacts = [],  # noqa: B006
        tests: Tests = [],  # noqa: B006
        metrics: Metrics = {},  # noqa: B006
        findings: Findings = [],  # noqa: B006
        criteria: Criteria = [],  # noqa: B006
        reason: Annotated[Text, Field(description="needed for failed")] = "",
        error_code: ErrorCode = "",
        hooks_run: HooksRun = [],  # noqa: B006
        session_key: Text = "",
    ) -> dict[str, Any]:
        report = StageReport(
            workflow_id=workflow_id,
            stage=stage,
            outcome=outcome,
            output=output,
            artifacts=artifacts,
            tests=tests,
            metrics=metrics,
            findings=findings,
            criteria=criteria,
            reason=reason,
            error_code=error_code,
            hooks_run=hooks_run,
            session_key=session_key or None,
        )
        return await done(engine, engine.advance_stage, report)

    return tool(
        advance_stage,
        answer=Advanced,
        title="Advance stage",
        description="Call to start the next stage (answers its prompt), and to end one with "
        "evidence for its gate; then name the hooks run. Says what blocks.",
    )


def find_skills_tool(engine: Engine) -> Tool:
    async def find_skills(
        capability: Text = "",
        input: Annotated[Text, Field(description="name of an input")] = "",
        output: Text = "",
        capabilities: Annotated[list[str], Field(description="in order: answers a pipeline")] = [],  # noqa: B006
    ) -> dict[str, Any]:
        return await done(
            engine,
            engine.find_skills,
            capability=capability,
            input=input,
            output=output,
            capabilities=capabilities,
        )

    return tool(
        find_skills,
        answer=Found,
        title="Find skills",
        description="Call to learn which skills have a capability, input or output, or the "
        "pipeline of several.",
        read_only=True,
    )
