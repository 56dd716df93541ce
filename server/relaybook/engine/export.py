"""export and import: a workflow leaves the ledger as a document, and comes back whole or not at all.

A workflow that was imported goes on where it was: with its claims, its leases and its plan.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook import __version__
from relaybook.core.export import Exported, document, read_document
from relaybook.core.task.status import workflow_status
from relaybook.engine.desk import Desk
from relaybook.engine.view.advice import progress
from relaybook.engine.view.unsettled import next_now
from relaybook.errors import AlreadyThere
from relaybook.model import Status, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow
from relaybook.store.events import read_events
from relaybook.store.restore import restore, texts_of
from relaybook.store.scopes import find_holders

#: How many values one statement looks for.
LOOKED_FOR = 500

_CLAIMED = "SELECT claim FROM attempts WHERE claim IN ({names})"
_NAMED = "SELECT slug FROM tasks WHERE slug IN ({names})"


def export_workflow(desk: Desk, workflow_id: str) -> dict[str, Any]:
    """The workflow as a document that `import_workflow` takes, in this ledger or another.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    with desk.store.read() as tx:
        workflow = get_workflow(tx, workflow_id)
        events = read_events(tx, workflow_id, limit=workflow.seq)
        return document(events, texts_of(tx, workflow_id), __version__)


def import_workflow(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    """Replay the events of a document; this ledger learns from them what the other one did.

    Raises:
        InvalidExport: it is no document, or it is not as it was written.
        AlreadyThere: something that only one workflow can have is taken here.
    """
    exported = read_document(said)
    workflow = exported.case.workflow
    with desk.store.transaction() as tx:
        _refuse_taken(tx, exported)
        restore(tx, exported.events, exported.texts)
        call = next_now(tx, workflow, desk.clock())
    return {
        "workflow_id": workflow.id,
        "status": str(workflow_status(workflow)),
        "progress": progress(workflow),
        "seq": workflow.seq,
        "summary": f"{workflow.pattern} {workflow.name!r}: {workflow.seq} events replayed",
        "next": call,
    }


def _refuse_taken(tx: Tx, exported: Exported) -> None:
    workflow = exported.case.workflow
    if tx.rows("SELECT 1 FROM workflows WHERE id = :id", {"id": workflow.id}):
        raise _taken(workflow, "There is a workflow of this id")
    sql = "SELECT id FROM workflows WHERE request_id = :request_id"
    if tx.rows(sql, {"request_id": workflow.request_id}):
        raise _taken(workflow, f"Another workflow has its request_id {workflow.request_id!r}")
    claims = {attempt.claim: attempt.task_id for attempt in exported.case.attempts.values()}
    if claim := _first_found(tx, _CLAIMED, list(claims)):
        raise _taken(workflow, f"Another workflow has the claim of its task {claims[claim]!r}")
    tasks = exported.case.tasks.values()
    if slug := _first_found(tx, _NAMED, [task.slug for task in tasks if task.slug]):
        raise _taken(workflow, f"Another workflow has its work item {slug!r}")
    for task in tasks:
        if task.status is Status.IN_PROGRESS and task.writes is not None:
            tx.lock(f"scopes of {workflow.project}")
            for scope in find_holders(tx, workflow.project, task):
                raise _taken(workflow, f"Task {scope.task_id!r} of {scope.workflow_id} writes what "
                             f"its task {task.id!r} writes")  # fmt: skip


def _first_found(tx: Tx, sql: str, values: Sequence[str]) -> str | None:
    """One of `values` that the ledger has; None if it has none of them."""
    for start in range(0, len(values), LOOKED_FOR):
        some = values[start : start + LOOKED_FOR]
        params = {f"value_{place}": value for place, value in enumerate(some)}
        found = tx.rows(sql.format(names=", ".join(f":{name}" for name in params)), params)
        if found:
            return found[0][0]
    return None


def _taken(workflow: Workflow, what: str) -> AlreadyThere:
    return AlreadyThere(
        f"{what}; {workflow.id!r} was not imported.",
        allowed="a ledger that has nothing of it",
        next="import it with --store into another ledger, or look at what is there",
    )
