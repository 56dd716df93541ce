"""Callers by the tokens of the ledger: looked up at every call, so that a revoked one ends at once.

The lookup is one indexed read of the ledger, in a thread: a database that is away would else hold
up everyone. A few threads do all of them, so that no number of strangers takes those of calls.
"""

import anyio
from anyio import to_thread

from relaybook.engine import Engine
from relaybook.engine.tokens import PREFIX
from relaybook.surface.caller import Caller, Kind

#: How many tokens are looked up at a time.
LOOKUPS = 8


class Tokens:
    """Knows whoever presents a valid token of the ledger."""

    challenge = "Bearer"
    advice = (
        "send Authorization: Bearer with a token of this server; relaybook token create makes one"
    )

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lookups = anyio.CapacityLimiter(LOOKUPS)

    async def caller(self, token: str | None) -> Caller | None:
        if token is None or not token.startswith(PREFIX):
            return None
        grant = await to_thread.run_sync(
            self._engine.grant_of, token, abandon_on_cancel=True, limiter=self._lookups
        )
        if grant is None:
            return None
        return Caller(grant.token, Kind(grant.role, grant.projects))
