"""A ledger of which only some projects are seen, on the store of the whole one."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from relaybook.errors import Forbidden
from relaybook.store.base import Hints, Store, Tx
from relaybook.store.sight import sight_of


class PartialStore:
    """`store` as callers see it who may see only `projects`."""

    def __init__(self, store: Store, projects: frozenset[str]) -> None:
        self._store = store
        self._sight = sight_of(projects)

    @property
    def threads(self) -> int:
        return self._store.threads

    def clock(self) -> float:
        return self._store.clock()

    def transaction(self) -> AbstractContextManager[Tx]:
        return self._seen(self._store.transaction())

    def read(self) -> AbstractContextManager[Tx]:
        return self._seen(self._store.read())

    def look(self) -> AbstractContextManager[Tx]:
        return self._seen(self._store.look())

    def version(self) -> object:
        return self._store.version()

    def hints(self) -> Hints | None:
        """Of every project: a hint says that it is time to look, and who looks sees less."""
        return self._store.hints()

    def faults(self) -> list[str]:
        return self._store.faults()

    def backup(self, target: Path) -> None:
        """Refused: a backup holds every project."""
        raise Forbidden(
            "A backup holds projects that this caller does not see.",
            allowed="whoever sees the whole ledger",
            next="relaybook export for a workflow of your own",
        )

    def close(self) -> None:
        self._store.close()

    @contextmanager
    def _seen(self, begun: AbstractContextManager[Tx]) -> Generator[Tx]:
        with begun as tx:
            tx.sight = self._sight
            yield tx
