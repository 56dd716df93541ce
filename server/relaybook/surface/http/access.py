"""What a credential allows: whom the door lets in, and as whom."""

from dataclasses import replace
from typing import Protocol

from relaybook.surface.caller import Caller, Kind


class MissingScope(Exception):
    """The token is good, but not for this server."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        #: One that would do.
        self.scope = scope


class Access(Protocol):
    """What tells callers from strangers."""

    async def caller(self, token: str | None) -> Caller | None:
        """Who presents `token`, as things stand now; None if nobody who may call.

        Raises:
            MissingScope: somebody who may call, but nothing here.
            StoreFault: the ledger, which knows, does not answer.
        """
        ...

    @property
    def challenge(self) -> str:
        """The WWW-Authenticate header that a stranger is answered with."""
        ...


class Either:
    """Whoever one of two knows; the second says how strangers may become known."""

    def __init__(self, first: Access, second: Access) -> None:
        self._first, self._second = first, second

    @property
    def challenge(self) -> str:
        return self._second.challenge

    async def caller(self, token: str | None) -> Caller | None:
        return await self._first.caller(token) or await self._second.caller(token)


class AsWorkers:
    """Everyone whom `access` knows, but as a worker, whatever more they might be."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def challenge(self) -> str:
        return self._access.challenge

    async def caller(self, token: str | None) -> Caller | None:
        caller = await self._access.caller(token)
        return caller and replace(caller, kind=replace(caller.kind, role="worker"))


class Anyone:
    """Everyone may call, as `role`."""

    challenge = "Bearer"

    def __init__(self, role: str) -> None:
        self._caller = Caller("anyone", Kind(role))

    async def caller(self, token: str | None) -> Caller:
        return self._caller
