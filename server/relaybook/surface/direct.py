"""Tool calls that need nothing of their session, answered without the SDK between.

Half of what a small call costs are the tasks, streams and models that the SDK makes for each
message. It still answers the first call of a kind, and what it says around that answer is said
again around the next ones, so that its word on eras, versions and handshakes stays the only one.
Calls are of a kind if they are the same but for id, tool and arguments.
"""

import logging
from collections.abc import Mapping
from typing import Any

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, JSONRPCRequest, TextContent

from relaybook.core.text import compact
from relaybook.surface.rim import Server, VerbResult
from relaybook.surface.tracing import is_traced

logger = logging.getLogger(__name__)

#: What the protocol itself says in `_meta`; the rest is between hosts and servers.
PROTOCOL = "io.modelcontextprotocol/"
CALL = frozenset({"name", "arguments", "_meta"})
#: What a tool says; what else is in a result says the SDK.
SAID = frozenset({"content", "structuredContent", "isError"})
#: How many kinds of calls are remembered.
KINDS = 64
#: How long what tells a kind may be, in characters.
LONGEST_KIND = 4_096

#: What the SDK says around the answers to calls of one kind.
Around = dict[str, Any]


def kind_of(request: JSONRPCRequest, **more: Any) -> str | None:
    """What a call says besides its id, its tool and its arguments; None if it is no such call."""
    params = request.params
    if request.method != "tools/call" or params is None:
        return None
    meta = params.get("_meta", {})
    if not isinstance(meta, dict):
        return None
    around = {name: value for name, value in params.items() if name not in CALL}
    around |= {name: value for name, value in meta.items() if name.startswith(PROTOCOL)}
    try:
        kind = repr(around | more)
    except (ValueError, RecursionError):  # numbers or nesting past what Python tells
        return None
    return kind if len(kind) <= LONGEST_KIND else None


class Direct:
    """The calls of one server that may be answered directly."""

    def __init__(self, server: Server, *, in_turn: bool = True) -> None:
        """None is, unless `in_turn`, or if a span is to be opened for each message."""
        self._server = server
        self._tools = server.brief if in_turn and not is_traced() else frozenset[str]()
        #: Of no call: these tools do not look at it, and each call would make its own.
        self._context: Context[None, Any] = Context(mcp_server=server)
        self._around: dict[str, Around] = {}

    def takes(self, request: JSONRPCRequest, kind: str) -> Around | None:
        """What is to be said around the answer to a call of that kind, if it is answered here."""
        params = request.params or {}
        name = params.get("name")
        if not isinstance(name, str) or name not in self._tools:
            return None
        return self._around.get(kind) if isinstance(params.get("arguments", {}), dict) else None

    def learn(self, kind: str, result: Mapping[str, Any]) -> None:
        """See how the SDK answered a call of that kind."""
        if "content" in result:
            if kind not in self._around and len(self._around) == KINDS:
                self._around.clear()
            self._around[kind] = {name: said for name, said in result.items() if name not in SAID}

    async def call(self, request: JSONRPCRequest) -> CallToolResult:
        """What the tool answers."""
        params = request.params or {}
        try:
            arguments = params.get("arguments", {})
            result = await self._server.call_tool(params["name"], arguments, self._context)
        except Exception as error:  # as the SDK tells it: generic text, the traceback to the log
            logger.exception("Tool %r raised an unexpected exception", params["name"])
            result = CallToolResult(content=[TextContent(text=str(error))], is_error=True)
        assert isinstance(result, CallToolResult)
        return result


def answer(request: JSONRPCRequest, around: Around, result: CallToolResult) -> bytes:
    """`result` and what is said around it, as the JSON that answers the call."""
    texts = [part.text for part in result.content if isinstance(part, TextContent)]
    said: dict[str, Any] = {
        **around,
        "content": [{"type": "text", "text": text} for text in texts],
        "isError": result.is_error,
    }
    line = compact({"jsonrpc": "2.0", "id": request.id, "result": said})
    if result.structured_content is None:
        return line.encode()
    # What a verb told is text already, a long prompt as often as not.
    data = texts[0] if isinstance(result, VerbResult) else compact(result.structured_content)
    return f'{line[:-2]},"structuredContent":{data}}}}}'.encode()
