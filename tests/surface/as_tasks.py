"""A client that declares the tasks extension and asks for a task until it has ended."""

from collections.abc import Sequence
from typing import Any, Literal

import anyio
from mcp import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, CallToolResult, Request, RequestParams, Result
from pydantic import ConfigDict, Field

from relaybook.surface.tasks_extension import TASKS


class Handle(Result):
    """What a call that goes on as a task is answered with."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)
    result_type: Literal["task"] = Field("task", alias="resultType")
    task_id: str = Field(alias="taskId")


class Told(Result):
    """Whatever a tasks/… request is answered with."""

    model_config = ConfigDict(extra="allow")

    @property
    def said(self) -> dict[str, Any]:
        return self.model_extra or {}


class OfTask(RequestParams):
    model_config = ConfigDict(populate_by_name=True, extra="allow")
    task_id: str = Field(alias="taskId")


class TaskRequest(Request[OfTask, str]):
    method: str
    params: OfTask
    name_param = "taskId"


async def ask(client: Client, method: str, task_id: str, **more: Any) -> dict[str, Any]:
    """What the server says to tasks/`method`."""
    return await _ask(client.session, method, task_id, **more)


async def _ask(session: Any, method: str, task_id: str, **more: Any) -> dict[str, Any]:
    request = TaskRequest(
        method=f"tasks/{method}", params=OfTask.model_validate({"taskId": task_id} | more)
    )
    return (await session.send_request(request, Told)).said


class AsTasks(ClientExtension):
    """The tasks that a client was given, and how each ended."""

    identifier = TASKS

    def __init__(self) -> None:
        self.given: list[Handle] = []
        self.came = anyio.Event()

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Handle, resolve=self._resolve)]

    async def _resolve(self, handle: Handle, context: ClaimContext) -> CallToolResult:
        self.given.append(handle)
        self.came.set()
        told = await _ask(context.session, "get", handle.task_id)
        while told["status"] == "working":  # as the protocol wants it
            await anyio.sleep(0.01)
            told = await _ask(context.session, "get", handle.task_id)
        if told["status"] != "completed":
            raise MCPError(INTERNAL_ERROR, told["status"], told)
        return CallToolResult.model_validate(told["result"])
