"""Which workflows have stages, and what the tasks of stages are called."""

from relaybook.errors import InvalidArguments
from relaybook.model import Pattern, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_task
from relaybook.store.tables import TASKS


def stage_id(place: int | None) -> str:
    """The id of the task of a stage."""
    return f"stage-{place}"


def stage_at(tx: Tx, workflow: Workflow, place: int | None) -> Task:
    """The task at that place of a workflow of stages, as answers number it.

    Raises:
        InvalidArguments: the workflow has no stages.
        UnknownTask: there is none at that place.
    """
    refuse_without_stages(tx, workflow)
    where = "WHERE workflow_id = :id AND position = :place"
    found = TASKS.find(tx, where, id=workflow.id, place=place)
    return found[0] if found else get_task(tx, workflow.id, stage_id(place))


def has_stages(tx: Tx, workflow: Workflow) -> bool:
    """Whether a workflow was planned in stages; one that replaced its first still was."""
    if workflow.pattern is not Pattern.PIPELINE:
        return False
    sql = "SELECT 1 FROM tasks WHERE workflow_id = :id AND id = :first AND slug IS NOT NULL"
    return bool(tx.rows(sql, {"id": workflow.id, "first": stage_id(0)}))


def refuse_without_stages(tx: Tx, workflow: Workflow) -> None:
    """Refuse to advance a workflow that was planned in tasks.

    Raises:
        InvalidArguments: it has no stages.
    """
    if not has_stages(tx, workflow):
        raise InvalidArguments(
            f"Workflow {workflow.id!r} ({workflow.pattern}) has no stages to advance.",
            allowed="update_task or claim_task for its tasks",
            next="update_task(workflow_id, task_id, status='in_progress') for one that "
            "get_workflow lists under `ready`",
        )
