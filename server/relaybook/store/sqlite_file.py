"""The file that a ledger was opened on, which may be taken away while it is open.

SQLite goes on writing to a file that has lost its name, and says that all is well.
"""

from pathlib import Path

from relaybook.errors import StoreUnreachable


class OpenFile:
    """What lies at `path` now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity = _identity(path)

    def check(self) -> None:
        """Refuse to go on if something else lies there, or nothing.

        Raises:
            StoreUnreachable: what would be written now would be lost.
        """
        if _identity(self.path) != self._identity:
            raise StoreUnreachable(
                f"The ledger {str(self.path)!r} was removed or replaced while it was open; "
                "nothing of this call is kept.",
                next="put the file back, or restore a backup there, and start relaybook again",
            )


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from every other; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
