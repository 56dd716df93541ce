"""Says once that a database takes no new connection, and once that it takes them again.

psycopg_pool warns of each try that failed; of one pool, these warnings are taken out of the log.
"""

import logging
from weakref import WeakSet

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from relaybook.errors import clip
from relaybook.store.postgres_faults import said

_log = logging.getLogger(__name__)
_POOLS_LOG = logging.getLogger("psycopg.pool")


class Outage(logging.Filter):
    """Listens to what is logged of the pool called `pool`, until it is closed."""

    def __init__(self, ledger: str, pool: str) -> None:
        super().__init__()
        self._ledger = ledger
        self._pool = pool
        self._lasts = False
        self._connections: WeakSet[Connection[TupleRow]] = WeakSet()
        _POOLS_LOG.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        told = record.args if isinstance(record.args, tuple) else ()
        if not any(map(self._is_ours, told)):
            return True
        for each in told:
            if isinstance(each, psycopg.Error):
                self._begin(each)
        return False

    def _is_ours(self, told: object) -> bool:
        return told == self._pool or (isinstance(told, Connection) and told in self._connections)

    def connected(self, connection: Connection[TupleRow]) -> None:
        """The pool has a new connection."""
        self._connections.add(connection)
        if self._lasts:
            self._lasts = False
            _log.warning("the ledger %s takes connections again", self._ledger)

    def close(self) -> None:
        _POOLS_LOG.removeFilter(self)

    def _begin(self, error: psycopg.Error) -> None:
        if not self._lasts:
            self._lasts = True
            why = clip(said(error), 300)
            _log.warning("the ledger %s takes no new connection: %s", self._ledger, why)
