"""Where verbs meet the SDK: strict arguments in, compact answers and refusals out."""

import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolResult,
    GetPromptResult,
    InputRequiredResult,
    Prompt,
    TextContent,
    ToolAnnotations,
)
from pydantic import ValidationError

from relaybook.core.text import compact
from relaybook.errors import Refusal, UnknownTool, nearest
from relaybook.surface.argument_faults import FAULTS_SHOWN, bad_arguments
from relaybook.surface.commits import committed
from relaybook.surface.shape import schema_of
from relaybook.surface.slim import slim
from relaybook.surface.tracing import note_ids
from relaybook.surface.worker_words import to_worker

Verb = Callable[..., Coroutine[Any, Any, dict[str, Any]]]
Observe = Callable[[str, str, float], None]


class VerbTool(Tool):
    """A tool that answers with one text, and the same as data."""

    #: Whether a call may take long: others are not to wait for it.
    lasts: bool = False


def tool(
    verb: Verb,
    *,
    answer: type,
    title: str,
    description: str,
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = True,
    lasts: bool = False,
    meta: Mapping[str, Any] | None = None,
    for_worker: bool = False,
) -> Tool:
    """`verb` as a tool: unknown arguments refused, its answer sent once as text and once as data.

    `answer` is a TypedDict that describes what `verb` answers; `meta` is for hosts. Refusals are
    told in the words for an orchestrator, or `for_worker`.
    """
    annotations = ToolAnnotations(
        title=title,
        read_only_hint=read_only,
        destructive_hint=destructive,
        idempotent_hint=idempotent,
        open_world_hint=False,
    )
    made = VerbTool.from_function(
        _answering(verb, for_worker=for_worker),
        title=title,
        description=description,
        annotations=annotations,
        structured_output=False,
        meta=dict(meta) if meta else None,
    )
    arguments = made.fn_metadata.arg_model
    arguments.model_config["extra"] = "forbid"
    arguments.model_rebuild(force=True)
    # The SDK does not hold an answer against a schema that it did not make; clients and tests do.
    metadata = made.fn_metadata.model_copy(update={"output_schema": schema_of(answer)})
    schema = {"additionalProperties": False, **slim(made.parameters)}
    update = {"parameters": schema, "fn_metadata": metadata, "lasts": lasts}
    return made.model_copy(update=update)


def _answering(verb: Verb, *, for_worker: bool) -> Callable[..., Awaitable[CallToolResult]]:
    @functools.wraps(verb)
    async def call(**arguments: Any) -> CallToolResult:
        try:
            return _result(await committed(lambda: verb(**arguments)))
        except Refusal as refusal:
            return refused(to_worker(refusal) if for_worker else refusal)

    call.__annotations__ = {**verb.__annotations__, "return": CallToolResult}
    return call


class VerbResult(CallToolResult):
    """What a verb answered: data, and as its one text the JSON of the same."""


def _result(said: dict[str, Any]) -> VerbResult:
    text = TextContent(type="text", text=compact(said))
    return VerbResult(content=[text], structured_content=said)


def refused(refusal: Refusal) -> CallToolResult:
    """A refusal as a tool's answer: a line of text, and the same as data."""
    text = TextContent(type="text", text=f"{refusal.code}: {refusal}")
    return CallToolResult(
        content=[text], structured_content={"error": refusal.as_dict()}, is_error=True
    )


class Server(MCPServer[None]):
    """An MCP server whose argument errors are as short and exact as its refusals."""

    #: Told of each call: the tool, whether it was ok, refused or failed, and its seconds.
    observe: Observe | None = None

    @property
    def brief(self) -> frozenset[str]:
        """The names of our tools that never last, and say nothing to their client meanwhile."""
        tools = [each for each in self._tool_manager.list_tools() if isinstance(each, VerbTool)]
        return frozenset(
            tool.name
            for tool in tools
            if not (tool.lasts or tool.context_kwarg or tool.resolved_params)
        )

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any],
        context: Context[None, Any] | None = None,
    ) -> CallToolResult | InputRequiredResult:
        began, how = anyio.current_time(), "failed"
        try:
            result = await self._call(name, arguments, context)
            how = "refused" if isinstance(result, CallToolResult) and result.is_error else "ok"
        finally:
            if self.observe is not None:
                self.observe(name, how, anyio.current_time() - began)
        told = result.structured_content if isinstance(result, CallToolResult) else None
        note_ids(arguments, told)
        return result

    async def _call(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None
    ) -> CallToolResult | InputRequiredResult:
        try:
            return await super().call_tool(name, arguments, context)
        except UnexpectedToolError:
            raise  # a bug: generic text to the caller, the traceback to the log
        except ToolError as error:
            known = {tool.name: tool for tool in await self.list_tools()}
            if name not in known:
                return refused(_unknown_tool(name, list(known)))
            if isinstance(error.__cause__, ValidationError):
                names = list(known[name].input_schema.get("properties", {}))
                return refused(bad_arguments(name, names, error.__cause__))
            raise

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[None, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        known = {prompt.name: prompt for prompt in await self.list_prompts()}
        if name not in known:
            allowed = nearest(name, list(known))
            raise MCPError(INVALID_PARAMS, f"There is no prompt {name[:80]!r}. Allowed: {allowed}.")
        check_prompt_arguments(known[name], arguments or {})
        return await super().get_prompt(name, arguments, context)


def check_prompt_arguments(prompt: Prompt, given: Mapping[str, Any]) -> None:
    """Refuse a call that lacks an argument or has one too many; the SDK would not say which."""
    arguments = prompt.arguments or []
    names = [each.name for each in arguments]
    missing = [each.name for each in arguments if each.required and not given.get(each.name)]
    unknown = [name[:80] for name in given if name not in names][:FAULTS_SHOWN]
    faults = [f"argument {name!r} is missing" for name in missing]
    faults += [f"unknown argument {name!r}" for name in unknown]
    if faults:
        allowed = ", ".join(names)
        raise MCPError(INVALID_PARAMS, f"{prompt.name}: {'; '.join(faults)}. Allowed: {allowed}.")


def _unknown_tool(name: str, known: Sequence[str]) -> UnknownTool:
    return UnknownTool(
        f"There is no tool {name[:80]!r} for this role.",
        allowed=", ".join(known),
        next="call one of these",
    )
