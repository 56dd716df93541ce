"""The ledger in a schema of a PostgreSQL database, through psycopg and its pool.

Writers run READ COMMITTED and lock the row of their workflow first: what they read after
that is as it stands. The search_path of the URL says which schema is the ledger's.

Statements that repeat are prepared on the server. Behind PgBouncer in transaction mode that
needs its `max_prepared_statements` (1.21 or later); nothing else here outlives a transaction
but the time limits of a session, which it must be told to pass on.
"""

import re
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from relaybook.errors import Forbidden, StoreUnreachable
from relaybook.store.base import Durability, Hints, Params, Row
from relaybook.store.bind import bindable
from relaybook.store.postgres_faults import translated, unknown
from relaybook.store.postgres_hints import CHANNEL, PostgresHints
from relaybook.store.postgres_outage import Outage
from relaybook.store.postgres_tables import migrate, version_of
from relaybook.store.sight import EVERYTHING

#: How long one call waits for a connection, for a lock, and for one statement, in seconds.
CONNECT_PATIENCE, LOCK_PATIENCE, STATEMENT_PATIENCE = 15.0, 5.0, 30.0
#: How long, once a call has waited for a connection in vain: a server that serves calls in a row
#: goes on answering, if only refusals.
AWAY_PATIENCE = 0.1
#: For how long the pool tries to connect before it begins anew. Within one series of tries it
#: waits twice as long after each, so an outage would go on for as long as it has lasted.
RECONNECT_SECONDS = 1.0
#: After how many seconds the server ends a transaction whose process has stopped.
IDLE_LIMIT = 30.0
#: What a URL may say otherwise. A server that has gone without a word is found out after a minute.
_CONNECTION: Mapping[str, Any] = {
    "application_name": "relaybook",
    "connect_timeout": round(CONNECT_PATIENCE),
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
#: The most connections of one process; a call uses one, for milliseconds.
CONNECTIONS = 10
#: How many threads share them; the rest is for health checks, metrics and tokens.
THREADS = 7

_NOW = "SELECT extract(epoch FROM clock_timestamp())::double precision"
_COLUMNS = (
    "SELECT column_name FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND table_name = :table ORDER BY ordinal_position"
)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"
#: A literal or a cast, to be left alone, or a parameter.
_PARAMETER = re.compile(r"'[^']*'|::|:([a-z_][a-z0-9_]*)")

#: What pg_dump calls the members of a URL; it asks for the password, or finds it in ~/.pgpass.
_DUMP_OPTIONS = {"host": "host", "port": "port", "user": "username", "dbname": "dbname"}


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
        self.sight = EVERYTHING

    def rows(self, sql: str, params: Params | None = None) -> list[Row]:
        bound = {**self.sight.params, **(params or {})} if self.sight.params else params or {}
        cursor = self._connection.execute(pyformat(sql).encode(), bindable(bound))
        return cursor.fetchall() if cursor.description else []

    def lock(self, name: str) -> None:
        self.rows(_LOCK, {"name": name})

    def many(self, sql: str, params: Iterable[Params]) -> None:
        statement, values = pyformat(sql).encode(), list(map(bindable, params))
        if len(values) == 1:  # half the time of the pipeline that several go through
            self._connection.execute(statement, values[0])
            return
        with self._connection.cursor() as cursor:
            cursor.executemany(statement, values)

    def tell(self, workflow_id: str, seq: int) -> None:
        """Notify the channel, when this is committed, of `<workflow_id> <seq>`."""
        hint = {"channel": CHANNEL, "hint": f"{workflow_id} {seq}"}
        self.rows("SELECT pg_notify(:channel, :hint)", hint)

    def columns(self, table: str) -> list[str]:
        return [row[0] for row in self.rows(_COLUMNS, {"table": table})]


class PostgresStore:
    """The ledger in the database and schema that `url` names; its tables made if none are."""

    threads = THREADS

    def __init__(self, url: str, durability: Durability = "full") -> None:
        """Connect, and bring the tables up to date.

        With durability `normal` the server answers a commit before it is on disk.

        Raises:
            StoreUnreachable: there is no connection, no such schema, or no right to write.
            NotALedger: the schema holds something else.
            NewerLedger: a later relaybook wrote it.
        """
        params = _connection_params(url)
        self.name = _name_of(params)
        self._options = " ".join(
            f"--{word}={params[name]}" for name, word in _DUMP_OPTIONS.items() if name in params
        )
        self._synchronous = {"full": None, "normal": "off"}[durability]
        self._ahead = 0.0
        self._away = False
        with translated(self.name, None), psycopg.connect(**params, autocommit=True) as connection:
            with connection.transaction():
                migrate(PostgresTx(connection), self.name)
            self._check(connection)  # the time is asked for before the pool connects
        pool = f"relaybook-{id(self)}"
        self._outage = Outage(self.name, pool)
        self._pool = ConnectionPool(
            name=pool,
            kwargs={**params, "autocommit": True},
            min_size=1,
            max_size=CONNECTIONS,
            open=True,
            configure=self._configure,
            check=self._check,
            timeout=CONNECT_PATIENCE,
            reconnect_timeout=RECONNECT_SECONDS,
            reconnect_failed=_connect_anew,
        )
        self._hints = PostgresHints(params)

    @staticmethod
    def stored_version(url: str) -> int:
        """The version of the tables that are there, 0 if none are; nothing is changed.

        Raises:
            StoreUnreachable, NotALedger, NewerLedger: as the store itself does.
        """
        params = _connection_params(url)
        name = _name_of(params)
        with translated(name, None), psycopg.connect(**params, autocommit=True) as connection:
            return version_of(PostgresTx(connection), name)

    def clock(self) -> float:
        """The database's clock as last read, and what has passed since."""
        return time.monotonic() + self._ahead

    def faults(self) -> list[str]:
        """Nothing to look at: the server keeps checksums of its own."""
        return []

    def backup(self, target: Path) -> None:
        with self.read() as tx:
            schema = tx.rows("SELECT current_schema()")[0][0]
        raise Forbidden(
            "A ledger in PostgreSQL is backed up by PostgreSQL's own tools.",
            allowed="pg_dump, and pg_restore to bring it back",
            next=f"pg_dump --format=custom --schema={schema} --file={target} {self._options}",
        )

    def version(self) -> str:
        with self.read() as tx:
            # Which transactions are over: it moves with each that begins to write, and each end.
            return tx.rows("SELECT pg_current_snapshot()::text")[0][0]

    def hints(self) -> Hints:
        return self._hints.reader()

    def close(self) -> None:
        self._hints.close()
        self._pool.close()
        self._outage.close()

    @contextmanager
    def transaction(self) -> Generator[PostgresTx]:
        with self._begun("BEGIN ISOLATION LEVEL READ COMMITTED") as connection:
            yield PostgresTx(connection)
            try:
                connection.commit()
            except psycopg.OperationalError as error:
                if connection.closed:
                    raise unknown(self.name) from error
                raise

    @contextmanager
    def read(self) -> Generator[PostgresTx]:
        with self._begun("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
            yield PostgresTx(connection, for_update="")  # what it sees does not change
            connection.commit()

    @contextmanager
    def look(self) -> Generator[PostgresTx]:
        with self._begun("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY") as connection:
            yield PostgresTx(connection, for_update="")
            connection.commit()

    @contextmanager
    def _begun(self, begin: str) -> Generator[Connection[TupleRow]]:
        """A connection in a transaction, which is rolled back if anything is raised."""
        with (
            translated(self.name, None),
            self._given() as connection,
            translated(self.name, connection),
        ):
            connection.execute(begin.encode())
            yield connection

    @contextmanager
    def _given(self) -> Generator[Connection[TupleRow]]:
        """A connection that lives."""
        patience = AWAY_PATIENCE if self._away else CONNECT_PATIENCE
        try:
            with self._pool.connection(timeout=patience) as connection:
                self._away = False
                yield connection
        except PoolTimeout:
            self._away = True
            raise

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
        self._outage.connected(connection)

    def _check(self, connection: Connection[TupleRow]) -> None:
        """See that the connection lives, and what time the database has.

        The answer was right at some moment of the round trip: its middle is taken.
        """
        before = time.monotonic()
        row = connection.execute(_NOW).fetchone()
        assert row is not None
        self._ahead = row[0] - (before + time.monotonic()) / 2


def _connect_anew(pool: ConnectionPool) -> None:
    """See that a pool without connections goes on trying; it does so only when asked for one."""
    if pool.get_stats()["pool_size"] == 0:
        with suppress(PoolTimeout, PoolClosed), pool.connection(timeout=0.01):
            pass


def _name_of(params: Mapping[str, Any]) -> str:
    """What a ledger is called in a refusal."""
    return f"{params.get('dbname', '')!r} on {params.get('host', 'localhost')}"


def _connection_params(url: str) -> dict[str, Any]:
    try:
        said = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise StoreUnreachable(
            "The URL of the ledger cannot be read.",
            allowed="postgresql://user:password@host:port/database?options=-csearch_path%3Dschema",
            next="correct it in --store or RELAYBOOK_STORE",
        ) from error
    return {**_CONNECTION, **said}
