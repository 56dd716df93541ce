"""What psycopg raises, as the refusals of a store."""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg import Connection, errors
from psycopg.rows import TupleRow
from psycopg_pool import PoolTimeout

from relaybook.errors import (
    OutcomeUnknown,
    Refusal,
    StoreBusy,
    StoreFault,
    StoreUnreachable,
    TransactionLost,
)

_NO_WAY_IN = (
    psycopg.OperationalError,
    errors.InsufficientPrivilege,
    errors.ReadOnlySqlTransaction,
)


@contextmanager
def translated(name: str, connection: Connection[TupleRow] | None) -> Generator[None]:
    """Turn what psycopg raises into the refusals of a store.

    `connection` is None where there is none yet.
    """
    try:
        yield
    except Refusal:
        raise
    except psycopg.IntegrityError:
        raise  # an invariant would have been broken: a bug, to be seen as one
    except psycopg.Error as error:
        raise _refusal(error, name, lost=connection is not None and connection.closed) from error


def _refusal(error: psycopg.Error, name: str, *, lost: bool) -> StoreFault:
    if lost or isinstance(error, (errors.SerializationFailure, errors.DeadlockDetected)):
        return TransactionLost(
            f"The ledger {name} ended the transaction: {said(error)}. Nothing was changed.",
            next="repeat the call",
        )
    if isinstance(error, (errors.LockNotAvailable, errors.QueryCanceled)):
        return StoreBusy(
            f"The ledger {name} was kept busy by others: {said(error)}.",
            next="repeat the call",
        )
    if isinstance(error, PoolTimeout):
        return StoreUnreachable(
            f"The ledger {name} gave no connection in time.",
            next="see that the server runs and has connections to spare, then repeat the call",
        )
    if isinstance(error, errors.DiskFull):
        return StoreFault(
            f"There is no room for the ledger {name}: {said(error)}.",
            next="make room on the server's disk and repeat the call; nothing was changed",
        )
    if isinstance(error, _NO_WAY_IN):
        return StoreUnreachable(
            f"The ledger {name} cannot be opened for writing: {said(error)}.",
            next="name a database that can be written with --store or RELAYBOOK_STORE",
        )
    return StoreFault(
        f"The ledger {name} could not be read or written: {said(error)}.",
        next="see the log of the server; nothing was changed",
    )


def unknown(name: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"The connection to the ledger {name} was lost while it committed: the change is "
        "there whole, or not at all.",
        next="repeat the call with the same request_id or claim, or look with get_workflow first",
    )


def said(error: psycopg.Error) -> str:
    """What the server said, on one line."""
    return " ".join(str(error).split()).rstrip(".")
