"""Waiting for a workflow to change, within one call."""

import math
from collections.abc import Awaitable, Callable

import anyio

from relaybook.engine import Engine
from relaybook.surface.done import done
from relaybook.surface.wakes import Wakes

#: Clients give a call up after 60 seconds.
WAIT_LIMIT_SECONDS = 45.0
#: How often a client that wants to know is told that the wait goes on.
PROGRESS_SECONDS = 5.0

#: Takes the seconds waited so far and in all.
Report = Callable[[float, float], Awaitable[None]]


async def wait_for_change(
    engine: Engine,
    wakes: Wakes,
    workflow_id: str,
    since: int | None,
    seconds: float,
    report: Report,
) -> None:
    """Return when the workflow has events after `since`, or has ended, or the time is over.

    Or when one of those that hold its tasks writes no more, in whatever workflow, or the server
    is told to stop. At once where the workflow has not come to `since`: what it was taken from is
    another ledger.
    """
    if await done(engine, engine.workflow_ended, workflow_id):
        return
    last = await done(engine, engine.workflow_seq, workflow_id)
    seen = last if since is None else since
    if seen > last:
        return
    writing = await done(engine, engine.holders, workflow_id)
    began, told = anyio.current_time(), 0.0
    with anyio.move_on_after(seconds):
        while await done(engine, engine.workflow_seq, workflow_id) <= seen:
            waited = anyio.current_time() - began
            if waited >= told + PROGRESS_SECONDS:
                told = waited
                await report(math.floor(waited), seconds)
            if wakes.ended:
                return
            await wakes.wait(workflow_id)
            if writing and not await done(engine, engine.all_writing, writing):
                return
