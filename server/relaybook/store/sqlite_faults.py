"""What sqlite3 raises, as the refusals of a store."""

import sqlite3
from pathlib import Path

from relaybook.errors import InvalidArguments, NotALedger, StoreBusy, StoreFault, StoreUnreachable

#: How long a writer waits for the others, in seconds.
LOCK_PATIENCE = 15.0


class translated:
    """Turns what sqlite3 raises inside into the refusals of a store.

    An IntegrityError stays as it is: an invariant would have been broken, a bug to be seen as one.
    """

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, sqlite3.IntegrityError):
            return
        if isinstance(error, sqlite3.Error):
            raise refusal(error, self._path) from error
        if isinstance(error, UnicodeEncodeError):
            raise InvalidArguments(
                "A text of the call holds half of a surrogate pair.",
                allowed="texts of whole characters",
                next="correct it and call again",
            ) from error


def refusal(error: sqlite3.Error, path: Path) -> StoreFault:
    """What `error`, met at the ledger at `path`, is to a caller."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(
            f"The ledger {str(path)!r} was locked by other processes for {LOCK_PATIENCE:.0f} s.",
            next="repeat the call",
        )
    if code == sqlite3.SQLITE_NOTADB:
        return not_a_ledger(path)
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StoreUnreachable(
            f"The ledger {str(path)!r} cannot be opened for writing: {error}.",
            next="name a path that can be written with --store or RELAYBOOK_STORE",
        )
    if code == sqlite3.SQLITE_FULL:
        return StoreFault(
            f"There is no room for the ledger {str(path)!r}: {error}.",
            next="make room on its disk and repeat the call; nothing was changed",
        )
    return StoreFault(
        f"The ledger {str(path)!r} could not be read or written: {error}.",
        next="check the disk and restore a backup; nothing was changed",
    )


def not_a_ledger(path: Path) -> NotALedger:
    """The refusal of a file that holds something else."""
    return NotALedger(
        f"{str(path)!r} is not a relaybook ledger; it was left as it is.",
        next="name another path with --store or RELAYBOOK_STORE",
    )
