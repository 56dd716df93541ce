"""The tools that start tasks and end them, for the orchestrator and for the worker."""

from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import Forbidden, InvalidArguments
from relaybook.surface import answers
from relaybook.surface.arguments import ErrorCode, TaskStatus, Text
from relaybook.surface.done import done
from relaybook.surface.rim import tool


def render_prompt_tool(engine: Engine) -> Tool:
    async def render_prompt(
        workflow_id: Text = "",
        task_id: Text = "",
        template: Text = "",
        args: dict[str, Any] = {},  # noqa: B006
        text: Annotated[Text, Field(description="a prompt to check as it stands")] = "",
    ) -> dict[str, Any]:
        return await done(
            engine,
            engine.render_prompt,
            workflow_id=workflow_id,
            task_id=task_id,
            template=template,
            args=args,
            text=text,
        )

    return tool(
        render_prompt,
        answer=answers.Rendered,
        title="Render prompt",
        description="Call before a start: the prompt of a task, or of a template with args, its "
        "findings, word budget and spawn arguments; starts nothing.",
        read_only=True,
    )


def update_task_tool(engine: Engine) -> Tool:
    async def update_task(
        workflow_id: Text = "",
        task_id: Text = "",
        status: TaskStatus = "",
        session_key: Annotated[Text, Field(description="of a worker having its prompt")] = "",
        output: Annotated[Text, Field(description="worker's message, word for word")] = "",
        error: Text = "",
        error_code: ErrorCode = "",
        claim: Annotated[Text, Field(description="with in_progress: a heartbeat")] = "",
        accept_raw: Annotated[bool, Field(description="store unvalidated output")] = False,
        override: Annotated[Text, Field(description="why start a blocked prompt")] = "",
        updates: Annotated[
            list[dict[str, Any]], Field(description="up to 10 objects of these arguments")
        ] = [],  # noqa: B006
    ) -> dict[str, Any]:
        if updates:
            _refuse_beside(status=status, task_id=task_id, output=output, error=error, claim=claim)
            parsed = [_update(workflow_id, said) for said in updates]
            return await done(engine, engine.update_tasks, parsed)
        update = Update(
            workflow_id=workflow_id,
            task_id=task_id,
            status=status,
            session_key=session_key or None,
            output=output,
            error=error,
            error_code=error_code,
            claim=claim or None,
            accept_raw=accept_raw,
            override=override,
        )
        return await done(engine, engine.update_task, update)

    return tool(
        update_task,
        answer=answers.Updated,
        title="Update task",
        description="Call when a worker starts (answers its prompt), finishes, fails, asks or is "
        "given up. Finds and checks the <result> block in output.",
    )


#: The members that one of several updates may have: texts, and others.
_UPDATE_TEXTS = (
    "task_id", "status", "session_key", "output", "error", "error_code", "claim", "override",
)  # fmt: skip
_UPDATE_FIELDS = (*_UPDATE_TEXTS, "workflow_id", "accept_raw")


def _refuse_beside(**said: str) -> None:
    """Refuse what stands beside `updates`: to which of them it belongs is not known."""
    named = [name for name, value in said.items() if value]
    if named:
        raise InvalidArguments(
            f"{' and '.join(named)} came beside updates.",
            allowed="workflow_id beside updates; all else in each of them",
            next=f"say {named[0]} in each of updates; nothing was recorded",
        )


def _update(workflow_id: str, said: dict[str, Any]) -> Update:
    unknown = [name for name in said if name not in _UPDATE_FIELDS]
    if unknown or not all(isinstance(said.get(name, ""), str) for name in _UPDATE_TEXTS):
        raise _bad_update(unknown)
    texts = {name: said.get(name, "") for name in _UPDATE_TEXTS}
    return Update(
        workflow_id=str(said.get("workflow_id", workflow_id)),
        accept_raw=said.get("accept_raw") is True,
        session_key=texts.pop("session_key") or None,
        claim=texts.pop("claim") or None,
        **texts,
    )


def _bad_update(unknown: list[str]) -> InvalidArguments:
    what = (
        f"has an unknown member {unknown[0][:80]!r}" if unknown else "has a member that is no text"
    )
    return InvalidArguments(
        f"One of updates {what}.",
        allowed=", ".join(_UPDATE_FIELDS),
        next="correct it and call again; nothing was recorded",
    )


def claim_task_tool(engine: Engine, *, for_worker: bool = False) -> Tool:
    async def claim_task(
        workflow_id: Text = "",
        project: Text = "",
        capabilities: list[str] = [],  # noqa: B006
        lease_seconds: Annotated[
            float | None, Field(description="default: the task's timeout")
        ] = None,
        session_key: Text = "",
    ) -> dict[str, Any]:
        return await done(
            engine,
            engine.claim_task,
            workflow_id or None,
            project=project or None,
            capabilities=capabilities,
            lease_seconds=lease_seconds,
            session_key=session_key or None,
        )

    return tool(
        claim_task,
        answer=answers.Claimed,
        title="Claim task",
        description="Call to get the next task that may start: its prompt, and the claim to "
        "finish it under. Says why if there is none.",
        idempotent=False,
        for_worker=for_worker,
    )


def worker_update_tool(engine: Engine) -> Tool:
    async def update_task(
        claim: Annotated[str, Field(description="from claim_task")],
        status: TaskStatus,
        output: Annotated[Text, Field(description="your message with its <result> block")] = "",
        error: Text = "",
        error_code: ErrorCode = "",
    ) -> dict[str, Any]:
        if status == "cancelled":
            raise Forbidden(
                "A worker cannot cancel a task.",
                allowed="pending, which gives the claim back",
                next="call again with status 'pending'",
            )
        update = Update(
            status=status,
            claim=claim,
            output=output,
            error=error,
            error_code=error_code,
            actor="worker",
        )
        return _to_worker(await done(engine, engine.update_task, update))

    return tool(
        update_task,
        answer=answers.Updated,
        title="Update task",
        description="Call with your claim: in_progress to stay alive, completed with output, "
        "failed, input_required, or pending to give it back.",
        for_worker=True,
    )


#: A worker learns of its own task, and nothing of the others.
_WORKER_SEES = ("task_id", "status", "attempt", "lease_seconds", "error", "repeated")


def _to_worker(answer: dict[str, Any]) -> dict[str, Any]:
    going_on = answer["status"] == "in_progress"
    following = "go on with your task" if going_on else "claim_task for the next one"
    return {name: answer[name] for name in _WORKER_SEES if name in answer} | {"next": following}
