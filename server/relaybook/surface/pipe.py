"""Standard input and output as a server's streams, without threads.

The SDK's own transport hands each read, write and flush to a worker thread: 250 of the 530 us
that it needs for a call. A pipe or a socket says by itself when it is ready.
"""

import os
import stat
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage

from relaybook.surface.lines import message_of

#: How much is read at once, in bytes: what a pipe of Linux holds.
CHUNK = 65_536

Streams = tuple[ReadStream[SessionMessage | Exception], WriteStream[SessionMessage]]


@asynccontextmanager
async def standard_streams() -> AsyncGenerator[Streams]:
    """The messages of this process's standard input and output.

    While they are open, what else prints goes to standard error and not between the messages.
    """
    if os.name != "posix" or not (_is_pipe(0) and _is_pipe(1)):
        async with stdio_server() as streams:
            yield streams
        return
    nothing = os.open(os.devnull, os.O_RDONLY)
    source, sink = _moved(0, nothing), _moved(1, 2)
    os.close(nothing)
    os.set_blocking(sink, False)
    try:
        yield PipeReader(source), PipeWriter(sink)
    finally:
        os.set_blocking(sink, True)
        os.dup2(source, 0)
        os.dup2(sink, 1)
        os.close(source)
        os.close(sink)


def _is_pipe(fd: int) -> bool:
    """Only these can be waited for: a file is always ready, and a terminal has echoes."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _moved(fd: int, stand_in: int) -> int:
    """Another descriptor for what `fd` is; `fd` itself becomes what `stand_in` is."""
    moved = os.dup(fd)
    os.dup2(stand_in, fd)
    return moved


class Stream:
    """Either direction; what it reads or writes stays open, for it belongs to others."""

    async def aclose(self) -> None:
        """Nothing to do: a stream buffers nothing that could be lost."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()


class Source(Stream, ABC):
    """A stream of messages that come in, to be iterated over."""

    @abstractmethod
    async def receive(self) -> SessionMessage | Exception:
        """The next message.

        Raises:
            anyio.EndOfStream: there will be none.
        """

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None


class PipeReader(Source):
    """The messages that come in, one a line; a line that is none is its exception."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines: deque[bytes] = deque()
        #: The pieces of a line whose end is still to come.
        self._begun: list[bytes] = []

    @property
    def at_hand(self) -> bool:
        """Whether a message has been read that is still to be received."""
        return bool(self._lines)

    async def receive(self) -> SessionMessage | Exception:
        while not self._lines:
            await anyio.wait_readable(self._fd)
            self._read()
        return message_of(self._lines.popleft().decode(errors="replace"))

    def _read(self) -> None:
        chunk = os.read(self._fd, CHUNK)
        if not chunk and not self._begun:
            raise anyio.EndOfStream
        whole, newline, rest = chunk.rpartition(b"\n")
        if newline or not chunk:  # the end of the stream ends the last line too
            lines = b"".join([*self._begun, whole]).split(b"\n")
            self._lines.extend(line for line in lines if not line.isspace() and line)
            self._begun = [rest] if rest else []
        else:
            self._begun.append(rest)


class PipeWriter(Stream):
    """The messages that go out, one a line."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._turn = anyio.Lock(fast_acquire=True)
        #: What is still to be written, in order.
        self._left = bytearray()

    async def send(self, item: SessionMessage, /) -> None:
        """Write a message; what was begun is finished even if the caller is cancelled.

        Raises:
            anyio.BrokenResourceError: nobody reads any more.
        """
        text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
        if self.send_now(f"{text}\n".encode()):
            await self.finish()

    def send_now(self, lines: bytes) -> bool:
        """Write whole lines as far as the pipe takes them; whether `finish` has to write the rest.

        Raises:
            anyio.BrokenResourceError: nobody reads any more.
        """
        self._left += lines
        if self._turn.locked():
            return False  # who has the turn writes them too
        self._write()
        return bool(self._left)

    async def finish(self) -> None:
        """Write what is left, as `send` does."""
        async with self._turn:
            with anyio.CancelScope(shield=True):
                while self._left:
                    if not self._write():
                        await anyio.wait_writable(self._fd)

    def _write(self) -> bool:
        """Whether the pipe took anything."""
        try:
            written = os.write(self._fd, self._left)
        except BlockingIOError:
            return False
        except OSError as error:
            raise anyio.BrokenResourceError from error
        del self._left[:written]
        return True
