"""Waiting for a workflow to change, within one call."""

import math
from collections.abc import Awaitable, Callable

import anyio

from relaybook.engine import Engine

#: Clients give a call up after 60 seconds.
WAIT_LIMIT_SECONDS = 45.0
POLL_SECONDS = 0.2
#: How often a client that wants to know is told that the wait goes on.
PROGRESS_SECONDS = 5.0

#: Takes the seconds waited so far and in all.
Report = Callable[[float, float], Awaitable[None]]


async def wait_for_change(
    engine: Engine, workflow_id: str, since: int | None, seconds: float, report: Report
) -> None:
    """Return when the workflow has events after `since`, or the time is over."""
    seen = engine.workflow_seq(workflow_id) if since is None else since
    began, told = anyio.current_time(), 0.0
    # Another process may make the change, so there is no event to wait for.
    while engine.workflow_seq(workflow_id) <= seen:
        waited = anyio.current_time() - began
        if waited >= seconds:
            return
        if waited >= told + PROGRESS_SECONDS:
            told = waited
            await report(math.floor(waited), seconds)
        await anyio.sleep(min(POLL_SECONDS, seconds - waited))
