"""cleanup: workflows that ended long ago are removed, with everything that belongs to them."""

from itertools import accumulate
from typing import Any

from relaybook.core.policy import KEPT_DAYS
from relaybook.engine.desk import Desk
from relaybook.engine.retry import retried
from relaybook.errors import InvalidArguments
from relaybook.store.base import Tx

#: Workflows removed in one transaction, and how many tasks and events they may have in all, so
#: that others wait only briefly; one that is larger goes by itself.
BATCH, BATCH_ROWS = 50, 20_000
NAMED = 20
DAYS_LIMIT = 100_000

_ENDED = "FROM workflows WHERE ended_at IS NOT NULL AND ended_at < :before AND "
_DELETE = "DELETE FROM workflows WHERE id = :id AND ended_at < :before RETURNING id"


def cleanup(desk: Desk, *, days: float = KEPT_DAYS, dry_run: bool = False) -> dict[str, Any]:
    """Remove the workflows that ended more than `days` days ago, the oldest first.

    Raises:
        InvalidArguments: days is outside its range.
    """
    if not 0 <= days <= DAYS_LIMIT:
        raise InvalidArguments(f"days is {days}.", allowed=f"0 to {DAYS_LIMIT}", next="correct it")
    before = desk.clock() - days * 86_400
    with desk.store.read() as tx:
        count = tx.rows(f"SELECT count(*) {_ENDED}{tx.sight.of_project}", {"before": before})[0][0]
        ended = f"{_ENDED}{tx.sight.of_project}"
        oldest = f"SELECT id {ended} ORDER BY ended_at LIMIT {NAMED}"
        names = [row[0] for row in tx.rows(oldest, {"before": before})]
    removed = 0 if dry_run else _remove_all(desk, before)
    told = f"{count} would be removed" if dry_run else f"{removed} removed"
    return {
        "removed": removed,
        "found": count,
        "workflows": names,
        "summary": f"of the workflows that ended over {days:g} days ago {told}",
        "next": "cleanup without dry_run" if dry_run and count else "get_workflow",
    }


def _remove_all(desk: Desk, before: float) -> int:
    removed = 0
    while batch := _remove(desk, before):
        removed += batch
    return removed


@retried
def _remove(desk: Desk, before: float) -> int:
    """Remove one batch and answer its size; 0 if none is left.

    The rows are locked in the order of their ids, as whoever else removes some locks them.
    """
    with desk.store.transaction() as tx:
        names = sorted(_batch(tx, before))
        return sum(len(tx.rows(_DELETE, {"id": name, "before": before})) for name in names)


def _batch(tx: Tx, before: float) -> list[str]:
    """The workflows that ended first, as many as one transaction may remove."""
    ended = f"{_ENDED}{tx.sight.of_project}"
    sql = f"SELECT id, total + seq {ended} ORDER BY ended_at, id LIMIT {BATCH}"
    found = tx.rows(sql, {"before": before})
    sizes = accumulate(row[1] for row in found)
    return [row[0] for row, size in zip(found, sizes, strict=True) if size <= BATCH_ROWS] or [
        row[0] for row in found[:1]
    ]
