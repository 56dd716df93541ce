"""Tool calls that need nothing of their session, answered without the SDK between.

A third of what a small call over a pipe costs are the tasks, streams and models that the SDK
makes for each message. It still answers the first call of a connection, and what it says around
that answer is said again around the next ones, so that its word on eras, versions and handshakes
stays the only one. A call that is not like that one in all but its name, id and arguments is the
SDK's too.
"""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup
from mcp.shared.message import SessionMessage
from mcp_types import CallToolResult, JSONRPCRequest, JSONRPCResponse, RequestId, TextContent

from relaybook.core.text import compact
from relaybook.errors import Refusal
from relaybook.surface.commits import together
from relaybook.surface.pipe import PipeReader, PipeWriter, Source, Stream, Streams
from relaybook.surface.rim import Server, refused
from relaybook.surface.tracing import is_traced

logger = logging.getLogger(__name__)

#: What the protocol itself says in `_meta`; the rest is between hosts and servers.
PROTOCOL = "io.modelcontextprotocol/"
CALL = frozenset({"name", "arguments", "_meta"})
#: What a tool says; what else is in a result says the SDK.
SAID = frozenset({"content", "structuredContent", "isError"})
#: How many calls that the SDK has not answered are remembered.
ASKED = 64

Json = Mapping[str, Any]


class Direct:
    """Which calls may be answered directly, and their answers."""

    def __init__(self, server: Server) -> None:
        self._server = server
        # A span for each message is the SDK's to open.
        self._tools = frozenset[str]() if is_traced() else server.sessionless
        #: By id: what calls that the SDK answers say around their arguments.
        self._asked: dict[RequestId, Json] = {}
        #: What the last call that it answered said, and what it said around the answer.
        self._around: tuple[Json, Json] | None = None

    def takes(self, item: SessionMessage | Exception) -> JSONRPCRequest | None:
        """The call that `item` is, if it may be answered here."""
        if isinstance(item, Exception) or not isinstance(item.message, JSONRPCRequest):
            return None
        request, params = item.message, item.message.params or {}
        if request.method != "tools/call":
            return None
        around = _around(params)
        if (
            self._around is not None
            and self._around[0] == around
            and params.get("name") in self._tools
            and isinstance(params.get("arguments", {}), dict)
        ):
            return request
        if len(self._asked) < ASKED:
            self._asked[request.id] = around
        return None

    def learn(self, item: SessionMessage) -> None:
        """See what the SDK says around an answer of a tool."""
        message = item.message
        if not self._asked or not isinstance(message, JSONRPCResponse):
            return
        asked = self._asked.pop(message.id, None)
        if asked is not None and "content" in message.result:
            rest = {name: value for name, value in message.result.items() if name not in SAID}
            self._around = asked, rest

    async def answers(self, requests: Sequence[JSONRPCRequest]) -> bytes:
        """The answers to calls that came together, a line each, once they are committed."""
        try:
            results = await together([partial(self._call, request) for request in requests])
        except Refusal as fault:
            results = [refused(fault)] * len(requests)
        return b"".join(map(self._line, requests, results))

    async def _call(self, request: JSONRPCRequest) -> CallToolResult:
        params = request.params or {}
        try:
            result = await self._server.call_tool(params["name"], params.get("arguments", {}))
        except Exception as error:  # as the SDK tells it: generic text, the traceback to the log
            logger.exception("Tool %r raised an unexpected exception", params["name"])
            result = CallToolResult(content=[TextContent(text=str(error))], is_error=True)
        assert isinstance(result, CallToolResult)
        return result

    def _line(self, request: JSONRPCRequest, result: CallToolResult) -> bytes:
        texts = [part.text for part in result.content if isinstance(part, TextContent)]
        said: dict[str, Any] = {
            "content": [{"type": "text", "text": text} for text in texts],
            "isError": result.is_error,
        }
        if result.structured_content is not None:
            said["structuredContent"] = result.structured_content
        if self._around is not None:
            said |= self._around[1]
        return compact({"jsonrpc": "2.0", "id": request.id, "result": said}).encode() + b"\n"


def _around(params: Json) -> Json:
    """What a call says besides the tool's name and its arguments."""
    meta = params.get("_meta")
    around = {name: value for name, value in params.items() if name not in CALL}
    if isinstance(meta, dict):
        around |= {name: value for name, value in meta.items() if name.startswith(PROTOCOL)}
    return around


@asynccontextmanager
async def shortened(streams: Streams, direct: Direct) -> AsyncGenerator[Streams]:
    """`streams` as the SDK is to see them: without the calls that are answered here."""
    source, sink = streams
    if not (isinstance(source, PipeReader) and isinstance(sink, PipeWriter)):
        yield streams
        return
    async with anyio.create_task_group() as tasks:
        yield _Source(source, sink, direct, tasks), _Sink(sink, direct)


class _Source(Source):
    def __init__(
        self, source: PipeReader, sink: PipeWriter, direct: Direct, tasks: TaskGroup
    ) -> None:
        self._source = source
        self._sink = sink
        self._direct = direct
        self._tasks = tasks

    async def receive(self) -> SessionMessage | Exception:
        calls: list[JSONRPCRequest] = []
        while True:
            item = await self._source.receive()
            call = self._direct.takes(item)
            if call is not None:
                calls.append(call)
            if calls and (call is None or not self._source.at_hand):
                self._send(await self._direct.answers(calls))
                calls = []
            if call is None:
                return item

    def _send(self, lines: bytes) -> None:
        """Send `lines` without waiting for a client that does not read before it has sent all."""
        try:
            if self._sink.send_now(lines):
                self._tasks.start_soon(self._finish)
        except anyio.BrokenResourceError:
            logger.debug("dropped %d bytes: nobody reads", len(lines))

    async def _finish(self) -> None:
        try:
            await self._sink.finish()
        except anyio.BrokenResourceError:
            logger.debug("dropped what was left: nobody reads")


class _Sink(Stream):
    def __init__(self, sink: PipeWriter, direct: Direct) -> None:
        self._sink = sink
        self._direct = direct

    async def send(self, item: SessionMessage, /) -> None:
        self._direct.learn(item)
        await self._sink.send(item)
