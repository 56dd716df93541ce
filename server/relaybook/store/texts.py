"""Texts: specifications, prompts, outputs and results, each once under its hash."""

from collections.abc import Iterable

from relaybook.core.text import text_hash
from relaybook.store.base import Tx

ADD_TEXT = (
    "INSERT INTO texts (workflow_id, hash, body) VALUES (:workflow_id, :hash, :body)"
    " ON CONFLICT DO NOTHING"
)


def put_texts(tx: Tx, workflow_id: str, bodies: Iterable[str]) -> None:
    """Keep each of `bodies`, once, under the hash of what was sent."""
    tx.many(
        ADD_TEXT,
        ({"workflow_id": workflow_id, "hash": text_hash(body), "body": body} for body in bodies),
    )


def get_text(tx: Tx, workflow_id: str, name: str) -> str:
    """The text that `name`, a hash on record, stands for."""
    sql = "SELECT body FROM texts WHERE workflow_id = :workflow_id AND hash = :hash"
    return tx.rows(sql, {"workflow_id": workflow_id, "hash": name})[0][0]
