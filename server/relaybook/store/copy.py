"""One ledger into another, empty one, whatever databases are under them; every row verified.

What is copied is one moment of the source. All of it lands in the target, or nothing does.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from relaybook.errors import AlreadyThere, StoreFault
from relaybook.store.base import Row, Store, Tx
from relaybook.store.schema import KEYS

#: Rows that are held in memory at a time.
BATCH = 500


@dataclass(frozen=True, slots=True)
class Copied:
    """What one table holds on both sides."""

    table: str
    rows: int
    #: SHA-256 of the rows in the order of their keys, in hexadecimal.
    checksum: str


def copy_ledger(source: Store, target: Store) -> list[Copied]:
    """Copy every table, then read the target back and compare.

    Raises:
        AlreadyThere: the target is not empty.
        StoreFault: what was read back differs; the target is as empty as before.
    """
    with source.read() as from_, target.transaction() as to:
        to.lock("relaybook copy")
        _refuse_full(to)
        copied = [_copy(from_, to, table) for table in KEYS]
        for each in copied:
            found = _digest(to, each.table)
            if found != each:
                raise StoreFault(
                    f"Table {each.table!r} was copied wrong: {each.rows} rows became {found.rows}, "
                    f"checksum {each.checksum[:16]} became {found.checksum[:16]}.",
                    next="report it as a bug; nothing was copied",
                )
    return copied


def _refuse_full(to: Tx) -> None:
    for table in KEYS:
        if to.rows(f"SELECT 1 FROM {table} LIMIT 1"):
            raise AlreadyThere(
                f"The target of the copy is not empty: it has rows in {table!r}.",
                allowed="a ledger without a row",
                next="name a new file or an empty schema with --to",
            )


def _copy(from_: Tx, to: Tx, table: str) -> Copied:
    columns = from_.columns(table)
    places = ", ".join(f":{name}" for name in columns)
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
    digest, count = hashlib.sha256(), 0
    for batch in _batches(from_, table, columns):
        to.many(insert, [dict(zip(columns, row, strict=True)) for row in batch])
        count += len(batch)
        digest.update(_written(batch))
    return Copied(table, count, digest.hexdigest())


def _digest(tx: Tx, table: str) -> Copied:
    digest, count = hashlib.sha256(), 0
    for batch in _batches(tx, table, tx.columns(table)):
        count += len(batch)
        digest.update(_written(batch))
    return Copied(table, count, digest.hexdigest())


def _written(batch: list[Row]) -> bytes:
    """Rows as bytes, the same for both databases."""
    return "".join(f"{json.dumps(row)}\n" for row in batch).encode()


def _batches(tx: Tx, table: str, columns: list[str]) -> Iterator[list[Row]]:
    """All rows in the order of their key, each batch after the last row of the one before."""
    key = KEYS[table]
    places = [columns.index(name) for name in key]
    order = ", ".join(key)
    after = f"WHERE ({order}) > ({', '.join(f':{name}' for name in key)})"
    select = f"SELECT {', '.join(columns)} FROM {table}"
    batch = tx.rows(f"{select} ORDER BY {order} LIMIT {BATCH}")
    while batch:
        yield batch
        last = {name: batch[-1][place] for name, place in zip(key, places, strict=True)}
        batch = tx.rows(f"{select} {after} ORDER BY {order} LIMIT {BATCH}", last)
