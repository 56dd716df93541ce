"""What a plan would write that others of its project are writing now."""

from itertools import islice

from relaybook.core.plan.guards import Finding
from relaybook.core.severity import Severity
from relaybook.core.task.case import Case
from relaybook.engine.plans.check import told
from relaybook.store.base import Tx
from relaybook.store.scopes import find_holders

#: How many of the tasks that write are looked at, and how many findings are told.
LOOKED_AT, SHOWN = 50, 5


def overlaps_now(tx: Tx, case: Case) -> list[dict[str, str]]:
    """A finding for each task of a new plan that would have to wait for a scope."""
    writers = (task for task in case.tasks.values() if task.writes is not None)
    held = (
        (task, holder)
        for task in islice(writers, LOOKED_AT)
        for holder in find_holders(tx, case.workflow.project, task)[:1]
    )
    return [
        told(
            Finding(
                Severity.INFO,
                "scope_held",
                f"task {task.id!r} would write what task {holder.task_id!r} of workflow "
                f"{holder.workflow_id!r} is writing: {holder.path[:200]}",
                "two that write the same at once lose each other's work",
                "nothing: it is held, and offered once that task has ended",
            )
        )
        for task, holder in islice(held, SHOWN)
    ]
