"""What a call looks at while it waits for a workflow."""

from collections.abc import Sequence

from relaybook.core.task.status import is_expired
from relaybook.engine.desk import Desk
from relaybook.engine.view.attention import held_tasks
from relaybook.store.cases import get_workflow
from relaybook.store.tables import TASKS


def workflow_seq(desk: Desk, workflow_id: str) -> int:
    """The number of the last event of a workflow.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    with desk.store.read() as tx:
        return get_workflow(tx, workflow_id).seq


def workflow_ended(desk: Desk, workflow_id: str) -> bool:
    """Whether a workflow has ended, so that nobody is at work in it.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    with desk.store.read() as tx:
        return get_workflow(tx, workflow_id).ended_at is not None


def holders(desk: Desk, workflow_id: str) -> list[tuple[str, str]]:
    """The tasks, by workflow and id, that hold tasks of a workflow by what they are writing.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    with desk.store.read() as tx:
        lines = held_tasks(tx, get_workflow(tx, workflow_id), desk.clock())
    writing = [each["by"] for each in lines if "by" in each]
    return list(dict.fromkeys((by["workflow_id"], by["task_id"]) for by in writing))


def all_writing(desk: Desk, names: Sequence[tuple[str, str]]) -> bool:
    """Whether each of these tasks is still in progress, within its lease."""
    where = "WHERE workflow_id = :workflow_id AND id = :id AND status = 'in_progress'"
    with desk.store.read() as tx:
        for workflow_id, task_id in names:
            found = TASKS.find(tx, where, workflow_id=workflow_id, id=task_id)
            if not found or is_expired(found[0], desk.clock()):
                return False
    return True
