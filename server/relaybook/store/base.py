"""What the engine needs of a store, whichever database is under it."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol

from relaybook.store.sight import Sight

Row = tuple[Any, ...]
Params = dict[str, Any]
#: Whether a commit survives the loss of power, or only the death of the process.
Durability = Literal["full", "normal"]


class Tx(Protocol):
    """One transaction. SQL has `:name` parameters; every value is bound, none is pasted."""

    #: Appended to a SELECT that must keep its row from changing until the commit.
    for_update: str
    #: What it sees of the ledger.
    sight: Sight

    def rows(self, sql: str, params: Params | None = None) -> list[Row]:
        """Run one statement and return all its rows."""
        ...

    def lock(self, name: str) -> None:
        """Let no other transaction that locks `name` go on until the commit."""
        ...

    def columns(self, table: str) -> list[str]:
        """The names of the columns of `table`, in order."""
        ...

    def many(self, sql: str, params: Iterable[Params]) -> None:
        """Run one statement once for each of `params`."""
        ...

    def tell(self, workflow_id: str, seq: int) -> None:
        """Once this is committed, hint to other processes that the workflow has event `seq`."""
        ...


class Hints(Protocol):
    """Which workflows others changed, as the database tells it; it may miss some."""

    def fileno(self) -> int:
        """A descriptor that is readable while there is something to take."""
        ...

    def take(self) -> set[str]:
        """The workflows changed since the last call, by id; "" stands for any. Never waits."""
        ...

    def close(self) -> None: ...


class Store(Protocol):
    """A ledger on disk."""

    @property
    def threads(self) -> int:
        """How many threads of a server may use it at once; 0: all in one, one after the other."""
        ...

    def clock(self) -> float:
        """Epoch seconds, the same for every process that shares the ledger."""
        ...

    def transaction(self) -> AbstractContextManager[Tx]:
        """A transaction that may write; all of it lands, or none.

        Raises:
            StoreBusy: another process kept a lock too long.
            TransactionLost: it ended before its commit, and may be run again.
            OutcomeUnknown: the connection was lost while it was committed.
        """
        ...

    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that sees one moment of the ledger and writes nothing."""
        ...

    def look(self) -> AbstractContextManager[Tx]:
        """For statements that read, each by itself: what one found, the next may find changed."""
        ...

    def version(self) -> object:
        """A value that is another one after anybody's commit; only to be compared."""
        ...

    def hints(self) -> Hints | None:
        """Hints of changes from now on; None where only looking again shows them."""
        ...

    def faults(self) -> list[str]:
        """What is broken in what the database keeps; empty if nothing is."""
        ...

    def backup(self, target: Path) -> None:
        """Write one moment of the ledger into a new file, while others go on.

        Raises:
            StoreUnreachable: the file is there already, or cannot be written.
            Forbidden: the database has a tool of its own for that; the error names the command.
        """
        ...

    def close(self) -> None: ...
