"""Whom a page lets in while the ledger, which knows the tokens, is away: whom it let in before.

Only for a page that shows nothing of the ledger then, and has to tell that it is away.
"""

import anyio

from relaybook.core.text import text_hash
from relaybook.errors import StoreFault, StoreUnreachable
from relaybook.surface.caller import Caller
from relaybook.surface.http.access import Access

#: How long a caller is remembered after the ledger knew the token, in seconds.
REMEMBERED_SECONDS = 3600.0
#: How many are, at most.
REMEMBERED_LIMIT = 100
#: How long the ledger may take to answer, in seconds: whoever scrapes figures waits ten.
PATIENCE_SECONDS = 2.0


class Remembered:
    """Whoever `access` knows, and while it cannot tell, knew a while ago."""

    def __init__(self, access: Access) -> None:
        self._access = access
        #: Callers by the hash of the token, and when they were known.
        self._seen: dict[str, tuple[Caller, float]] = {}

    @property
    def challenge(self) -> str:
        return self._access.challenge

    @property
    def advice(self) -> str:
        return self._access.advice

    async def caller(self, token: str | None) -> Caller | None:
        if token is None:
            return await self._access.caller(None)
        name = text_hash(token)
        try:
            with anyio.fail_after(PATIENCE_SECONDS):
                found = await self._access.caller(token)
        except StoreFault as fault:
            return self._before(name, fault)
        except TimeoutError:
            return self._before(name, StoreUnreachable("The ledger does not answer in time."))
        self._seen.pop(name, None)
        if found is not None:
            self._keep(name, found)
        return found

    def _before(self, name: str, fault: StoreFault) -> Caller:
        caller, known_at = self._seen.get(name, (None, 0.0))
        if caller is None or anyio.current_time() - known_at > REMEMBERED_SECONDS:
            raise fault
        return caller

    def _keep(self, name: str, caller: Caller) -> None:
        while len(self._seen) >= REMEMBERED_LIMIT:
            del self._seen[next(iter(self._seen))]
        self._seen[name] = caller, anyio.current_time()
