"""Wakes who waits for a change: at a hint of the store, and anyway when it is time to look."""

from contextlib import closing
from weakref import WeakValueDictionary

import anyio

from relaybook.store.base import Store

#: How long a waiter sleeps before it looks, where the store gives no hints, and where it does.
POLL_SECONDS, HINTED_SECONDS = 0.2, 2.0
#: The wait for a change of any workflow.
ANY = ""


class Wakes:
    """Who waits, and for which workflow."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hinted = False
        #: Whether nobody is to wait any more: the server stops.
        self.ended = False
        #: By workflow; an event is gone when the last that waits for it is.
        self._waiting: WeakValueDictionary[str, anyio.Event] = WeakValueDictionary()

    async def listen(self) -> None:
        """Pass hints on until cancelled; return at once if the store gives none, or it is done."""
        if self._hinted:
            return
        hints = self._store.hints()
        if hints is None:
            return
        with closing(hints):
            self._hinted = True
            try:
                while True:
                    await anyio.wait_readable(hints.fileno())
                    self._wake(hints.take())
            finally:
                self._hinted = False

    async def wait(self, workflow_id: str = ANY) -> None:
        """Return when the workflow may have changed; never later than the pause."""
        event = self._waiting.get(workflow_id)
        if event is None:
            event = self._waiting[workflow_id] = anyio.Event()
        with anyio.move_on_after(HINTED_SECONDS if self._hinted else POLL_SECONDS):
            await event.wait()

    def end(self) -> None:
        self.ended = True
        self._wake({ANY})

    def _wake(self, changed: set[str]) -> None:
        names = list(self._waiting) if ANY in changed else [*changed, ANY]
        for name in names:
            event = self._waiting.pop(name, None)
            if event is not None:
                event.set()
