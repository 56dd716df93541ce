"""The tools, by role. Each body is a line or two; the verbs are the engine's."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from relaybook.core.policy import DEFAULT_WIDTH
from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import Forbidden, InvalidArguments
from relaybook.surface import answers
from relaybook.surface.arguments import (
    ErrorCode,
    Hooks,
    Items,
    PatternName,
    Stages,
    Tasks,
    TaskStatus,
    Text,
    Width,
)
from relaybook.surface.board import SHOWS_BOARD
from relaybook.surface.decide_tools import (
    cleanup_tool,
    record_tool,
    resolve_tool,
    worker_record_tool,
)
from relaybook.surface.done import done, done_aside
from relaybook.surface.plan_tools import change_plan_tool, plan_tool
from relaybook.surface.read_tools import read_tool, worker_read_tool
from relaybook.surface.rim import tool
from relaybook.surface.stage_tools import advance_stage_tool, find_skills_tool
from relaybook.surface.waiting import WAIT_LIMIT_SECONDS, wait_for_change
from relaybook.surface.wakes import Wakes


def tools_for(engine: Engine, role: str, wakes: Wakes | None = None) -> list[Tool]:
    """The tools of `role`, in the order in which they are listed.

    Calls that wait for a change are woken by `wakes`; without, they look now and then.
    """
    if role == "worker":
        return [
            _claim_task(engine),
            _worker_update(engine),
            worker_record_tool(engine),
            worker_read_tool(engine),
        ]
    tools = [
        plan_tool(engine),
        _create_workflow(engine),
        change_plan_tool(engine),
        _render_prompt(engine),
        _update_task(engine),
        record_tool(engine),
        advance_stage_tool(engine),
        _get_workflow(engine, wakes or Wakes(engine.store)),
        _aggregate(engine),
        resolve_tool(engine),
        find_skills_tool(engine),
        cleanup_tool(engine),
        read_tool(engine),
    ]
    return [*tools, _claim_task(engine)] if role == "all" else tools


def _create_workflow(engine: Engine) -> Tool:
    async def create_workflow(
        pattern: PatternName = "",
        name: Text = "",
        composition: Annotated[Text, Field(description="a plan by name, with args")] = "",
        tasks: Tasks = [],  # noqa: B006
        stages: Stages = [],  # noqa: B006
        hooks: Hooks = None,
        items: Items = [],  # noqa: B006
        batches: Annotated[int | None, Field(description="partitions of items")] = None,
        template: Annotated[Text, Field(description="of the partitions")] = "",
        args: Annotated[dict[str, Any], Field(description="for template or composition")] = {},  # noqa: B006
        project: Text = "",
        max_parallel: Width = DEFAULT_WIDTH,
        override: Annotated[Text, Field(description="why more at once")] = "",
        shared_decisions: Annotated[
            list[str], Field(max_length=20, description="for every prompt")
        ] = [],  # noqa: B006
        metadata: Annotated[
            dict[str, Any], Field(description="audience, weights, quorum too")
        ] = {},  # noqa: B006
        request_id: Annotated[Text, Field(description="makes a repeat harmless")] = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        return await done(
            engine,
            engine.create_workflow,
            pattern,
            name,
            composition=composition,
            tasks=tasks,
            stages=stages,
            hooks=hooks,
            items=items,
            batches=batches,
            template=template,
            args=args,
            project=project or engine.home,
            max_parallel=max_parallel,
            override=override,
            shared_decisions=shared_decisions,
            metadata=metadata,
            request_id=request_id or None,
            dry_run=dry_run,
        )

    return tool(
        create_workflow,
        answer=answers.Created,
        title="Create workflow",
        description="Call once per plan, before any worker starts: registers tasks, "
        "stages, items to partition, or a composition; answers workflow_id.",
        idempotent=False,
        meta=SHOWS_BOARD,
    )


def _render_prompt(engine: Engine) -> Tool:
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


def _update_task(engine: Engine) -> Tool:
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


#: The members that one of several updates may have.
_UPDATE_FIELDS = (
    "task_id", "status", "session_key", "output", "error", "error_code", "claim", "override",
)  # fmt: skip


def _update(workflow_id: str, said: dict[str, Any]) -> Update:
    unknown = [name for name in said if name not in (*_UPDATE_FIELDS, "workflow_id", "accept_raw")]
    if unknown or not all(isinstance(said.get(name, ""), str) for name in _UPDATE_FIELDS):
        raise _bad_update(unknown)
    texts = {name: said.get(name, "") for name in _UPDATE_FIELDS}
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


def _worker_update(engine: Engine) -> Tool:
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
    )


#: A worker learns of its own task, and nothing of the others.
_WORKER_SEES = ("task_id", "status", "attempt", "lease_seconds", "error", "repeated")


def _to_worker(answer: dict[str, Any]) -> dict[str, Any]:
    going_on = answer["status"] == "in_progress"
    following = "go on with your task" if going_on else "claim_task for the next one"
    return {name: answer[name] for name in _WORKER_SEES if name in answer} | {"next": following}


def _claim_task(engine: Engine) -> Tool:
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
    )


def _get_workflow(engine: Engine, wakes: Wakes) -> Tool:
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


def _aggregate(engine: Engine) -> Tool:
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
