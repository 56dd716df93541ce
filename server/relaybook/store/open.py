"""Which store a name means: a path or `sqlite:///path` a file, `postgresql://…` a server."""

from pathlib import Path
from typing import TYPE_CHECKING

from relaybook.errors import StoreUnreachable
from relaybook.store.base import Durability, Store

if TYPE_CHECKING:
    from relaybook.store.postgres import PostgresStore

#: The schemes of a ledger in PostgreSQL, as libpq has them.
SERVERS = frozenset({"postgresql", "postgres"})


def open_store(name: str, durability: Durability = "full") -> Store:
    """The ledger at `name`, made there if nothing is.

    Raises:
        StoreUnreachable: it cannot be reached or written, or is of no kind that is known.
        NotALedger: something else is there.
        NewerLedger: a later relaybook wrote it.
    """
    path = file_of(name)
    if path is None:
        return _postgres()(name, durability)
    # Imported here, because what is not used need not be loaded.
    from relaybook.store.sqlite import SqliteStore

    return SqliteStore(path, durability)


def stored_version(name: str) -> int:
    """The version of the tables of the ledger at `name`, 0 if none are; nothing is changed.

    Raises:
        StoreUnreachable, NotALedger, NewerLedger: as `open_store` does.
    """
    path = file_of(name)
    if path is None:
        return _postgres().stored_version(name)
    from relaybook.store.sqlite_version import file_version

    return file_version(path)


def file_of(name: str) -> Path | None:
    """The file that `name` means; None if it means a server.

    After `sqlite:///` comes the path, relative or, with a fourth slash, absolute.

    Raises:
        StoreUnreachable: it is of no kind that is known.
    """
    scheme, found, rest = name.partition("://")
    if not found:
        return Path(name).expanduser()
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return Path(rest[1:]).expanduser()
    if scheme in SERVERS:
        return None
    raise StoreUnreachable(
        f"There is no store of the kind {scheme[:40]!r}.",
        allowed="a path, sqlite:///path, or postgresql://user@host/database",
        next="name one of these with --store or RELAYBOOK_STORE",
    )


def anywhere(name: str) -> str:
    """The same ledger's name for a process in any folder."""
    path = file_of(name)
    return name if path is None else str(path.absolute())


def _postgres() -> "type[PostgresStore]":
    try:
        # Imported here, because most ledgers are files and psycopg is an extra.
        from relaybook.store.postgres import PostgresStore
    except ImportError as error:
        raise StoreUnreachable(
            "A ledger in PostgreSQL needs psycopg, which is not installed.",
            next="pip install 'relaybook[postgres]', or name a file with --store",
        ) from error
    return PostgresStore
