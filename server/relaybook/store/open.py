"""Which store a name means: a path or `sqlite:///path` a file, `postgresql://…` a server."""

from pathlib import Path

from relaybook.errors import StoreUnreachable
from relaybook.store.base import Durability, Store
from relaybook.store.sqlite import SqliteStore


def open_store(name: str | Path, durability: Durability = "full") -> Store:
    """The ledger at `name`, made there if nothing is.

    After `sqlite:///` comes the path, relative or, with a fourth slash, absolute.

    Raises:
        StoreUnreachable: it cannot be reached or written, or is of no kind that is known.
        NotALedger: something else is there.
        NewerLedger: a later relaybook wrote it.
    """
    scheme, found, rest = str(name).partition("://")
    if not found:
        return SqliteStore(Path(name), durability)
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return SqliteStore(Path(rest[1:]), durability)
    if scheme in ("postgresql", "postgres"):
        return _postgres(str(name), durability)
    raise StoreUnreachable(
        f"There is no store of the kind {scheme[:40]!r}.",
        allowed="a path, sqlite:///path, or postgresql://user@host/database",
        next="name one of these with --store or RELAYBOOK_STORE",
    )


def _postgres(url: str, durability: Durability) -> Store:
    try:
        # Imported here, because most ledgers are files and psycopg is an extra.
        from relaybook.store.postgres import PostgresStore
    except ImportError as error:
        raise StoreUnreachable(
            "A ledger in PostgreSQL needs psycopg, which is not installed.",
            next="pip install 'relaybook[postgres]', or name a file with --store",
        ) from error
    return PostgresStore(url, durability)
