"""Calls that go on as tasks of the protocol: in memory, for `TTL_SECONDS`, `LIMIT` at most.

A server keeps them while its process runs. Whoever asks a later process for one learns that it
is unknown and calls again: the ledger holds all that a call may have changed.
"""

import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio
from anyio.abc import TaskGroup
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, ErrorData
from pydantic import BaseModel

#: How long a task is kept from its creation, whether it ended or not.
TTL_SECONDS = 600
#: How many tasks one server keeps; answers are bounded, so this bounds its memory.
LIMIT = 64
#: How often a client should ask for a task.
POLL_SECONDS = 0.5

Answer = BaseModel | dict[str, Any] | None
Call = Callable[[], Awaitable[Answer]]

_log = logging.getLogger(__name__)


class CallTask:
    """A call that may go on after its request was answered."""

    def __init__(self, owner: str, call: Call) -> None:
        self.id = secrets.token_hex(16)
        self.owner = owner
        self.began = anyio.current_time()
        self.ended = anyio.Event()
        self._call = call
        self._scope = anyio.CancelScope()
        self._status = "working"
        self._answer: Answer = None
        self._fault: Exception | None = None
        self._created = self._updated = datetime.now(UTC)

    async def run(self) -> None:
        """Make the call and keep what it answers or raises."""
        with self._scope:
            try:
                self._answer = await self._call()
                self._end("completed")
            except Exception as fault:  # noqa: BLE001  # whatever it was, other tasks go on
                self._fault = fault
                self._end("failed")

    def cancel(self) -> None:
        """End the call; one that has ended stays as it is."""
        self._end("cancelled")
        self._scope.cancel()

    def answer(self) -> Answer:
        """What the call answered; raises what it raised."""
        if self._fault is not None:
            raise self._fault
        return self._answer

    def as_created(self) -> dict[str, Any]:
        """The task as the protocol says it, without its outcome."""
        return {
            "taskId": self.id,
            "status": self._status,
            "createdAt": _iso(self._created),
            "lastUpdatedAt": _iso(self._updated),
            "ttlMs": TTL_SECONDS * 1000,
            "pollIntervalMs": int(POLL_SECONDS * 1000),
        }

    def as_dict(self) -> dict[str, Any]:
        """The task as it is now, with its `result` or `error` once it has one."""
        return self.as_created() | self._outcome()

    def _outcome(self) -> dict[str, Any]:
        if self._status == "completed":
            return {"result": _wire(self._answer)}
        if self._status == "failed":
            error = _error(self._fault)
            return {"error": _wire(error), "statusMessage": error.message}
        return {}

    def _end(self, status: str) -> None:
        if self._status == "working":
            self._status, self._updated = status, datetime.now(UTC)
            self.ended.set()


def _error(fault: Exception | None) -> ErrorData:
    if isinstance(fault, MCPError):
        return fault.error
    _log.error("a call that went on as a task failed", exc_info=fault)
    return ErrorData(code=INTERNAL_ERROR, message="Internal server error")


def _wire(said: Answer) -> dict[str, Any] | None:
    if isinstance(said, BaseModel):
        return said.model_dump(by_alias=True, mode="json", exclude_none=True)
    return said


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class CallTasks:
    """The tasks of one server. Each is there for who made it and for nobody else."""

    def __init__(self) -> None:
        self._tasks: dict[str, CallTask] = {}
        #: The last is used; there are several only if several clients share a server in memory.
        self._groups: list[TaskGroup] = []

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run the calls while open, and end them then."""
        async with anyio.create_task_group() as group:
            self._groups.append(group)
            try:
                yield
            finally:
                self._groups.remove(group)
                group.cancel_scope.cancel()

    def start(self, owner: str, call: Call) -> CallTask | None:
        """A new task that makes `call`; None if there is no room for it."""
        self._drop_old()
        if len(self._tasks) >= LIMIT:
            return None
        task = CallTask(owner, call)
        self._tasks[task.id] = task
        self._groups[-1].start_soon(task.run)
        return task

    def drop(self, task: CallTask) -> None:
        """Forget `task`, and end it if it has not ended."""
        task.cancel()
        self._tasks.pop(task.id, None)

    def find(self, owner: str, task_id: str) -> CallTask:
        """
        Raises:
            MCPError: `owner` has no such task, or has it no more.
        """
        self._drop_old()
        task = self._tasks.get(task_id)
        if task is None or task.owner != owner:
            raise MCPError(
                INVALID_PARAMS,
                f"Unknown task {task_id[:80]!r}: its time is over or its server has ended. "
                "Call the tool again; the ledger keeps all that was recorded.",
            )
        return task

    def _drop_old(self) -> None:
        oldest = anyio.current_time() - TTL_SECONDS
        for task in [each for each in self._tasks.values() if each.began <= oldest]:
            self.drop(task)
