"""What a file is before it is used: no ledger, or one of some version, to be brought up to date."""

import sqlite3
from contextlib import closing
from pathlib import Path

from relaybook.errors import NewerLedger, StoreUnreachable
from relaybook.store.schema import APPLICATION_ID, MIGRATIONS, VERSION_TABLE
from relaybook.store.sqlite_faults import not_a_ledger, translated
from relaybook.store.sqlite_file import read_only_uri
from relaybook.store.sqlite_lock import patiently
from relaybook.store.sqlite_plans import tell_planner

_WORDS = {
    "int": "INTEGER",
    "real": "REAL",
    "strict": "STRICT",
    "keyed": "STRICT, WITHOUT ROWID",
}


def migrate(conn: sqlite3.Connection, path: Path) -> None:
    """Bring the tables up to date, under the write lock: others may start just now.

    Raises:
        NotALedger: the file holds something else.
        NewerLedger: a later relaybook wrote it.
    """
    if patiently(lambda: _version(conn)) == len(MIGRATIONS):
        return
    patiently(lambda: conn.execute("BEGIN IMMEDIATE"))
    try:
        version = _version(conn)
        if version > len(MIGRATIONS):
            raise _newer_ledger(path, version)
        if version == 0:
            _claim_file(conn, path)
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                conn.execute(statement.format(**_WORDS))
        tell_planner(conn)
        conn.execute("DELETE FROM schema_version")
        conn.execute("INSERT INTO schema_version VALUES (?)", (len(MIGRATIONS),))
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def file_version(path: Path) -> int:
    """The version of the tables that are there, 0 if none are; nothing is changed.

    Raises:
        StoreUnreachable, NotALedger, NewerLedger: as `SqliteStore` does.
    """
    with translated(path):
        return patiently(lambda: _inspect(path))


def _inspect(path: Path) -> int:
    """The version of a file that is there, 0 if it is empty; not a byte of it is changed.

    Raises:
        StoreUnreachable: it is a folder.
        NotALedger: it holds something else.
        NewerLedger: a later relaybook wrote it.
    """
    if path.is_dir():
        raise StoreUnreachable(
            f"{str(path)!r} is a folder, and no ledger.",
            next="name a file in it with --store or RELAYBOOK_STORE",
        )
    if not path.is_file():
        return 0
    uri = read_only_uri(path) or f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as conn:
        conn.execute("BEGIN")  # one snapshot: another process may make its tables just now
        version = _version(conn)
        if version == 0 and _has_tables(conn):
            raise not_a_ledger(path)
    if version > len(MIGRATIONS):
        raise _newer_ledger(path, version)
    return version


def _version(conn: sqlite3.Connection) -> int:
    """The version of the tables; 0 if there are none of ours."""
    if conn.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return 0
    return conn.execute("SELECT max(version) FROM schema_version").fetchone()[0] or 0


def _claim_file(conn: sqlite3.Connection, path: Path) -> None:
    """Mark an empty file as a ledger.

    Raises:
        NotALedger: it holds tables already.
    """
    if _has_tables(conn):
        raise not_a_ledger(path)
    conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    conn.execute(VERSION_TABLE.format(**_WORDS))


def _has_tables(conn: sqlite3.Connection) -> bool:
    return bool(conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _newer_ledger(path: Path, version: int) -> NewerLedger:
    return NewerLedger(
        f"The ledger {str(path)!r} has version {version}; this relaybook "
        f"knows versions up to {len(MIGRATIONS)}.",
        next="upgrade relaybook, or name another ledger with --store",
    )
