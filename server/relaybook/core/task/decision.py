"""What the user decides about tasks: answers, retries, whether a condition holds."""

from relaybook.core.task.called_off import alternatives_not_needed, handlers_not_needed
from relaybook.core.task.case import Case
from relaybook.core.task.close import refuse_decided, refuse_unfailed
from relaybook.core.task.command import Answer, Cancel, Change, Decide, NameFailure, RetryFailed
from relaybook.errors import AlreadyOver, BadInput
from relaybook.model import OVER, EventType, Status, Task

#: The decision that the condition of a task holds.
APPLICABLE = "applicable"


def name_failure(case: Case, c: NameFailure) -> list[Change]:
    task = case.tasks[c.task_id]
    refuse_decided(case.workflow)
    if task.status is not Status.FAILED:
        raise AlreadyOver(
            f"Task {task.id!r} is {task.status}; it has no failure to name.",
            allowed="tasks with status 'failed'",
            next="call get_workflow for the tasks that failed",
        )
    if task.error_code == c.error_code:
        return []
    return [(EventType.FAILURE_NAMED, task.id, {"error_code": c.error_code})]


def answer(case: Case, c: Answer) -> list[Change]:
    task = case.tasks[c.task_id]
    if task.status is not Status.INPUT_REQUIRED:
        attempt = case.attempts.get((task.id, task.attempt))
        if attempt is not None and attempt.answer == c.answer:
            return []
        raise AlreadyOver(
            f"Task {task.id!r} is {task.status}; it asks nothing.",
            allowed="tasks with status 'input_required'",
            next="call get_workflow for what waits for the user",
        )
    refuse_decided(case.workflow)
    return [(EventType.TASK_ANSWERED, task.id, {"answer": c.answer})]


def cancel(case: Case, c: Cancel) -> list[Change]:
    task = case.tasks[c.task_id]
    if task.status is Status.CANCELLED:
        return []
    refuse_decided(case.workflow, task)
    if task.status in OVER:
        raise AlreadyOver(
            f"Task {task.id!r} is {task.status} and cannot be cancelled.",
            allowed="tasks that are not done with",
            next="call get_workflow for what is left",
        )
    return [(EventType.TASK_CANCELLED, task.id, {"reason": c.reason})]


def retry_failed(case: Case, c: RetryFailed) -> list[Change]:
    refuse_decided(case.workflow)
    refuse_unfailed(case.workflow, "retry_failed")
    named = [case.tasks[c.task_id]] if c.task_id else case.tasks.values()
    failed = [t for t in named if t.status is Status.FAILED]
    if not failed:
        task = case.tasks[c.task_id]
        raise BadInput(
            f"Task {task.id!r} is {task.status}; it has not failed.",
            allowed="tasks with status 'failed', or no task_id for all of them",
            next="call get_workflow for the tasks that failed",
        )
    said = {"decision": "retry_failed", "reason": c.reason}
    reopened: list[Change] = [(EventType.TASK_REOPENED, t.id, {}) for t in failed]
    return [(EventType.DECISION_RECORDED, None, said), *reopened]


def decide_condition(case: Case, c: Decide) -> list[Change]:
    task = case.tasks[c.task_id]
    if c.when and _is_decided(task, c.holds):
        return []
    refuse_decided(case.workflow)
    if not c.when:
        raise BadInput(
            f"Task {task.id!r} declares no condition; it cannot be skipped.",
            allowed="tasks whose plan has `when`",
            next="run it, or replace it with change_plan",
        )
    if task.status is not Status.PENDING or not task.undecided:
        raise AlreadyOver(
            f"Task {task.id!r} is {task.status}, and whether it applies was decided.",
            allowed="tasks that wait for this decision",
            next="call get_workflow for what is left",
        )
    if c.holds:
        said = {"decision": APPLICABLE, "reason": c.reason or f"holds: {c.when}"}
        decided = (EventType.DECISION_RECORDED, task.id, said)
        return [decided, *alternatives_not_needed(case, task.id)]
    said = {"reason": c.reason or f"does not hold: {c.when}"}
    return [(EventType.TASK_NOT_APPLICABLE, task.id, said), *handlers_not_needed(case, task.id)]


def _is_decided(task: Task, holds: bool) -> bool:
    """Whether the same decision about `task` is recorded already."""
    if task.status is Status.NOT_APPLICABLE:
        return not holds
    return holds and not task.undecided
