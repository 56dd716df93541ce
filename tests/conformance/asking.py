"""Fixtures that ask the client something: within the call up to 2025-11-25, by rounds after.

The requests to the client are deprecated or gone since, and relaybook makes none of them but
elicitation; the suite wants each older one to have been served.
"""

from collections.abc import Mapping
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    EmptyResult,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    SetLevelRequestParams,
    TextContent,
)

from relaybook.surface.rim import Server
from tests.conformance.contents import FIXTURE

Ctx = Context[None, Any]


def add_asking(server: Server) -> None:
    """Add the tools and the prompt that ask."""
    for tool in (
        test_tool_with_logging,
        test_sampling,
        test_elicitation,
        test_elicitation_sep1034_defaults,
        test_elicitation_sep1330_enums,
        test_missing_capability,
        test_input_required_result_elicitation,
        test_input_required_result_sampling,
        test_input_required_result_list_roots,
        test_input_required_result_request_state,
        test_input_required_result_tampered_state,
        test_input_required_result_multiple_inputs,
        test_input_required_result_multi_round,
        test_input_required_result_capabilities,
    ):
        server.add_tool(tool, description=FIXTURE, structured_output=False)
    server.prompt(description=FIXTURE)(test_input_required_result_prompt)
    low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    low.add_request_handler("logging/setLevel", SetLevelRequestParams, _set_level)


async def _set_level(_: ServerRequestContext[Any, Any], __: SetLevelRequestParams) -> EmptyResult:
    return EmptyResult()


async def test_tool_with_logging(ctx: Ctx) -> str:
    for text in ("started", "processing data", "completed"):
        await ctx.info(f"Tool execution {text}")  # pyright: ignore[reportDeprecated]
        await anyio.sleep(0.05)
    return "done"


async def test_sampling(prompt: str, ctx: Ctx) -> str:
    answer = await ctx.session.create_message(  # pyright: ignore[reportDeprecated]
        [_said(prompt)], max_tokens=100, related_request_id=ctx.request_id
    )
    assert isinstance(answer.content, TextContent)
    return f"LLM response: {answer.content.text}"


async def test_elicitation(message: str, ctx: Ctx) -> str:
    texts = {"type": "string"}
    return await _elicit(ctx, message, {"username": texts, "email": texts})


async def test_elicitation_sep1034_defaults(ctx: Ctx) -> str:
    return await _elicit(
        ctx,
        "Please provide user information",
        {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {
                "type": "string",
                "enum": ["active", "inactive", "pending"],
                "default": "active",
            },
            "verified": {"type": "boolean", "default": True},
        },
    )


async def test_elicitation_sep1330_enums(ctx: Ctx) -> str:
    plain = {"type": "string", "enum": ["option1", "option2", "option3"]}
    titled = [{"const": f"value{n}", "title": f"Option {n}"} for n in (1, 2, 3)]
    return await _elicit(
        ctx,
        "Please select",
        {
            "untitledSingle": plain,
            "titledSingle": {"type": "string", "oneOf": titled},
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {"type": "array", "items": plain},
            "titledMulti": {"type": "array", "items": {"anyOf": titled}},
        },
    )


async def _elicit(ctx: Ctx, message: str, fields: Mapping[str, Any]) -> str:
    answer = await ctx.session.elicit_form(message, _form(fields), ctx.request_id)
    return f"User response: action={answer.action}, content={answer.content}"


async def test_missing_capability() -> str:
    raise MCPError(
        MISSING_REQUIRED_CLIENT_CAPABILITY,
        "This needs sampling.",
        {"requiredCapabilities": {"sampling": {}}},
    )


async def test_input_required_result_elicitation(ctx: Ctx) -> str | InputRequiredResult:
    answers = _answers(ctx, "user_name")
    if answers is None:
        return _ask(user_name=_question("What is your name?", name="string"))
    return f"Hello, {answers['user_name'].content['name']}!"


async def test_input_required_result_sampling(ctx: Ctx) -> str | InputRequiredResult:
    answers = _answers(ctx, "capital_question")
    if answers is None:
        return _ask(capital_question=_sample("What is the capital of France?"))
    return str(answers["capital_question"].content)


async def test_input_required_result_list_roots(ctx: Ctx) -> str | InputRequiredResult:
    answers = _answers(ctx, "client_roots")
    return _ask(client_roots=ListRootsRequest()) if answers is None else _roots(answers)


async def test_input_required_result_request_state(ctx: Ctx) -> str | InputRequiredResult:
    if _answers(ctx, "confirm") is None or ctx.request_state != "asked":
        return _ask("asked", confirm=_question("Please confirm", ok="boolean"))
    return "state-ok"


async def test_input_required_result_tampered_state(ctx: Ctx) -> str | InputRequiredResult:
    return await test_input_required_result_request_state(ctx)


async def test_input_required_result_multiple_inputs(ctx: Ctx) -> str | InputRequiredResult:
    answers = _answers(ctx, "user_name", "greeting", "client_roots")
    if answers is None:
        return _ask(
            "asked",
            user_name=_question("What is your name?", name="string"),
            greeting=_sample("Generate a greeting"),
            client_roots=ListRootsRequest(),
        )
    return _roots(answers)


async def test_input_required_result_multi_round(ctx: Ctx) -> str | InputRequiredResult:
    if ctx.request_state == "1" and _answers(ctx, "step1") is not None:
        return _ask("2", step2=_question("Step 2: What is your favorite color?", color="string"))
    if ctx.request_state == "2" and _answers(ctx, "step2") is not None:
        return "both steps are done"
    return _ask("1", step1=_question("Step 1: What is your name?", name="string"))


async def test_input_required_result_capabilities(ctx: Ctx) -> str | InputRequiredResult:
    able = ctx.client_capabilities
    asked: dict[str, Any] = {}
    if able is not None and able.sampling is not None:
        asked["capital_question"] = _sample("What is the capital of France?")
    if able is not None and able.elicitation is not None:
        asked["user_name"] = _question("What is your name?", name="string")
    return "nothing to ask" if ctx.input_responses else _ask(**asked)


async def test_input_required_result_prompt(
    ctx: Ctx,
) -> list[UserMessage] | InputRequiredResult:
    answers = _answers(ctx, "user_context")
    if answers is None:
        return _ask(user_context=_question("What context?", context="string"))
    return [UserMessage(f"Use {answers['user_context'].content['context']}.")]


def _answers(ctx: Ctx, *names: str) -> Mapping[str, Any] | None:
    """What the client answered, if it answered all of `names`."""
    given: Mapping[str, Any] = ctx.input_responses or {}
    return given if all(name in given for name in names) else None


def _ask(state: str | None = None, /, **requests: Any) -> InputRequiredResult:
    return InputRequiredResult(input_requests=requests, request_state=state)


def _question(message: str, /, **types: str) -> ElicitRequest:
    fields = {name: {"type": kind} for name, kind in types.items()}
    params = ElicitRequestFormParams(message=message, requested_schema=_form(fields))
    return ElicitRequest(params=params)


def _form(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(fields), "required": list(fields)}


def _sample(text: str) -> CreateMessageRequest:
    params = CreateMessageRequestParams(messages=[_said(text)], max_tokens=100)
    return CreateMessageRequest(params=params)


def _said(text: str) -> SamplingMessage:
    return SamplingMessage(role="user", content=TextContent(type="text", text=text))


def _roots(answers: Mapping[str, Any]) -> str:
    return ", ".join(str(root.uri) for root in answers["client_roots"].roots)
