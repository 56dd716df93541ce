"""A server's messages over pipes: whole ones in, whole ones out."""

import os
from collections.abc import Generator
from io import FileIO

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification

from relaybook.surface.pipe import PipeReader, PipeWriter

pytestmark = pytest.mark.anyio

Pipe = tuple[FileIO, FileIO]


@pytest.fixture
def pipe() -> Generator[Pipe]:
    """A reading and a writing end."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with FileIO(reading, "rb") as source, FileIO(writing, "wb") as sink:
        yield source, sink


def _message(text: str) -> SessionMessage:
    return SessionMessage(JSONRPCNotification(jsonrpc="2.0", method="note", params={"text": text}))


async def _texts(reader: PipeReader) -> list[str]:
    """The text of each message, in order; of a line that is none, the kind of error."""
    return [_text(item) async for item in reader]


def _text(item: SessionMessage | Exception) -> str:
    if isinstance(item, Exception):
        return type(item).__name__
    assert isinstance(item.message, JSONRPCNotification)
    return (item.message.params or {})["text"]


async def test_what_was_written_is_read_in_order_up_to_the_end(pipe: Pipe) -> None:
    source, sink = pipe
    texts = ["one", "zwölf", "line\nbreak", ""]
    writer = PipeWriter(sink.fileno())
    for text in texts:
        await writer.send(_message(text))
    sink.close()

    assert await _texts(PipeReader(source.fileno())) == texts


async def test_a_line_that_is_no_message_is_an_error_and_the_next_is_read(pipe: Pipe) -> None:
    source, sink = pipe
    sink.write(b"{\n\xff\n")
    await PipeWriter(sink.fileno()).send(_message("after"))
    sink.close()

    found = await _texts(PipeReader(source.fileno()))

    assert found == ["NotUnderstood", "NotUnderstood", "after"]


async def test_a_last_line_without_its_end_is_read(pipe: Pipe) -> None:
    source, sink = pipe
    sink.write(b'{"jsonrpc":"2.0","method":"note","params":{"text":"last"}}')
    sink.close()

    assert await _texts(PipeReader(source.fileno())) == ["last"]


async def test_messages_longer_than_a_pipe_holds_arrive_whole_and_one_by_one(pipe: Pipe) -> None:
    source, sink = pipe
    texts = [letter * 300_000 for letter in "abc"]
    writer = PipeWriter(sink.fileno())
    found: list[str] = []

    async def read() -> None:
        found.extend(await _texts(PipeReader(source.fileno())))

    async with anyio.create_task_group() as readers:
        readers.start_soon(read)
        async with anyio.create_task_group() as writers:
            for text in texts:
                writers.start_soon(writer.send, _message(text))
        sink.close()

    assert found == texts


async def test_a_message_that_was_begun_is_finished_though_its_sender_is_cancelled(
    pipe: Pipe,
) -> None:
    source, sink = pipe
    writer = PipeWriter(sink.fileno())
    found: list[str] = []

    async def read() -> None:
        found.extend(await _texts(PipeReader(source.fileno())))

    async with anyio.create_task_group() as readers:
        async with anyio.create_task_group() as senders:
            senders.start_soon(writer.send, _message("x" * 300_000))
            await anyio.wait_readable(source.fileno())
            senders.cancel_scope.cancel()
            readers.start_soon(read)
        await writer.send(_message("next"))
        sink.close()

    assert found == ["x" * 300_000, "next"]


async def test_a_client_that_is_gone_is_said_to_be_gone(pipe: Pipe) -> None:
    source, sink = pipe
    source.close()

    with pytest.raises(anyio.BrokenResourceError):
        await PipeWriter(sink.fileno()).send(_message("nobody"))
