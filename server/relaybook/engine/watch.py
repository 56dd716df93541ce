"""Marks to compare: whether what a URI shows has changed, without reading all of it."""

from collections.abc import Hashable, Iterable

from relaybook.engine.desk import Desk
from relaybook.store.base import Tx

_LEDGER = "ledger://"
_WORKFLOW = "ledger://workflows/"
#: Of how many workflows, those changed last, a mark of the whole ledger consists.
NEWEST = 100

_SEQ = "SELECT seq FROM workflows WHERE id = :id AND "
_NEWEST_CHANGE = "SELECT max(updated_at) FROM workflows WHERE "
_COUNT = "SELECT count(*) FROM workflows WHERE "
_NEWEST = "SELECT id, seq FROM workflows WHERE {} ORDER BY updated_at DESC, id LIMIT :limit"


def marks(desk: Desk, uris: Iterable[str]) -> dict[str, Hashable]:
    """For each of `uris` a mark that differs when what it shows may have changed.

    That of a URI which names a workflow follows that workflow, any other of the ledger
    every workflow, and what is not of the ledger keeps its mark.
    """
    with desk.store.read() as tx:
        everything = _everything(tx)
        return {uri: _mark(tx, uri, everything) for uri in uris}


def newest_change(desk: Desk) -> float | None:
    """When a workflow of the ledger changed last, in epoch seconds; None before the first."""
    with desk.store.read() as tx:
        return tx.rows(_NEWEST_CHANGE + tx.sight.of_project)[0][0]


def _mark(tx: Tx, uri: str, everything: Hashable) -> Hashable:
    if not uri.startswith(_LEDGER):
        return None
    name = uri.removeprefix(_WORKFLOW).split("/")[0]
    if not uri.startswith(_WORKFLOW) or name == "active":
        return everything
    return tuple(tx.rows(_SEQ + tx.sight.of_project, {"id": name}))


def _everything(tx: Tx) -> Hashable:
    newest = tx.rows(_NEWEST.format(tx.sight.of_project), {"limit": NEWEST})
    return tx.rows(_COUNT + tx.sight.of_project)[0][0], tuple(newest)
