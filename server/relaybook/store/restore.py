"""A whole workflow written at once, from all of its events."""

from collections.abc import Mapping, Sequence

from relaybook.core.task.case import Case, evolve, opened
from relaybook.model import Event, Status
from relaybook.store.base import Tx
from relaybook.store.learning import learn
from relaybook.store.ledger import as_stored, write_rows
from relaybook.store.scopes import hold_scopes
from relaybook.store.texts import ADD_TEXT

_TEXTS = "SELECT hash, body FROM texts WHERE workflow_id = :workflow_id ORDER BY hash"


def texts_of(tx: Tx, workflow_id: str) -> dict[str, str]:
    """Every text of a workflow, under its hash."""
    return {row[0]: row[1] for row in tx.rows(_TEXTS, {"workflow_id": workflow_id})}


def restore(tx: Tx, events: Sequence[Event], texts: Mapping[str, str]) -> None:
    """Write the rows that `events` lead to, their texts, and what the ledger learns from them."""
    after = evolve(opened(events[0]), events[1:])
    write_rows(tx, None, after, *as_stored(events))
    for task in after.tasks.values():
        if task.status is Status.IN_PROGRESS:
            hold_scopes(tx, after, task)
    named = [
        {"workflow_id": after.workflow.id, "hash": name, "body": body}
        for name, body in texts.items()
    ]
    tx.many(ADD_TEXT, named)
    _learn(tx, after, events)
    tx.tell(after.workflow.id, after.workflow.seq)


def _learn(tx: Tx, after: Case, events: Sequence[Event]) -> None:
    """As when each event happened; where no task has a skill nothing is learned."""
    if all(task.skill is None for task in after.tasks.values()):
        return
    case = opened(events[0])
    for event in events[1:]:
        then = evolve(case, [event])
        learn(tx, then.workflow, case.tasks, then.tasks, [event])
        case = then
