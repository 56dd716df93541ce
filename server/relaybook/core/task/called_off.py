"""What is not to run any more, because of what became of another task."""

from relaybook.core.task.case import Case
from relaybook.core.task.command import Change
from relaybook.model import OVER, EdgeKind, EventType


def handlers_not_needed(case: Case, task_id: str) -> list[Change]:
    """Handlers of a task that worked have nothing to handle, and so on along their own handlers."""
    return _called_off(case, task_id, EdgeKind.ON_FAILURE, f"task {task_id!r} did not fail")


def alternatives_not_needed(case: Case, task_id: str) -> list[Change]:
    return _called_off(case, task_id, EdgeKind.INSTEAD_OF, f"task {task_id!r} runs instead")


def _called_off(case: Case, task_id: str, kind: EdgeKind, reason: str) -> list[Change]:
    """What waits for a task by an edge of that kind is not to run, nor is what handles its failure."""
    changes: list[Change] = []
    for edge in case.edges.get(task_id, ()):
        waiting = case.tasks[edge.task_id]
        if edge.kind is kind and waiting.status not in OVER:
            changes.append((EventType.TASK_NOT_APPLICABLE, waiting.id, {"reason": reason}))
            changes += handlers_not_needed(case, waiting.id)
    return changes
