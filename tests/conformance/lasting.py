"""Fixtures of the tasks extension: calls that last, and so go on as tasks.

None asks its client for input while it lasts: no call of relaybook does.
"""

from typing import Any

import anyio
from mcp.server.mcpserver import Context, require_client_extension
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, ElicitRequest, ElicitRequestFormParams, InputRequiredResult

from relaybook.surface.rim import Server
from relaybook.surface.tasks_extension import GRACE_SECONDS, MAY_LAST, TASKS
from tests.conformance.contents import FIXTURE

Ctx = Context[None, Any]

#: Long enough to be a task.
LASTING = 5 * GRACE_SECONDS


def add_lasting(server: Server) -> None:
    """Add the tools that last, and one that does not."""
    lasting = (slow_compute, failing_job, protocol_error_job, test_tool_with_task)
    for tool in (greet, *lasting):
        server.add_tool(tool, description=FIXTURE, structured_output=False)
    MAY_LAST.update({tool.__name__: lambda _: True for tool in lasting})


async def greet(name: str) -> str:
    return f"Hello, {name}!"


async def slow_compute(seconds: float = 1, label: str = "") -> str:
    await anyio.sleep(seconds)
    return f"done {label}"


async def failing_job(ctx: Ctx) -> str:
    require_client_extension(ctx.request_context, TASKS)
    await anyio.sleep(LASTING)
    raise ToolError("The job failed.")


async def protocol_error_job(ctx: Ctx) -> str:
    require_client_extension(ctx.request_context, TASKS)
    await anyio.sleep(LASTING)
    raise MCPError(INTERNAL_ERROR, "The job broke off.")


async def test_tool_with_task(ctx: Ctx) -> str | InputRequiredResult:
    require_client_extension(ctx.request_context, TASKS)
    answers = ctx.input_responses
    if not answers:
        return InputRequiredResult(input_requests={"user_name": _name()}, request_state="asked")
    await anyio.sleep(LASTING)
    content: Any = answers["user_name"]
    return f"Hello, {content.content['name']}!"


def _name() -> ElicitRequest:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
    }
    params = ElicitRequestFormParams(message="What is your name?", requested_schema=schema)
    return ElicitRequest(params=params)
