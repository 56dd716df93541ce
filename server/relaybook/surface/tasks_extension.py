"""The extension io.modelcontextprotocol/tasks: a long call is answered by a task to ask for.

Only for clients of 2026-07-28 that declare it, and only for calls that wait or aggregate. One
that ends within `GRACE_SECONDS` is answered as ever, and so is each while `CallTasks` is full.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp_types import HEADER_MISMATCH, CallToolRequestParams, RequestParams
from pydantic import Field
from starlette.requests import Request

from relaybook.surface.call_tasks import CallTask, CallTasks
from relaybook.surface.caller import caller_of

TASKS = "io.modelcontextprotocol/tasks"
VERSIONS = frozenset({"2026-07-28"})
GRACE_SECONDS = 0.05

Ctx = ServerRequestContext[Any, Any]

#: The tools that may answer with a task, and with which arguments.
MAY_LAST: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "get_workflow": lambda given: bool(given.get("wait_seconds")),
    "aggregate": lambda _: True,
}


class OfTask(RequestParams):
    """What tasks/get and tasks/cancel are given."""

    task_id: str = Field(alias="taskId")


class Update(OfTask):
    """What tasks/update is given. No call of relaybook asks its client for input meanwhile."""

    input_responses: dict[str, Any] = Field(alias="inputResponses", default_factory=dict)


class TasksExtension(Extension):
    """Serves tasks/get, tasks/update and tasks/cancel, and makes the tasks."""

    identifier = TASKS

    def __init__(self) -> None:
        self._tasks = CallTasks()
        #: To be open while the server runs.
        self.running = self._tasks.running

    def methods(self) -> Sequence[MethodBinding]:
        return [
            MethodBinding("tasks/get", OfTask, self._get, VERSIONS),
            MethodBinding("tasks/update", Update, self._update, VERSIONS),
            MethodBinding("tasks/cancel", OfTask, self._cancel, VERSIONS),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Ctx, call_next: CallNext
    ) -> HandlerResult:
        may_last = MAY_LAST.get(params.name)
        if may_last is None or not may_last(params.arguments or {}) or not _declared(ctx):
            return await call_next(ctx)
        task = self._tasks.start(_owner(ctx), lambda: call_next(ctx))
        if task is None:
            return await call_next(ctx)
        if await self._ends_soon(task):
            self._tasks.drop(task)
            return task.answer()
        return {"resultType": "task", **task.as_created()}

    async def _ends_soon(self, task: CallTask) -> bool:
        """Whether `task` ends within the grace; it ends, too, if its request is cancelled."""
        try:
            with anyio.move_on_after(GRACE_SECONDS):
                await task.ended.wait()
        except anyio.get_cancelled_exc_class():
            self._tasks.drop(task)
            raise
        return task.ended.is_set()

    async def _get(self, ctx: Ctx, params: OfTask) -> HandlerResult:
        return self._find(ctx, params).as_dict()

    async def _update(self, ctx: Ctx, params: Update) -> HandlerResult:
        self._find(ctx, params)
        return {}

    async def _cancel(self, ctx: Ctx, params: OfTask) -> HandlerResult:
        self._find(ctx, params).cancel()
        return {}

    def _find(self, ctx: Ctx, params: OfTask) -> CallTask:
        require_client_extension(ctx, TASKS)
        request = _request(ctx)
        if request is not None and request.headers.get("mcp-name") != params.task_id:
            raise MCPError(HEADER_MISMATCH, "The header Mcp-Name is not the taskId of the body.")
        return self._tasks.find(_owner(ctx), params.task_id)


def _declared(ctx: Ctx) -> bool:
    able = ctx.session.client_capabilities
    extensions = able.extensions if able else None
    return ctx.protocol_version in VERSIONS and TASKS in (extensions or {})


def _request(ctx: Ctx) -> Request | None:
    """The HTTP request, where there is one."""
    return ctx.request if isinstance(ctx.request, Request) else None


def _owner(ctx: Ctx) -> str:
    """Who calls: the same for each request of a credential; over a pipe there is one caller."""
    request = _request(ctx)
    return caller_of(request).name if request is not None else ""
