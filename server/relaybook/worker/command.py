"""One command in a process group of its own: fed, timed, and ended whole."""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

from relaybook.worker.output import ResultTail, Tail

STDERR_LIMIT = 2_000
#: How long a group may take to end after SIGTERM before SIGKILL, in seconds.
GRACE_SECONDS = 3.0
#: How long to read on after the command itself has ended, in seconds.
LAST_WORDS_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended and what it said."""

    output: str
    #: The last characters of its standard error, at most `STDERR_LIMIT`.
    stderr: str
    #: None if it was ended because its time was over.
    exit_code: int | None


async def run_command(
    argv: Sequence[str], prompt: str, env: Mapping[str, str], limit_seconds: float
) -> Ran:
    """Run `argv` with `prompt` on its standard input, for at most `limit_seconds`.

    Its whole process group is ended when the time is over, when this call is cancelled, and
    when something of it still holds the output after the command itself has ended.

    Raises:
        OSError: it cannot be started.
    """
    process = await anyio.open_process(argv, env=env, start_new_session=True)
    output, errors = ResultTail(), Tail(STDERR_LIMIT)
    ended = False
    try:
        with anyio.move_on_after(limit_seconds):
            await _converse(process, prompt, output, errors)
            ended = True
    finally:
        with anyio.CancelScope(shield=True):
            if not ended:
                await _end_group(process.pid)
                await process.wait()
            await process.aclose()
    return Ran(
        output=output.text,
        stderr=errors.text,
        exit_code=process.returncode if ended else None,
    )


async def _converse(process: Process, prompt: str, output: Tail, errors: Tail) -> None:
    """Talk with the process until it has ended and its output is read."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    async with anyio.create_task_group() as streams:
        streams.start_soon(_send, process.stdin, prompt.encode())
        streams.start_soon(_collect, process.stdout, output)
        streams.start_soon(_collect, process.stderr, errors)
        await process.wait()
        streams.cancel_scope.deadline = anyio.current_time() + LAST_WORDS_SECONDS
    if streams.cancel_scope.cancelled_caught:
        _signal_group(process.pid, signal.SIGKILL)


async def _send(stream: ByteSendStream, data: bytes) -> None:
    # A command may end, or close its input, without having read it.
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with stream:
            await stream.send(data)


async def _collect(stream: ByteReceiveStream, tail: Tail) -> None:
    async for piece in stream:
        tail.feed(piece)


async def _end_group(group: int) -> None:
    """SIGTERM, and SIGKILL for what is left of the group after the grace."""
    _signal_group(group, signal.SIGTERM)
    with anyio.move_on_after(GRACE_SECONDS):
        # Nothing but asking tells that a group is empty: its last process need not be ours.
        while _signal_group(group, 0):  # noqa: ASYNC110
            await anyio.sleep(_LOOK_AGAIN_SECONDS)
    _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: int) -> bool:
    """Whether any process of the group was there to be signalled."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a zombie
        return False
    return True
