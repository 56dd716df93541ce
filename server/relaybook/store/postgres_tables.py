"""The tables of a ledger in PostgreSQL: made, brought up to date, told from those of others."""

import re

from relaybook.errors import NewerLedger, NotALedger, StoreUnreachable
from relaybook.store.base import Tx
from relaybook.store.schema import MIGRATIONS, VERSION_TABLE

#: Marks our version table, and so a schema, as a ledger.
MARK = "relaybook ledger"

_WORDS = {"int": "BIGINT", "real": "DOUBLE PRECISION", "strict": "", "keyed": ""}


def migrate(tx: Tx, name: str) -> None:
    """Bring the tables up to date, one process at a time.

    Raises:
        NotALedger, NewerLedger, StoreUnreachable: as `version_of` does.
    """
    tx.lock("relaybook migrations")
    version = version_of(tx, name)
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


def version_of(tx: Tx, name: str) -> int:
    """The version of the tables; 0 if the schema is empty.

    Raises:
        NotALedger: the schema holds tables that are not ours.
        NewerLedger: a later relaybook wrote them.
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
        return _known(tx.rows("SELECT max(version) FROM schema_version")[0][0], name)
    if found:
        raise NotALedger(
            f"The schema of {name} holds tables that are not relaybook's; it was left as it is.",
            allowed="an empty schema",
            next="create one, and end the URL of --store with ?options=-csearch_path%3Dits_name",
        )
    return 0


def _known(version: int, name: str) -> int:
    if version <= len(MIGRATIONS):
        return version
    raise NewerLedger(
        f"The ledger {name} has version {version}; this relaybook "
        f"knows versions up to {len(MIGRATIONS)}.",
        next="upgrade relaybook, or name another ledger with --store",
    )
