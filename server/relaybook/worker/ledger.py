"""The two calls that a worker makes, on whatever ledger is behind them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import anyio

from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import StoreBusy

Answer = Mapping[str, Any]

#: Before each further try of a call that met a busy store, in seconds; the store itself
#: has waited for its lock each time.
BUSY_PAUSES = (0.1, 0.5, 2.0, 5.0)


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


async def patiently(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of `call`, made again while the store is busy.

    Raises:
        StoreBusy: it is so still after the last of `BUSY_PAUSES`.
    """
    for pause in BUSY_PAUSES:
        try:
            return await call()
        except StoreBusy:
            await anyio.sleep(pause)
    return await call()
