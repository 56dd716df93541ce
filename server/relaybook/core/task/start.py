"""What a start of a task needs."""

from typing import Any

from relaybook.core.policy import MAX_FAILURES
from relaybook.core.scope import FREE
from relaybook.core.task.case import Case
from relaybook.core.task.close import questions_open, refuse_decided, refuse_over
from relaybook.core.task.command import Change, Start
from relaybook.core.task.status import breaker_open, failed_for_good, waits_for_decision
from relaybook.errors import (
    AlreadyInProgress,
    Blocked,
    BreakerOpen,
    Held,
    RetriesUsedUp,
    TooManyInProgress,
)
from relaybook.model import EventType, Scope, Status, Task, Workflow

DECISIONS = "retry failed tasks, adjust the plan, or accept the partial results"


def start(case: Case, c: Start) -> list[Change]:
    task = case.tasks[c.task_id]
    refuse_decided(case.workflow, task)
    if task.status is Status.IN_PROGRESS:
        return _start_again(task, c)
    refuse_start(case.workflow, task)
    refuse_held(case, task)
    said: dict[str, Any] = {"claim": c.claim, "lease_seconds": c.lease_seconds}
    if c.session_key is not None:
        said["session_key"] = c.session_key
    if c.prompt is not None:
        said["prompt"] = c.prompt
    if c.override:
        said |= {"override": c.override, "findings": list(c.overrides)}
    return [(EventType.TASK_STARTED, task.id, said)]


def _start_again(task: Task, c: Start) -> list[Change]:
    if c.session_key in (None, task.session_key):
        return []
    if task.session_key is None:
        return [(EventType.SESSION_BOUND, task.id, {"session_key": c.session_key})]
    raise AlreadyInProgress(
        f"Task {task.id!r} is in progress in session {task.session_key!r}.",
        allowed="one attempt at a time",
        next="wait for that session, or give its claim back with status 'pending'",
    )


def refuse_start(workflow: Workflow, task: Task) -> None:
    """Refuse unless `task` may start now; a task in progress is not asked about.

    Raises:
        AlreadyOver, QuestionsOpen, RetriesUsedUp, BreakerOpen, Blocked, TooManyInProgress.
    """
    _refuse_ended(workflow, task)
    if breaker_open(workflow.failed, workflow.total):
        raise BreakerOpen(
            f"{workflow.failed} tasks of workflow {workflow.id!r} have failed: nothing starts.",
            allowed="finishing what is in progress, and aggregate",
            next=f"ask the user, then call resolve: {DECISIONS}; "
            "if they chose to adjust already, change_plan",
        )
    if waits_for_decision(task):
        raise Blocked(
            f"Task {task.id!r} waits for the decision whether its condition holds.",
            allowed="tasks whose condition was found to hold",
            next=f"resolve(decision='applicable' or 'not_applicable', task_id={task.id!r})",
        )
    if task.waiting_on:
        raise Blocked(
            f"Task {task.id!r} waits for {task.waiting_on - task.undecided} task(s) before it.",
            allowed="tasks whose dependencies are completed",
            next="call get_workflow for what is ready",
        )
    if workflow.in_progress >= workflow.max_parallel:
        raise TooManyInProgress(
            f"{workflow.in_progress} tasks of workflow {workflow.id!r} are in progress.",
            allowed=f"{workflow.max_parallel} at once",
            next="finish or give back one first",
        )


def _refuse_ended(workflow: Workflow, task: Task) -> None:
    """Refuse a task that is over, or whose questions are still to be answered."""
    refuse_over(workflow, task)
    if task.status is Status.INPUT_REQUIRED:
        raise questions_open(task)
    failed = task.failures + (task.status is Status.REVIEW)
    if failed_for_good(task) or _reviewed_for_good(task):
        raise RetriesUsedUp(
            f"Task {task.id!r} is {task.status} after {failed} failed attempts; none is left.",
            allowed=f"{MAX_FAILURES} attempts a task, none after a final error",
            next=f"call resolve: {DECISIONS}",
        )


def _reviewed_for_good(task: Task) -> bool:
    """In review with no retry left: a start would count as one more failed attempt."""
    return task.status is Status.REVIEW and task.failures + 1 >= MAX_FAILURES


def refuse_held(case: Case, task: Task) -> None:
    """Refuse while another task writes what `task` would write.

    Raises:
        Held: with the holder's name.
    """
    if case.held_by:
        scope = case.held_by[0]
        raise Held(
            f"Task {task.id!r} is held: task {scope.task_id!r} of workflow "
            f"{scope.workflow_id!r} is writing {scope.path!r}.{_closed(scope)}",
            allowed="one writer of a path or resource at a time in a project",
            next="start another task; this one is offered when that one ends",
            task_id=task.id,
        )


def _closed(scope: Scope) -> str:
    """How the scope of a closed workflow, in which nothing goes on, becomes free."""
    return f" That workflow is {scope.closed_as}: {FREE}." if scope.closed_as else ""
