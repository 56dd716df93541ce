"""A workflow closed by the user: how it comes to that, and that nothing happens to it after."""

from relaybook.core.scope import FREE
from relaybook.core.task.case import Case
from relaybook.core.task.command import Change, Close
from relaybook.core.task.status import workflow_status
from relaybook.errors import AlreadyOver, BadInput, Blocked, QuestionsOpen, WorkflowEnded
from relaybook.model import (
    OVER,
    Decision,
    EventType,
    Pattern,
    Status,
    Task,
    Workflow,
    WorkflowStatus,
)

STOP = "stop working on it"


_OVER = (WorkflowStatus.COMPLETED, WorkflowStatus.PARTIAL, WorkflowStatus.CANCELLED)


def more_work(workflow: Workflow) -> str:
    """The call for what is still missing where a task is done with: no result is replaced."""
    call = "create_workflow" if workflow_status(workflow) in _OVER else "change_plan(add=[…])"
    return f"if something is missing, {call} with a task for it; what is recorded stays"


def refuse_over(workflow: Workflow, task: Task) -> None:
    """Refuse a task that is done with.

    Raises:
        AlreadyOver: it is completed, cancelled or not applicable.
    """
    if task.status in OVER:
        raise AlreadyOver(
            f"Task {task.id!r} is {task.status}; it is done with.",
            allowed="tasks that are pending or may be retried",
            next=f"call get_workflow for what is ready; {more_work(workflow)}",
        )


def refuse_decided(workflow: Workflow, task: Task | None = None) -> None:
    """Refuse if the user has closed the workflow; says how `task` then frees what it writes.

    Raises:
        WorkflowEnded: it is cancelled, accepted as partial or finished.
    """
    if workflow.decision is not None:
        raise WorkflowEnded(
            f"Workflow {workflow.id!r} was closed as {workflow.decision}.",
            allowed="get_workflow and aggregate",
            next=STOP if task is None or not _holds(task) else f"{STOP}; {FREE}",
        )


def _holds(task: Task) -> bool:
    """Whether nobody else may write what `task` writes."""
    return task.status is Status.IN_PROGRESS and task.writes is not None


def refuse_unfailed(workflow: Workflow, decision: str) -> None:
    """Refuse a decision about failed tasks where there is none.

    Raises:
        BadInput: no task has failed.
    """
    if not workflow.failed:
        raise BadInput(
            f"Workflow {workflow.id!r} has no failed task.",
            allowed=f"{decision} after a failure",
            next="call get_workflow for what is ready",
        )


def close(case: Case, c: Close) -> list[Change]:
    workflow = case.workflow
    if workflow.decision is c.decision:
        return []
    refuse_decided(workflow)
    if workflow_status(workflow) is WorkflowStatus.COMPLETED:
        raise WorkflowEnded(
            f"Workflow {workflow.id!r} is completed: every task is done.", next="call aggregate"
        )
    if c.decision is Decision.FINISHED:
        _refuse_finish(workflow)
    if c.decision is Decision.PARTIAL and not workflow.cancelled:
        refuse_unfailed(workflow, "accept_partial")
    said = {"decision": str(c.decision), "reason": c.reason}
    return [(EventType.DECISION_RECORDED, None, said)]


def _refuse_finish(workflow: Workflow) -> None:
    if workflow.pattern is not Pattern.SUPERVISOR:
        raise BadInput(
            f"Workflow {workflow.id!r} is a {workflow.pattern}; it ends by itself.",
            allowed="finish for supervisor workflows",
            next="call get_workflow for what is left to do",
        )
    if workflow.completed + workflow.not_applicable != workflow.total:
        raise Blocked(
            f"{workflow.total - workflow.completed - workflow.not_applicable} task(s) of "
            f"workflow {workflow.id!r} are not completed.",
            allowed="finish when every task is completed or not applicable",
            next="complete or drop them, or call resolve(decision='cancel')",
        )


def questions_open(task: Task) -> QuestionsOpen:
    """Why nothing goes on with a task whose worker asks something."""
    return QuestionsOpen(
        f"Task {task.id!r} waits for answers to its worker's questions.",
        next=f"resolve(decision='answer', task_id={task.id!r}, answers=[one for each question])",
    )
