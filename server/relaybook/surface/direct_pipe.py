"""The streams of a pipe without the calls that are answered directly."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio
from anyio.abc import TaskGroup
from mcp.shared.message import SessionMessage
from mcp_types import CallToolResult, JSONRPCError, JSONRPCRequest, JSONRPCResponse, RequestId

from relaybook.errors import Refusal, StoreBusy
from relaybook.surface.commits import together
from relaybook.surface.direct import Around, Direct, answer, kind_of
from relaybook.surface.lines import NotUnderstood
from relaybook.surface.pipe import PipeReader, PipeWriter, Source, Stream, Streams
from relaybook.surface.rim import refused

logger = logging.getLogger(__name__)

#: A call, and what is said around its answer.
Call = tuple[JSONRPCRequest, Around]

#: How many calls share a commit: other processes wait for it.
BATCH = 64
#: How many calls that the SDK has not answered are remembered.
ASKED = 64


@asynccontextmanager
async def without_direct(streams: Streams, direct: Direct) -> AsyncGenerator[Streams]:
    """`streams` as the SDK is to see them."""
    source, sink = streams
    if not (isinstance(source, PipeReader) and isinstance(sink, PipeWriter)):
        yield streams
        return
    async with anyio.create_task_group() as tasks:
        asked: dict[RequestId, str] = {}
        yield _Source(source, sink, direct, asked, tasks), _Sink(sink, direct, asked)


class _Source(Source):
    """What comes in; calls that are read together are answered after one commit."""

    def __init__(
        self,
        source: PipeReader,
        sink: PipeWriter,
        direct: Direct,
        asked: dict[RequestId, str],
        tasks: TaskGroup,
    ) -> None:
        self._source = source
        self._sink = sink
        self._direct = direct
        #: By id: the kinds of the calls that the SDK is to answer.
        self._asked = asked
        self._tasks = tasks

    async def receive(self) -> SessionMessage | Exception:
        calls: list[Call] = []
        while True:
            item = await self._source.receive()
            call = self._taken(item)
            is_ours = call is not None or isinstance(item, NotUnderstood)
            if call is not None:
                calls.append(call)
            elif isinstance(item, NotUnderstood):
                self._send(f"{item.answer.model_dump_json(exclude_unset=True)}\n".encode())
            if calls and not (is_ours and self._source.at_hand and len(calls) < BATCH):
                await self._answer(calls)
                calls = []
            if not is_ours:
                return item

    def _taken(self, item: SessionMessage | Exception) -> Call | None:
        """The call that `item` is, if it is answered here."""
        if isinstance(item, Exception) or not isinstance(item.message, JSONRPCRequest):
            return None
        request = item.message
        kind = kind_of(request)
        if kind is None:
            return None
        around = self._direct.takes(request, kind)
        if around is not None:
            return request, around
        if len(self._asked) == ASKED:  # as cancelled calls have no answer
            self._asked.clear()
        self._asked[request.id] = kind
        return None

    async def _answer(self, calls: Sequence[Call]) -> None:
        """Answer the calls after one commit; those that meet a lock wait, and nobody with them."""
        try:
            results = await together([partial(self._direct.call, request) for request, _ in calls])
        except Refusal as fault:
            results = [refused(fault)] * len(calls)
        lines: list[bytes] = []
        for call, result in zip(calls, results, strict=True):
            if _is_busy(result):
                self._tasks.start_soon(self._answer_late, call)
            else:
                lines.append(_line(call, result))
        self._send(b"".join(lines))

    async def _answer_late(self, call: Call) -> None:
        self._send(_line(call, await self._direct.call(call[0])))

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


def _line(call: Call, result: CallToolResult) -> bytes:
    return answer(*call, result) + b"\n"


def _is_busy(result: CallToolResult) -> bool:
    """Whether another process held the lock of the ledger."""
    error = (result.structured_content or {}).get("error")
    return result.is_error and isinstance(error, dict) and error.get("code") == StoreBusy.code


class _Sink(Stream):
    """What the SDK sends, which tells how it answers calls."""

    def __init__(self, sink: PipeWriter, direct: Direct, asked: dict[RequestId, str]) -> None:
        self._sink = sink
        self._direct = direct
        self._asked = asked

    async def send(self, item: SessionMessage, /) -> None:
        message = item.message
        if isinstance(message, JSONRPCResponse):
            kind = self._asked.pop(message.id, None)
            if kind is not None:
                self._direct.learn(kind, message.result)
        elif isinstance(message, JSONRPCError) and message.id is not None:
            self._asked.pop(message.id, None)
        await self._sink.send(item)
