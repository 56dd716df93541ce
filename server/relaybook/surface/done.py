"""Verbs are plain functions; from an event loop they are called so that none holds up the others.

On a file a verb takes less time than it would to hand it to another thread; what may take long
is the lock that another process holds, and that is waited for between two tries. On a server
most of a verb is waiting for the network, so it runs in a thread; a few threads do all of them,
fewer than there are connections.
"""

import random
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
from anyio import to_thread
from anyio.lowlevel import RunVar

from relaybook.engine.desk import Desk
from relaybook.errors import StoreBusy
from relaybook.store.group import current_call
from relaybook.store.sqlite_faults import LOCK_PATIENCE

#: Between two tries of one that waits, in seconds; when many wait, each waits longer.
PAUSE, LONGEST_PAUSE = (0.0005, 0.002), 0.1

P = ParamSpec("P")
T = TypeVar("T")

_threads: RunVar[anyio.CapacityLimiter] = RunVar("threads")
_waiting: RunVar[int] = RunVar("waiting", 0)


async def done(desk: Desk, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `verb`, one of `desk`'s, answers.

    Raises:
        Refusal: as the verb does; StoreBusy only after the lock was waited for.
    """
    if desk.store.threads:
        call = partial(verb, *args, **kwargs)
        return await to_thread.run_sync(call, limiter=_limiter(desk.store.threads))
    deadline: float | None = None
    while True:
        try:
            return verb(*args, **kwargs)
        except StoreBusy:
            now = anyio.current_time()
            deadline = deadline or now + LOCK_PATIENCE
            if not _may_repeat() or now > deadline:
                raise
        await _pause()


async def done_aside(desk: Desk, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a verb that takes long answers: always in a thread, and each of its commits by itself."""
    call = partial(verb, *args, **kwargs)
    return await to_thread.run_sync(
        partial(Context().run, call), limiter=_limiter(desk.store.threads or 1)
    )


def _limiter(threads: int) -> anyio.CapacityLimiter:
    try:
        return _threads.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(threads)
        _threads.set(limiter)
        return limiter


def _may_repeat() -> bool:
    """Whether the call can be made again later: it has no part in a commit yet, and may wait."""
    call = current_call()
    return call is None or (call.patient and not call.joined)


async def _pause() -> None:
    _waiting.set(_waiting.get() + 1)
    try:
        await anyio.sleep(min(random.uniform(*PAUSE) * _waiting.get(), LONGEST_PAUSE))
    finally:
        _waiting.set(_waiting.get() - 1)
