"""Each composition as an MCP prompt: what a user picks to start a known kind of work."""

from typing import Any

from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    GetPromptResult,
    InputRequiredResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from relaybook.core.text import compact
from relaybook.errors import InvalidComposition, Refusal
from relaybook.registry.composition import Composition
from relaybook.surface.resources import ResourceServer
from relaybook.surface.rim import check_prompt_arguments

OPENING = """\
{description}

1. `create_workflow` with composition={name!r} and args={args}. Take each argument that is missing \
or names a file from what you know or can read; workers cannot.
2. Go on by the `next` of each answer. `aggregate` at the end, and write the result yourself.
"""


class PromptServer(ResourceServer):
    """Lists the compositions as they lie in their folders now; reads none before it is asked."""

    async def list_prompts(self) -> list[Prompt]:
        return [*await super().list_prompts(), *map(_prompt, self._compositions())]

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[None, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        if self._role == "worker" or name not in self._engine.compositions.names():
            return await super().get_prompt(name, arguments, context)
        try:
            composition = self._engine.compositions.get(name)
        except Refusal as refusal:
            raise MCPError(INVALID_PARAMS, f"{refusal.code}: {refusal}") from refusal
        check_prompt_arguments(_prompt(composition), arguments or {})
        return _opened(composition, arguments or {})

    def _compositions(self) -> list[Composition]:
        """Those that can be used; what is wrong with the others is told when they are named."""
        found: list[Composition] = []
        for name in self._engine.compositions.names() if self._role != "worker" else ():
            try:
                found.append(self._engine.compositions.get(name))
            except InvalidComposition:
                continue
        return found


def _prompt(composition: Composition) -> Prompt:
    return Prompt(
        name=composition.name,
        title=composition.name.replace("_", " ").capitalize(),
        description=composition.description,
        arguments=[
            PromptArgument(name=each.name, description=each.description, required=each.required)
            for each in composition.params
        ],
    )


def _opened(composition: Composition, arguments: dict[str, Any]) -> GetPromptResult:
    text = OPENING.format(
        description=composition.description, name=composition.name, args=compact(arguments)
    )
    for title, lines in (("Done when", composition.acceptance), ("Result", (composition.brief,))):
        if any(lines):
            text += f"\n{title}:\n" + "".join(f"- {line}\n" for line in lines)
    message = PromptMessage(role="user", content=TextContent(type="text", text=text))
    return GetPromptResult(description=composition.description, messages=[message])
