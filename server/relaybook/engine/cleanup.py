"""cleanup: ended workflows that nobody needs any more leave the ledger, with all that is theirs."""

from typing import Any

from relaybook.core.policy import KEPT_DAYS
from relaybook.engine.desk import Desk
from relaybook.errors import InvalidArguments

#: Workflows removed in one transaction, so that others wait only briefly.
BATCH = 50
NAMED = 20

_ENDED = "FROM workflows WHERE ended_at IS NOT NULL AND ended_at < :before AND "


def cleanup(desk: Desk, *, days: float = KEPT_DAYS, dry_run: bool = False) -> dict[str, Any]:
    """Remove the workflows that ended more than `days` days ago, the oldest first.

    Raises:
        InvalidArguments: days is negative or no number.
    """
    if not 0 <= days < 100_000:
        raise InvalidArguments(f"days is {days}.", allowed="0 or more", next="correct it")
    before = desk.clock() - days * 86_400
    with desk.store.read() as tx:
        count = tx.rows(f"SELECT count(*) {_ENDED}{tx.sight.of_project}", {"before": before})[0][0]
        ended = f"{_ENDED}{tx.sight.of_project}"
        oldest = f"SELECT id {ended} ORDER BY ended_at LIMIT {NAMED}"
        names = [row[0] for row in tx.rows(oldest, {"before": before})]
    if not dry_run:
        while _remove(desk, before):
            pass
    done = "would be removed" if dry_run else "removed"
    return {
        "removed": 0 if dry_run else count,
        "found": count,
        "workflows": names,
        "summary": f"{count} workflow(s) that ended over {days:g} days ago {done}",
        "next": "cleanup without dry_run" if dry_run and count else "get_workflow",
    }


def _remove(desk: Desk, before: float) -> int:
    """Remove one batch and answer its size."""
    with desk.store.transaction() as tx:
        some = f"SELECT id {_ENDED}{tx.sight.of_project} ORDER BY ended_at LIMIT {BATCH}"
        names = [row[0] for row in tx.rows(some, {"before": before})]
        for name in names:
            tx.rows("DELETE FROM workflows WHERE id = :id", {"id": name})
    return len(names)
