"""The workflow and task that an update is about: by their ids, or by its claim."""

from relaybook.engine.desk import Desk
from relaybook.engine.request import Update
from relaybook.errors import StaleClaim
from relaybook.store.base import Tx
from relaybook.store.cases import find_claim


def named(desk: Desk, update: Update) -> tuple[str, str]:
    """The workflow and task meant; the ledger is only asked if the claim has to tell."""
    if _names_both(update):
        return update.workflow_id, update.task_id
    with desk.store.look() as tx:
        return target(tx, update)


def target(tx: Tx, update: Update) -> tuple[str, str]:
    """The workflow and task meant: by their ids, or by the claim alone."""
    if update.claim is None or _names_both(update):
        return update.workflow_id, update.task_id
    found = find_claim(tx, update.claim)
    if update.task_id in ("", found[1]) and update.workflow_id in ("", found[0]):
        return found
    raise StaleClaim(
        f"This claim is on task {found[1]!r} of workflow {found[0]!r}, not on the one named.",
        allowed="the claim of the task named, or the claim alone",
        next="leave out workflow_id and task_id, or correct them",
    )


def _names_both(update: Update) -> bool:
    return update.claim is None or bool(update.workflow_id and update.task_id)
