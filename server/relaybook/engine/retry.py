"""A verb whose transaction the database ended before its commit is run once more."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from relaybook.errors import TransactionLost

V = TypeVar("V", bound=Callable[..., Any])


def retried(verb: V) -> V:
    """`verb`, run a second time if it raises TransactionLost.

    The verb must write in one transaction, or in several of which each may be repeated.
    """

    @wraps(verb)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return verb(*args, **kwargs)
        except TransactionLost:
            return verb(*args, **kwargs)

    return cast(V, run)
