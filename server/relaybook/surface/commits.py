"""Calls that come together share a commit: an answer waits until what it tells of is on disk."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import anyio
from anyio.lowlevel import checkpoint

from relaybook.store.group import Group, call, current_call

T = TypeVar("T")

#: How many turns of the event loop a commit waits at most.
TURNS = 64


async def committed(answer: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `answer` answers, once all that it wrote is committed.

    `answer` must not wait for anything once it has written: others wait for its commit. Inside
    `together` it is committed with the others there.

    Raises:
        StoreFault: it is not, nor is anything that it saw of others written with it.
    """
    if current_call() is not None:
        return await answer()
    with call() as entered:
        try:
            return await answer()
        finally:
            for group in entered.begun:
                await _end(group)
            for group in entered.joined:
                await _ended(group)


async def together(answers: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """What all of `answers` answer, one after the other, once all that they wrote is committed.

    None of them waits for the lock of the ledger.

    Raises:
        StoreFault: nothing of it is.
    """
    with call(patient=False) as entered:
        try:
            return [await answer() for answer in answers]
        finally:
            for group in entered.begun:
                group.end()
            for group in entered.joined:
                await _ended(group)


async def _end(group: Group) -> None:
    """End `group` once nobody has joined it for as many turns of the loop as it is worth."""
    try:
        quiet = 0
        for _ in range(TURNS):
            if quiet == group.patience or group.ended:
                break
            size = group.size
            await checkpoint()
            quiet = quiet + 1 if group.size == size else 0
    finally:  # even if this call is cancelled: others wait
        group.end()


async def _ended(group: Group) -> None:
    if not group.ended:
        ended = anyio.Event()
        group.when_ended(ended.set)
        await ended.wait()
    group.outcome()
