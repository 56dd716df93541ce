"""Failures that were handled: by which task, and how what waits for the failed one goes on."""

from relaybook.errors import clip
from relaybook.model import Pattern, Workflow
from relaybook.store.base import Tx

#: How many failed tasks with their handlers are named.
SHOWN = 6


def handlers(tx: Tx, workflow: Workflow) -> dict[str, str]:
    """The tasks that failed for good, each with the task that completed in handling that."""
    if not workflow.failed:
        return {}
    sql = (
        "SELECT source.id, tasks.id FROM edges JOIN tasks ON tasks.workflow_id = edges.workflow_id"
        " AND tasks.id = edges.task_id JOIN tasks AS source ON"
        " source.workflow_id = edges.workflow_id AND source.id = edges.needs"
        " WHERE edges.workflow_id = :id AND edges.kind = 'on_failure'"
        " AND tasks.status = 'completed' AND source.status = 'failed' ORDER BY source.position"
    )
    return {row[0]: row[1] for row in tx.rows(sql, {"id": workflow.id})}


def told(found: dict[str, str]) -> str:
    """`fix handled the failure of small`, for each of the first few; empty if none was handled."""
    said = [f"{by} handled the failure of {name}" for name, by in list(found.items())[:SHOWN]]
    return clip("; ".join(said), 400)


def way_out(tx: Tx, workflow: Workflow) -> str:
    """The call by which tasks go on that wait for one whose failure was handled; or empty."""
    found = handlers(tx, workflow)
    if not found or not workflow.pending:
        return ""
    names = ", ".join(repr(name) for name in list(found)[:SHOWN])
    if workflow.pattern is Pattern.SUPERVISOR:
        return f"{told(found)}: change_plan(replaces=[{names}], reason) drops what failed"
    by = next(iter(found.values()))
    return (
        f"{told(found)}: change_plan(replaces=[{names}], add=[a task in its place, "
        f"with what {by} delivered in its args])"
    )
