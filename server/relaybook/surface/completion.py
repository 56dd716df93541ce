"""Completion: what fits what the user has typed, for resource templates and for prompts."""

from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from relaybook.engine import Engine
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
        if not isinstance(ref, PromptReference):
            found = engine.complete(ref.uri, argument.name, argument.value, chosen, role=role)
        elif (ref.name, argument.name) in PROMPT_ARGUMENTS:
            uri, variable = PROMPT_ARGUMENTS[ref.name, argument.name]
            found = engine.complete(uri, variable, argument.value, chosen, role=role)
        else:
            found = engine.complete_argument(ref.name, argument.name, argument.value, role=role)
        return Completion(
            values=list(found.values),
            total=found.total,
            has_more=found.total > len(found.values),
        )
