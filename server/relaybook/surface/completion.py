"""Completion: what fits what the user has typed, for resource templates and for prompts."""

from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from relaybook.engine import Engine
from relaybook.surface.done import done
from relaybook.surface.rim import Server

#: The variable of a resource that an argument of a prompt stands for.
PROMPT_ARGUMENTS = {("recover", "workflow_id"): ("ledger://workflows/{id}", "id")}


def offer_completion(server: Server, engine: Engine, role: str) -> None:
    """Let `server` complete every variable of what `role` may read, and its prompts."""

    @server.completion()
    async def complete(  # pyright: ignore[reportUnusedFunction]  # the decorator keeps it
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        chosen = (context.arguments if context else None) or {}
        name, value = argument.name, argument.value
        if not isinstance(ref, PromptReference):
            found = await done(engine, engine.complete, ref.uri, name, value, chosen, role=role)
        elif (ref.name, name) in PROMPT_ARGUMENTS:
            uri, variable = PROMPT_ARGUMENTS[ref.name, name]
            found = await done(engine, engine.complete, uri, variable, value, chosen, role=role)
        else:
            found = await done(engine, engine.complete_argument, ref.name, name, value, role=role)
        return Completion(
            values=list(found.values),
            total=found.total,
            has_more=found.total > len(found.values),
        )
