"""forecast: how far a workflow is and when it will be done, by what its templates took before."""

from typing import Any

from relaybook.core.cost import expected_minutes_from
from relaybook.core.forecast import minutes_left
from relaybook.core.task.status import workflow_status
from relaybook.engine.desk import Desk
from relaybook.engine.history import minutes_taken
from relaybook.model import Status, Task
from relaybook.store.cases import get_workflow
from relaybook.store.tables import TASKS

_LEFT = "WHERE workflow_id = :id AND replaced_by IS NULL AND ended_at IS NULL ORDER BY position"


def forecast(desk: Desk, workflow_id: str) -> dict[str, Any]:
    """Counts of the tasks, those in progress with their minutes, and the minutes left.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    now = desk.clock()
    with desk.store.read() as tx:
        workflow = get_workflow(tx, workflow_id)
        left = TASKS.find(tx, _LEFT, id=workflow_id)
        known = {name: minutes_taken(tx, name) for name in {task.template for task in left}}
    lines = [_line(task, known[task.template], now) for task in left]
    running = [line for line, task in zip(lines, left, strict=True) if _runs(task)]
    chain = max((task.chain for task in left if not _runs(task)), default=0.0)
    pairs = [(line["expected_minutes"], line["minutes"]) for line in lines]
    return {
        "workflow_id": workflow.id,
        "name": workflow.name,
        "status": str(workflow_status(workflow)),
        "done": workflow.completed,
        "total": workflow.total - workflow.not_applicable,
        "failed": workflow.failed,
        "minutes_left": round(minutes_left(pairs, workflow.max_parallel, chain), 1),
        "running": running,
    }


def _runs(task: Task) -> bool:
    return task.status is Status.IN_PROGRESS


def _line(task: Task, history: list[float], now: float) -> dict[str, Any]:
    expected, _ = expected_minutes_from(history, task.expected_minutes)
    started = task.started_at if _runs(task) and task.started_at is not None else now
    return {
        "task_id": task.id,
        "label": task.label,
        "minutes": round((now - started) / 60, 1),
        "expected_minutes": round(expected, 1),
    }
