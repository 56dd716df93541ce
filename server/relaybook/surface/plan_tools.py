"""The tools that make and change a plan."""

from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from relaybook.core.policy import DEFAULT_WIDTH, PROMPT_WORDS
from relaybook.engine import Engine
from relaybook.surface import answers
from relaybook.surface.arguments import (
    Added,
    FactsArgument,
    Hooks,
    Items,
    PatternName,
    RequestId,
    Stages,
    Tasks,
    Text,
    Width,
)
from relaybook.surface.board import SHOWS_BOARD
from relaybook.surface.done import done, done_aside
from relaybook.surface.rim import tool

#: From how many tasks and items on a plan takes long enough to hold up other calls.
LARGE = 200


def plan_tool(engine: Engine) -> Tool:
    async def plan(
        facts: FactsArgument,
        items: Items = [],  # noqa: B006
        batches: int | None = None,
        template: Text = "",
        words: Annotated[int, Field(ge=1, description="per prompt")] = PROMPT_WORDS,
        other_workers: Annotated[list[int], Field(max_length=10)] = [],  # noqa: B006
        other_words: Annotated[list[int], Field(max_length=10)] = [],  # noqa: B006
        order: Annotated[Text, Field(description="specific or playbook")] = "specific",
    ) -> dict[str, Any]:
        return await done(
            engine,
            engine.plan,
            facts,
            order=order or "specific",
            items=items,
            batches=batches,
            template=template,
            words=words,
            other_workers=other_workers,
            other_words=other_words,
        )

    return tool(
        plan,
        answer=answers.Planned,
        title="Plan",
        description="Call first, before any workflow: says which pattern fits, or inline, why, "
        "the runner-up, batches, waves and prompt cost. Writes nothing.",
        read_only=True,
    )


def create_workflow_tool(engine: Engine) -> Tool:
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
        request_id: Annotated[RequestId, Field(description="makes a repeat harmless")] = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        large = len(tasks) + len(items) > LARGE
        return await (done_aside if large else done)(
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
        lasts=True,
        meta=SHOWS_BOARD,
    )


def change_plan_tool(engine: Engine) -> Tool:
    async def change_plan(
        workflow_id: str,
        add: Added = [],  # noqa: B006
        replaces: Annotated[list[str], Field(description="task ids whose place they take")] = [],  # noqa: B006
        reason: Text = "",
        if_seq: Annotated[int | None, Field(description="refuse if the plan changed since")] = None,
    ) -> dict[str, Any]:
        return await done(
            engine,
            engine.change_plan,
            workflow_id,
            add=add,
            replaces=replaces,
            reason=reason,
            if_seq=if_seq,
        )

    return tool(
        change_plan,
        answer=answers.Changed,
        title="Change plan",
        description="Call to add tasks to a workflow that goes on, or to replace ones that did "
        "not work.",
        idempotent=False,
    )
