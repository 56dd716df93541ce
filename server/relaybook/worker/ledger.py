"""The two calls that a worker makes, on whatever ledger is behind them."""

from collections.abc import Awaitable, Callable, Mapping
from itertools import chain, repeat
from typing import Any, Protocol

import anyio

from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import (
    OutcomeUnknown,
    Refusal,
    StoreBusy,
    StoreUnreachable,
    TransactionLost,
)

Answer = Mapping[str, Any]

#: A ledger that does not answer now; a call that names a claim may be made again.
AWAY = (StoreBusy, StoreUnreachable, TransactionLost, OutcomeUnknown)
#: Before each further try of a call that met one, in seconds, the last for all that follow; the
#: store itself has waited for its lock each time.
PAUSES = (0.1, 0.5, 2.0, 5.0)


class Ledger(Protocol):
    """Where tasks come from and results go. Answers are those of the tools of these names."""

    async def claim(
        self, workflow_id: str | None, project: str | None, lease_seconds: float, session_key: str
    ) -> Answer:
        """Take the next task that may start, of one workflow or of any.

        Raises:
            Refusal: such as an unknown workflow.
        """
        ...

    async def update(self, update: Update) -> Answer:
        """Say what became of a claimed task.

        Raises:
            Refusal: the ledger does not accept it; nothing was changed.
        """
        ...


class LocalLedger:
    """The engine in this process; a call is over in a fraction of a millisecond and a sync."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def claim(
        self, workflow_id: str | None, project: str | None, lease_seconds: float, session_key: str
    ) -> Answer:
        return self._engine.claim_task(
            workflow_id, project=project, lease_seconds=lease_seconds, session_key=session_key
        )

    async def update(self, update: Update) -> Answer:
        return self._engine.update_task(update)


async def patiently(
    call: Callable[[], Awaitable[Answer]], goes_on: Callable[[Refusal, float], bool]
) -> Answer:
    """The answer of `call`, made again while the ledger is away.

    `goes_on` is asked each time, by the refusal and the seconds since the first one.

    Raises:
        Refusal: one of `AWAY`, after which `goes_on` said no.
    """
    pauses = chain(PAUSES, repeat(PAUSES[-1]))
    first: float | None = None
    while True:
        try:
            return await call()
        except AWAY as refusal:
            first = first or anyio.current_time()
            if not goes_on(refusal, anyio.current_time() - first):
                raise
        await anyio.sleep(next(pauses))
