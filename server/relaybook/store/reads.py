"""How far the results of a workflow were read: a bookmark, and no event of the work."""

from relaybook.store.base import Tx


def read_up_to(tx: Tx, workflow_id: str) -> int:
    """The `seq` of the last digest that was read to its end; 0 if none was."""
    rows = tx.rows("SELECT seq FROM reads WHERE workflow_id = :id", {"id": workflow_id})
    return rows[0][0] if rows else 0


def note_read(tx: Tx, workflow_id: str, seq: int) -> None:
    """Note that a digest of what stood at `seq` was read to its end."""
    tx.rows(
        "INSERT INTO reads (workflow_id, seq) SELECT id, :seq FROM workflows WHERE id = :id"
        " ON CONFLICT (workflow_id) DO UPDATE SET seq = excluded.seq"
        " WHERE reads.seq < excluded.seq",
        {"id": workflow_id, "seq": seq},
    )
