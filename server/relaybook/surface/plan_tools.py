"""The tools that make and change a plan."""

from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from relaybook.core.policy import PROMPT_WORDS
from relaybook.engine import Engine
from relaybook.surface import answers
from relaybook.surface.arguments import Added, FactsArgument, Items, Text
from relaybook.surface.done import done
from relaybook.surface.rim import tool


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
