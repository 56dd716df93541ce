"""What a credential allows: whom the door lets in, and as whom."""

from dataclasses import replace
from typing import Protocol

from relaybook.errors import Forbidden
from relaybook.surface.caller import Caller, Kind


class MissingScope(Exception):
    """The token is good, but not for this server; `refusal` says why."""

    def __init__(self, refusal: Forbidden, scope: str) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        #: The scopes that give least of those that would do, by blanks.
        self.scope = scope


class Access(Protocol):
    """What tells callers from strangers."""

    async def caller(self, token: str | None) -> Caller | None:
        """Who presents `token`, as things stand now; None if nobody who may call.

        Raises:
            MissingScope: somebody who may call, but nothing here.
            StoreFault: the ledger, which knows, does not answer.
            IssuerUnreachable: nor does the issuer.
        """
        ...

    @property
    def challenge(self) -> str:
        """The WWW-Authenticate header that a stranger is answered with."""
        ...

    @property
    def advice(self) -> str:
        """What a stranger is told to do."""
        ...


class Either:
    """Whoever one of two knows; the second says how strangers may become known."""

    def __init__(self, first: Access, second: Access) -> None:
        self._first, self._second = first, second

    @property
    def challenge(self) -> str:
        return self._second.challenge

    @property
    def advice(self) -> str:
        return f"{self._first.advice}; or {self._second.advice}"

    async def caller(self, token: str | None) -> Caller | None:
        return await self._first.caller(token) or await self._second.caller(token)


class AsWorkers:
    """Everyone whom `access` knows, but as a worker, whatever more they might be."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def challenge(self) -> str:
        return self._access.challenge

    @property
    def advice(self) -> str:
        return self._access.advice

    async def caller(self, token: str | None) -> Caller | None:
        caller = await self._access.caller(token)
        return caller and replace(caller, kind=replace(caller.kind, role="worker"))


class Anyone:
    """Everyone may call, as `role`."""

    challenge = "Bearer"
    advice = ""

    def __init__(self, role: str) -> None:
        self._caller = Caller("anyone", Kind(role))

    async def caller(self, token: str | None) -> Caller:
        return self._caller
