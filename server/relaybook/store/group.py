"""Group commit: transactions of calls that come together end with one commit, or none of them.

A call says that it can wait for its commit by entering `call`. Its first transaction begins a
group or joins the one that is open, as a savepoint, so that what is refused leaves the others
standing. Nobody may be answered before the group has ended: what a call saw or wrote may still
be lost. Nor does a call sleep for a lock that another process holds: it is told StoreBusy at
once, and whoever made it tries again later.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol


class Group(Protocol):
    """A commit that several transactions share."""

    #: How many have joined, and whether the commit was done or has failed.
    size: int
    ended: bool
    #: How many turns of an event loop without another that joins its commit is worth.
    patience: int

    def end(self) -> None:
        """Commit, unless that was done; if it goes wrong, `outcome` says so."""
        ...

    def when_ended(self, tell: Callable[[], None]) -> None:
        """Call `tell` at the end, which is still to come."""
        ...

    def outcome(self) -> None:
        """Return if all that joined is committed.

        Raises:
            StoreFault: nothing of it was written.
        """
        ...


@dataclass(slots=True)
class Call:
    """One call that waits for its commits."""

    #: The groups that it joined; those that it began, it has to end.
    joined: list[Group] = field(default_factory=list[Group])
    begun: list[Group] = field(default_factory=list[Group])
    #: Whether it may be made again, later, if another process holds the lock.
    patient: bool = True


_current: ContextVar[Call | None] = ContextVar("call", default=None)


def current_call() -> Call | None:
    """The call that runs now, if it can wait for its commits."""
    return _current.get()


@contextmanager
def call(*, patient: bool = True) -> Generator[Call]:
    """What runs inside waits for its commits."""
    entered = Call(patient=patient)
    token = _current.set(entered)
    try:
        yield entered
    finally:
        _current.reset(token)
