"""The words that are derived, never stored: a workflow's status, ready, retryable, expired …"""

from collections.abc import Mapping
from operator import attrgetter

from relaybook.core.policy import BREAKER_FAILURES, MAX_FAILURES
from relaybook.model import Decision, Pattern, Status, Task, Workflow, WorkflowStatus

#: Workflow statuses in which nothing more will happen by itself.
ENDED = frozenset(
    {
        WorkflowStatus.COMPLETED,
        WorkflowStatus.FAILED,
        WorkflowStatus.PARTIAL,
        WorkflowStatus.CANCELLED,
    }
)

#: The derived words beside the status of a workflow, each of which calls for somebody.
FLAGS = ("breaker_open", "blocked", "stalled", "update_due", "replan")

#: The counters of a workflow row that count its tasks.
COUNTERS = (
    "total",
    "pending",
    "ready",
    "undecided",
    "in_progress",
    "input_required",
    "review",
    "completed",
    "failed",
    "retryable",
    "cancelled",
    "not_applicable",
)
_counters_of = attrgetter(*COUNTERS)


def counts_of(workflow: Workflow) -> dict[str, int]:
    """The counters of `workflow` by name."""
    return dict(zip(COUNTERS, _counters_of(workflow), strict=True))


def workflow_status(workflow: Workflow) -> WorkflowStatus:
    """The first that holds of cancelled, partial, completed, in_progress, failed, pending."""
    return status_from(workflow.pattern, workflow.decision, counts_of(workflow))


def status_from(
    pattern: Pattern, decision: Decision | None, counts: Mapping[str, int]
) -> WorkflowStatus:
    """The same from the counters alone."""
    if decision is Decision.CANCELLED:
        return WorkflowStatus.CANCELLED
    if decision is Decision.PARTIAL:
        return WorkflowStatus.PARTIAL
    done = counts["completed"] + counts["not_applicable"] == counts["total"]
    if done and (pattern is not Pattern.SUPERVISOR or decision is Decision.FINISHED):
        return WorkflowStatus.COMPLETED
    if counts["in_progress"] or counts["input_required"] or counts["review"]:
        return WorkflowStatus.IN_PROGRESS
    if counts["ready"] or counts["retryable"] or counts["undecided"]:
        return WorkflowStatus.IN_PROGRESS
    if breaker_open(counts["failed"], counts["total"]):
        return WorkflowStatus.IN_PROGRESS
    if counts["failed"] or counts["cancelled"]:
        return WorkflowStatus.FAILED
    return WorkflowStatus.PENDING


def all_done(workflow: Workflow) -> bool:
    """Every task is completed or not applicable; a supervisor goes on until it is finished."""
    return workflow.completed + workflow.not_applicable == workflow.total


def breaker_open(failed: int, total: int) -> bool:
    """Three tasks are failed at once, or all of them where there are fewer."""
    return failed >= min(BREAKER_FAILURES, max(total, 1))


def ready_now(workflow: Workflow) -> int:
    """How many pending tasks nothing holds back but what others write: none with the breaker open."""
    stopped = workflow.ended_at is not None or breaker_open(workflow.failed, workflow.total)
    return 0 if stopped else workflow.ready


def is_ready(task: Task) -> bool:
    """Pending, and nothing before it holds it back."""
    return task.status is Status.PENDING and task.waiting_on == 0


def waits_for_decision(task: Task) -> bool:
    """Pending, and held back by nothing but the open question whether its condition holds."""
    return task.status is Status.PENDING and task.undecided == task.waiting_on == 1


def is_retryable(task: Task) -> bool:
    """Failed, not for good, and fewer than three times."""
    return task.status is Status.FAILED and not task.final and task.failures < MAX_FAILURES


def failed_for_good(task: Task) -> bool:
    """Failed with no retry left."""
    return task.status is Status.FAILED and not is_retryable(task)


def is_expired(task: Task, now: float) -> bool:
    """In progress, and its lease has run out."""
    return (
        task.status is Status.IN_PROGRESS
        and task.lease_until is not None
        and task.lease_until <= now
    )
