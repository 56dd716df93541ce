"""That the server was told to stop, and what is not waited for then."""

from weakref import WeakSet

import anyio


class Stopping:
    """Set once; cancels the scopes that were made by then and those that come after."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self._scopes: WeakSet[anyio.CancelScope] = WeakSet()

    def set(self) -> None:
        self._event.set()
        for scope in list(self._scopes):
            scope.cancel()

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        await self._event.wait()

    def scope(self) -> anyio.CancelScope:
        """To wait in for what may never come."""
        scope = anyio.CancelScope()
        if self.is_set:
            scope.cancel()
        self._scopes.add(scope)
        return scope
