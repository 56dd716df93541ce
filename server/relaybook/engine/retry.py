"""A verb whose transaction the database ended, or whose commit it did not confirm, is run again."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from relaybook.errors import OutcomeUnknown, StoreFault, TransactionLost

V = TypeVar("V", bound=Callable[..., Any])


def _never(*_: Any, **__: Any) -> bool:
    return False


def retried(verb: V, harmless: Callable[..., bool] = _never) -> V:
    """`verb`, run a second time if it raises TransactionLost.

    The verb must write in one transaction, or in several of which each may be repeated.
    After OutcomeUnknown it is run again only if `harmless` says of its arguments that a
    repeat answers what is recorded; the caller decides otherwise.
    """

    @wraps(verb)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return verb(*args, **kwargs)
        except TransactionLost:
            return verb(*args, **kwargs)
        except OutcomeUnknown as unknown:
            if not harmless(*args, **kwargs):
                raise
            return _settled(lambda: verb(*args, **kwargs), unknown)

    return cast(V, run)


def _settled(repeat: Callable[[], Any], unknown: OutcomeUnknown) -> Any:
    """What `repeat` answers; if the store fails it, the first outcome is unknown as before."""
    try:
        return repeat()
    except StoreFault:
        raise unknown from None
