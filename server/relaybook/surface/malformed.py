"""A request whose parameters cannot be is told which, and what is wanted: the SDK says neither."""

from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from pydantic import ValidationError

from relaybook.surface.argument_faults import bad_arguments

#: The lists that are answered whole, so that no cursor to them is ever given.
ONE_PAGE = frozenset({"tools/list", "prompts/list", "resources/list", "resources/templates/list"})


async def tell_malformed(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """A middleware of the SDK.

    Raises:
        MCPError: the parameters are not of the form of the method, or name a cursor to nothing.
    """
    if ctx.method in ONE_PAGE and (ctx.params or {}).get("cursor"):
        raise MCPError(
            INVALID_PARAMS,
            f"{ctx.method} gave no such cursor: it is answered whole. Next: leave out cursor.",
        )
    try:
        return await call_next(ctx)
    except ValidationError as error:
        if any(fault["loc"][:1] != ("params",) for fault in error.errors(include_url=False)):
            raise  # it is not about what was sent
        raise MCPError(INVALID_PARAMS, str(bad_arguments(ctx.method, [], error))) from error
