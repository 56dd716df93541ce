"""Waiting for the lock on a file, in turns that are fair to all who wait."""

import random
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from relaybook.store.sqlite_faults import LOCK_PATIENCE

#: Between two tries for the lock: SQLite's own back-off lets one writer starve the rest.
LOCK_PAUSE = (0.0005, 0.002)

_T = TypeVar("_T")


def patiently(attempt: Callable[[], _T]) -> _T:
    """Do what takes a lock, waiting for it in fair, jittered steps.

    SQLite's own waiting is not enough: of two that switch a fresh file to write-ahead logging
    it fails one at once, whatever the timeout.
    """
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(*LOCK_PAUSE))


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
