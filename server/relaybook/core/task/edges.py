"""The edges of a plan: which lead to a task, and when each lets it start."""

from collections.abc import Iterable

from relaybook.core.task.status import failed_for_good
from relaybook.model import SETTLED, Edge, EdgeKind, Status, Task


def edges_of(
    task_id: str, needs: Iterable[str], *, on_failure: str | None, instead_of: str | None
) -> list[Edge]:
    """The edges that lead to a task, from what its specification says."""
    edges = [Edge(need, task_id) for need in needs]
    others = ((on_failure, EdgeKind.ON_FAILURE), (instead_of, EdgeKind.INSTEAD_OF))
    return edges + [Edge(other, task_id, kind) for other, kind in others if other is not None]


def lets_start(kind: EdgeKind, task: Task) -> bool:
    """Whether `task`, waited for by an edge of this kind, no longer holds the other back."""
    if kind is EdgeKind.ON_FAILURE:
        return failed_for_good(task)
    if kind is EdgeKind.INSTEAD_OF:
        return task.status is Status.NOT_APPLICABLE
    return task.status in SETTLED and task.hooks_due is None
