"""The ledger in a schema of a PostgreSQL database, through psycopg and its pool.

Writers run READ COMMITTED and lock the row of their workflow first: what they read after
that is as it stands. The search_path of the URL says which schema is the ledger's.

Statements that repeat are prepared on the server. Behind PgBouncer in transaction mode that
needs its `max_prepared_statements` (1.21 or later); nothing else here outlives a transaction
but the time limits of a session, which it must be told to pass on.
"""

import re
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import Connection, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from relaybook.errors import (
    NewerLedger,
    NotALedger,
    OutcomeUnknown,
    Refusal,
    StoreBusy,
    StoreFault,
    StoreUnreachable,
    TransactionLost,
)
from relaybook.store.base import Durability, Params, Row
from relaybook.store.bind import bindable
from relaybook.store.schema import MIGRATIONS, VERSION_TABLE

#: How long one call waits for a connection, for a lock, and for one statement, in seconds.
CONNECT_PATIENCE, LOCK_PATIENCE, STATEMENT_PATIENCE = 15.0, 15.0, 30.0
#: After how many seconds the server ends a transaction whose process has stopped.
IDLE_LIMIT = 30.0
#: The most connections of one process; a call uses one, for milliseconds.
CONNECTIONS = 10

#: Marks our version table, and so a schema, as a ledger.
MARK = "relaybook ledger"

_WORDS = {"int": "BIGINT", "real": "DOUBLE PRECISION", "strict": "", "keyed": ""}
_NOW = "SELECT extract(epoch FROM clock_timestamp())::double precision"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"
_NO_WAY_IN = (
    psycopg.OperationalError,
    errors.InsufficientPrivilege,
    errors.ReadOnlySqlTransaction,
)
#: A literal or a cast, to be left alone, or a parameter.
_PARAMETER = re.compile(r"'[^']*'|::|:([a-z_][a-z0-9_]*)")


@lru_cache(maxsize=512)
def pyformat(sql: str) -> str:
    """A statement with `:name` parameters as psycopg writes them."""
    return _PARAMETER.sub(
        lambda found: f"%({found[1]})s" if found[1] else found[0], sql.replace("%", "%%")
    )


class PostgresTx:
    """A transaction on one connection of the pool."""

    def __init__(self, connection: Connection[TupleRow], for_update: str = "FOR UPDATE") -> None:
        self._connection = connection
        self.for_update = for_update

    def rows(self, sql: str, params: Params | None = None) -> list[Row]:
        cursor = self._connection.execute(pyformat(sql).encode(), bindable(params or {}))
        return cursor.fetchall() if cursor.description else []

    def lock(self, name: str) -> None:
        self.rows(_LOCK, {"name": name})

    def many(self, sql: str, params: Iterable[Params]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(pyformat(sql).encode(), list(map(bindable, params)))

    def tell(self, workflow_id: str, seq: int) -> None:
        """Notify the channel `relaybook`, when this is committed, of `<workflow_id> <seq>`."""
        self.rows("SELECT pg_notify('relaybook', :hint)", {"hint": f"{workflow_id} {seq}"})


class PostgresStore:
    """The ledger in the database and schema that `url` names; its tables made if none are."""

    def __init__(self, url: str, durability: Durability = "full") -> None:
        """Connect, and bring the tables up to date.

        With durability `normal` the server answers a commit before it is on disk.

        Raises:
            StoreUnreachable: there is no connection, no such schema, or no right to write.
            NotALedger: the schema holds something else.
            NewerLedger: a later relaybook wrote it.
        """
        params = _connection_params(url)
        self.name = f"{params.get('dbname', '')!r} on {params.get('host', 'localhost')}"
        self._synchronous = {"full": None, "normal": "off"}[durability]
        self._ahead = 0.0
        with _translated(self.name, None), psycopg.connect(**params, autocommit=True) as connection:
            _migrate(connection, self.name)
            self._check(connection)  # the time is asked for before the pool connects
        self._pool = ConnectionPool(
            kwargs={**params, "autocommit": True},
            min_size=1,
            max_size=CONNECTIONS,
            open=True,
            configure=self._configure,
            check=self._check,
            timeout=CONNECT_PATIENCE,
        )

    def clock(self) -> float:
        """The database's clock as last read, and what has passed since."""
        return time.monotonic() + self._ahead

    def version(self) -> str:
        with self.read() as tx:
            # Which transactions are over: it moves with each that begins to write, and each end.
            return tx.rows("SELECT pg_current_snapshot()::text")[0][0]

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def transaction(self) -> Generator[PostgresTx]:
        with self._begun("BEGIN ISOLATION LEVEL READ COMMITTED") as connection:
            yield PostgresTx(connection)
            try:
                connection.commit()
            except psycopg.OperationalError as error:
                if connection.closed:
                    raise _unknown(self.name) from error
                raise

    @contextmanager
    def read(self) -> Generator[PostgresTx]:
        with self._begun("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
            yield PostgresTx(connection, for_update="")  # what it sees does not change

    @contextmanager
    def look(self) -> Generator[PostgresTx]:
        with self._begun("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY") as connection:
            yield PostgresTx(connection, for_update="")

    @contextmanager
    def _begun(self, begin: str) -> Generator[Connection[TupleRow]]:
        """A connection in a transaction, which is rolled back if anything is raised."""
        with (
            _translated(self.name, None),
            self._pool.connection() as connection,
            _translated(self.name, connection),
        ):
            connection.execute(begin.encode())
            yield connection

    def _configure(self, connection: Connection[TupleRow]) -> None:
        limits = {
            "lock_timeout": f"{LOCK_PATIENCE}s",
            "statement_timeout": f"{STATEMENT_PATIENCE}s",
            "idle_in_transaction_session_timeout": f"{IDLE_LIMIT}s",
        }
        if self._synchronous is not None:
            limits["synchronous_commit"] = self._synchronous
        for setting, value in limits.items():
            connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
        self._check(connection)

    def _check(self, connection: Connection[TupleRow]) -> None:
        """See that the connection lives, and what time the database has.

        The answer was right at some moment of the round trip: its middle is taken.
        """
        before = time.monotonic()
        row = connection.execute(_NOW).fetchone()
        assert row is not None
        self._ahead = row[0] - (before + time.monotonic()) / 2


def _connection_params(url: str) -> dict[str, Any]:
    try:
        said = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise StoreUnreachable(
            "The URL of the ledger cannot be read.",
            allowed="postgresql://user:password@host:port/database?options=-csearch_path%3Dschema",
            next="correct it in --store or RELAYBOOK_STORE",
        ) from error
    return {"connect_timeout": round(CONNECT_PATIENCE), "application_name": "relaybook"} | said


def _migrate(connection: Connection[TupleRow], name: str) -> None:
    """Bring the tables up to date, one process at a time."""
    tx = PostgresTx(connection)
    with connection.transaction():
        tx.lock("relaybook migrations")
        version = _version(tx, name)
        if version > len(MIGRATIONS):
            raise NewerLedger(
                f"The ledger {name} has version {version}; this relaybook "
                f"knows versions up to {len(MIGRATIONS)}.",
                next="upgrade relaybook, or name another ledger with --store",
            )
        if version == len(MIGRATIONS):
            return
        if version == 0:
            tx.rows(_statement(VERSION_TABLE))
            tx.rows(f"COMMENT ON TABLE schema_version IS '{MARK}'")
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                tx.rows(_statement(statement))
        tx.rows("DELETE FROM schema_version")
        tx.rows("INSERT INTO schema_version VALUES (:version)", {"version": len(MIGRATIONS)})


def _statement(sql: str) -> str:
    """A statement of the schema; texts compare byte by byte, as the ranges over paths need."""
    return re.sub(r"\bTEXT\b", 'TEXT COLLATE "C"', sql.format(**_WORDS))


def _version(tx: PostgresTx, name: str) -> int:
    """The version of the tables; 0 if the schema is empty.

    Raises:
        NotALedger: the schema holds tables that are not ours.
        StoreUnreachable: there is no such schema.
    """
    if tx.rows("SELECT current_schema() IS NULL")[0][0]:
        raise StoreUnreachable(
            f"The database {name} has no schema that the search_path names.",
            next="create the schema, or name another in the URL of --store",
        )
    found = tx.rows(
        "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class"
        " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    )
    if ("schema_version", MARK) in found:
        return tx.rows("SELECT max(version) FROM schema_version")[0][0]
    if found:
        raise NotALedger(
            f"The schema of {name} holds tables that are not relaybook's; it was left as it is.",
            allowed="an empty schema",
            next="create one, and end the URL of --store with ?options=-csearch_path%3Dits_name",
        )
    return 0


@contextmanager
def _translated(name: str, connection: Connection[TupleRow] | None) -> Generator[None]:
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
            f"The ledger {name} ended the transaction: {_said(error)}. Nothing was changed.",
            next="repeat the call",
        )
    if isinstance(error, (errors.LockNotAvailable, errors.QueryCanceled)):
        return StoreBusy(
            f"The ledger {name} was kept busy by others: {_said(error)}.",
            next="repeat the call",
        )
    if isinstance(error, PoolTimeout):
        return StoreUnreachable(
            f"The ledger {name} gave no connection within {CONNECT_PATIENCE:.0f} s.",
            next="see that the server runs and has connections to spare, then repeat the call",
        )
    if isinstance(error, _NO_WAY_IN):
        return StoreUnreachable(
            f"The ledger {name} cannot be opened for writing: {_said(error)}.",
            next="name a database that can be written with --store or RELAYBOOK_STORE",
        )
    return StoreFault(
        f"The ledger {name} could not be read or written: {_said(error)}.",
        next="see the log of the server; nothing was changed",
    )


def _unknown(name: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"The connection to the ledger {name} was lost while it committed: the change is "
        "there whole, or not at all.",
        next="repeat the call with the same request_id or claim, or look with get_workflow first",
    )


def _said(error: psycopg.Error) -> str:
    """What the server said, on one line."""
    return " ".join(str(error).split()).rstrip(".")
