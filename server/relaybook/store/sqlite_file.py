"""The file that a ledger was opened on, which may be taken away while it is open.

SQLite goes on writing to a file that has lost its name, and says that all is well. A file that
this process may not write is read, if need be as one that nobody changes.
"""

import os
from pathlib import Path

from relaybook.errors import StoreUnreachable


class OpenFile:
    """What lies at `path` now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        #: How SQLite is to open it; None if it can be written, or is not there yet.
        self.uri = read_only_uri(path)
        self._is_still = self.uri is not None and self.uri.endswith("immutable=1")
        self._identity: object = None

    def opened(self) -> None:
        """The file is there: what is found there from now on must be the same."""
        self._identity = self._found()

    def check(self) -> None:
        """Refuse to go on if something else lies there, or nothing.

        Raises:
            StoreUnreachable: what would be written now would be lost, or what is read be torn.
        """
        if self._found() != self._identity:
            changed = ", or written by another process," if self._is_still else ""
            raise StoreUnreachable(
                f"The ledger {str(self.path)!r} was removed or replaced{changed} while it was "
                "open; nothing of this call is kept.",
                next="put the file back, or restore a backup there, and start relaybook again",
            )

    def _found(self) -> object:
        """What tells the file from every other, or None; and its state, if it is not to change."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        identity = found.st_dev, found.st_ino
        return (*identity, found.st_mtime_ns, _has_log(self.path)) if self._is_still else identity


def read_only_uri(path: Path) -> str | None:
    """The URI that reads a file which cannot be written; None if it can, or is not there.

    Beside a write-ahead log SQLite reads what others write meanwhile. Without one nobody has
    the file open, and SQLite would fail to make one where it may not write.
    """
    if not path.is_file() or (os.access(path, os.W_OK) and _may_have_log(path)):
        return None
    still = "" if _has_log(path) else "&immutable=1"
    return f"{path.absolute().as_uri()}?mode=ro{still}"


def _may_have_log(path: Path) -> bool:
    return _has_log(path) or os.access(path.absolute().parent, os.W_OK)


def _has_log(path: Path) -> bool:
    return path.with_name(f"{path.name}-wal").exists()
