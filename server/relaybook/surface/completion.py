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
        if isinstance(ref, PromptReference):
            uri, variable = PROMPT_ARGUMENTS.get((ref.name, argument.name), ("", ""))
        else:
            uri, variable = ref.uri, argument.name
        chosen = (context.arguments if context else None) or {}
        found = engine.complete(uri, variable, argument.value, chosen, role=role)
        return Completion(
            values=list(found.values),
            total=found.total,
            has_more=found.total > len(found.values),
        )
