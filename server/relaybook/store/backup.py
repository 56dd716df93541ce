"""One moment of a SQLite ledger as a file of its own, checked before it gets its name."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from relaybook.errors import AlreadyThere, StoreFault, StoreUnreachable

#: How many faults of one ledger are named.
FAULTS_SHOWN = 5


def faults_of(conn: sqlite3.Connection) -> list[str]:
    """What SQLite finds broken: pages, indexes, checks, and rows that point at nothing."""
    found = [row[0] for row in conn.execute(f"PRAGMA integrity_check({FAULTS_SHOWN})")]
    lost = conn.execute("PRAGMA foreign_key_check").fetchmany(FAULTS_SHOWN)
    orphans = [f"row {row[1]} of {row[0]} belongs to no row of {row[2]}" for row in lost]
    return [fault for fault in found if fault != "ok"] + orphans


def back_up(source: sqlite3.Connection, target: Path) -> None:
    """Copy what `source` sees into a new file; it reads in one transaction and blocks no writer.

    Raises:
        AlreadyThere: the file is there already.
        StoreUnreachable: it cannot be written.
        StoreFault: the copy is broken; the file was not made.
    """
    if target.exists():
        raise AlreadyThere(
            f"There is something at {str(target)!r} already.",
            allowed="the name of a new file",
            next="name another; nothing was written",
        )
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
            faults = faults_of(copy)
        _settle(unfinished, target, faults)
    except (OSError, sqlite3.OperationalError) as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise StoreUnreachable(
            f"The backup {str(target)!r} cannot be written: {error}.",
            next="name a path that can be written, on a disk with room for the ledger",
        ) from error


def _settle(unfinished: Path, target: Path, faults: list[str]) -> None:
    if faults:
        unfinished.unlink()
        raise StoreFault(
            f"The copy of the ledger is broken: {faults[0]}.",
            next="see relaybook doctor; nothing was written",
        )
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    unfinished.rename(target)
