"""Which workflows have stages, and what the tasks of stages are called."""

from relaybook.errors import InvalidArguments
from relaybook.model import Pattern, Workflow
from relaybook.store.base import Tx


def stage_id(place: int | None) -> str:
    """The id of the task of a stage."""
    return f"stage-{place}"


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
