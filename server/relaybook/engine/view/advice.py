"""The `next` of an answer: which call to make now, by what the ledger says."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from relaybook.core.failure import MEANINGS
from relaybook.core.policy import IDLE_REVIEWS_LIMIT, TRANSIENT
from relaybook.core.scope import FREE
from relaybook.core.task.status import (
    all_done,
    breaker_open,
    failed_for_good,
    is_retryable,
    workflow_status,
)
from relaybook.errors import clip
from relaybook.model import FailureCode, Pattern, Task, Workflow, WorkflowStatus

#: What starts the next stage, or the next task.
_STAGE = "advance_stage"
_TASK = "start the next: update_task(status='in_progress'), or let workers claim_task"
#: What goes on before the breaker of a skill has cooled down.
HAND_OVER = (
    "before then record(kind='handoff') to a skill that advance_stage names, if it names any"
)
#: What follows the decision to adjust.
CHANGE = "change_plan(add=[…], replaces=[the failed tasks]) with another prompt, or a split"
#: What goes on where nothing can start since tasks were cancelled.
_AFTER_CANCELS = (
    "ask the user: resolve(decision='accept_partial', reason), or change_plan(add=[…], "
    "replaces=[the cancelled tasks])"
)
#: How many tasks whose workers are to be stopped are named.
STOPPED_SHOWN = 6


def progress(workflow: Workflow) -> str:
    """How far a workflow is, as `3/5 complete`, of the tasks that apply."""
    return f"{workflow.completed}/{workflow.total - workflow.not_applicable} complete"


def failure_advice(workflow: Workflow, task: Task, handlers: Sequence[str]) -> str:
    """What to do about a failed task: wait, retry, reassign, split, or leave it.

    `handlers` are the tasks that its failure made ready.
    """
    if breaker_open(workflow.failed, workflow.total):
        return f"nothing starts until the user decides; then: {_advice(workflow, task, handlers)}"
    return _advice(workflow, task, handlers)


def repeats_itself(task: Task) -> bool:
    """Failed twice or more in the same way, with a retry left that is not likely to help."""
    return is_retryable(task) and task.same_error > 1 and task.error_code not in TRANSIENT


def before_retry(task: Task, call: str) -> str:
    """`call`, which may start `task` again, after what its repeated error calls for."""
    if not repeats_itself(task):
        return call
    changed = f"change_plan(replaces=[{task.id!r}], add=[…]) with another prompt, or a split"
    return f"{changed}; then {call}"


def result_advice(workflow: Workflow, task: Task) -> str | None:
    """What to do about a result that came in: a supervisor decides from each."""
    if workflow.pattern is not Pattern.SUPERVISOR:
        return None
    return (
        f"review it: record(kind='review', task_id={task.id!r}, "
        "entries=[{satisfied, looping, progressing, decision}])"
    )


def _advice(workflow: Workflow, task: Task, handlers: Sequence[str]) -> str:
    if failed_for_good(task):
        left = "go on without it and name the gap"
        if handlers:
            left = f"start what handles its failure: {clip(', '.join(handlers), 200)}"
        elif workflow.pattern is Pattern.PIPELINE:
            left = "report the steps before it: none after it can run, and none is skipped"
        return f"no retry is left: change_plan to replace it, or {left}"
    if repeats_itself(task):
        return (
            f"the same error {task.same_error} times in a row: change the prompt or split the "
            "task with change_plan instead of trying again"
        )
    retry = "retry: start it again, its prompt then carries the error"
    if task.error_code in TRANSIENT:
        retry += "; it may well pass by itself"
        if task.not_before is not None:
            retry += f"; it is offered from {timestamp(math.ceil(task.not_before))}"
        return retry
    if task.error_code and task.error_code != FailureCode.UNKNOWN:
        retry += f"; what helps: {MEANINGS[FailureCode(task.error_code)][1]}"
    return f"{retry}; or reassign it with change_plan, or record(kind='handoff')"


def next_call(
    workflow: Workflow,
    held: int = 0,
    *,
    staged: bool = False,
    running: Sequence[Task] = (),
    adjusting: bool = False,
    lost: Sequence[str] = (),
    review: str = "",
    later: str = "",
    reviewed: str = "",
    handled: str = "",
) -> str:
    """What an orchestrator does next; `held` tasks of those that may start are known to be held.

    `later` is what to do if any of the tasks held waits for a time, `reviewed` what the last review
    of a supervisor asks for, `handled` how tasks go on that wait for one whose failure was handled.

    `staged`: the workflow is one of stages. `running` are the tasks in progress of a closed
    workflow, `lost` those of an open one whose lease ran out; `adjusting` says that the user
    decided to adjust the plan. `review` is how to go on from the first task in review.
    """
    status = workflow_status(workflow)
    if status in (WorkflowStatus.CANCELLED, WorkflowStatus.PARTIAL):
        then = "nothing is left to do" if status is WorkflowStatus.CANCELLED else "aggregate"
        return f"{_stopping(running)}; then {then}" if running else then
    if status is WorkflowStatus.COMPLETED:
        return "aggregate"
    if adjusting or breaker_open(workflow.failed, workflow.total):
        return after_failures(adjusting)
    if workflow.input_required or workflow.review:
        call = review or "advance_stage: it says what the stage in review lacks"
        if workflow.input_required:
            call = "resolve(decision='answer', task_id, answers=[…]) for each task that asks"
        start = _start(workflow, held, staged, lost)
        return f"{call}; meanwhile {start}" if start else call
    if status is WorkflowStatus.FAILED:
        then = "resolve" if workflow.failed else _AFTER_CANCELS
        given_up = f"aggregate for what succeeded, then {then}"
        return f"{handled}; or {given_up}" if handled else given_up
    return reviewed or _going_on(workflow, held, staged, lost, later)


def after_failures(adjusting: bool) -> str:
    """What goes on after failures: the user decides, or has decided to adjust the plan."""
    if adjusting:
        return f"the user decided to adjust the plan: {CHANGE}"
    return "ask the user, then resolve: retry_failed, adjust or accept_partial"


def _stopping(running: Sequence[Task]) -> str:
    """How to stop what goes on in a closed workflow, and free what it writes."""
    names = ", ".join(task.id for task in running[:STOPPED_SHOWN])
    more = f" and {len(running) - STOPPED_SHOWN} more" if len(running) > STOPPED_SHOWN else ""
    said = f"stop the workers of {clip(names, 600)}{more}"
    leases = [task.lease_until or 0.0 for task in running if task.writes is not None]
    if not leases:
        return said
    return f"{said}; {FREE} (the last lease ends at {timestamp(max(leases))})"


def timestamp(at: float) -> str:
    """Epoch seconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_when(at: float, now: float) -> str:
    """When something may be done that is to be waited for."""
    return f"in {math.ceil(at - now)} s, from {timestamp(math.ceil(at))}"


def start_later(at: float, now: float, *, staged: bool) -> str:
    """The call that starts a task, for when it is time."""
    return f"{from_when(at, now)}: {_STAGE if staged else _TASK}"


def has_fresh(workflow: Workflow, held: int) -> bool:
    """Whether a task that is not in progress may start, as far as the counters tell."""
    room = workflow.in_progress < workflow.max_parallel
    return room and workflow.ready + workflow.retryable > held


def _start(workflow: Workflow, held: int, staged: bool, lost: Sequence[str]) -> str:
    """The call that starts a task, one that never was before a lost one; empty if none may start."""
    fresh = has_fresh(workflow, held)
    if not fresh and not lost:
        return ""
    if staged:
        return _STAGE
    if fresh:
        return _TASK
    return (
        "start what is overdue again, its lease ran out: "
        f"update_task(task_id={lost[0]!r}, status='in_progress'), or let workers claim_task"
    )


def _going_on(workflow: Workflow, held: int, staged: bool, lost: Sequence[str], later: str) -> str:
    """The next call where nothing waits for the user."""
    if workflow.idle_reviews >= IDLE_REVIEWS_LIMIT:
        return (
            f"replan: {workflow.idle_reviews} reviews in a row saw no progress; state the facts "
            "anew, then change_plan"
        )
    if workflow.undecided:
        return (
            "resolve(decision='applicable' or 'not_applicable', task_id) for each task that is "
            "undecided; resolve without a decision names them with their conditions"
        )
    if start := _start(workflow, held, staged, lost):
        return start
    if later and not workflow.in_progress:
        return later
    if workflow.in_progress or held:
        return f"get_workflow(workflow_id={workflow.id!r}, since={workflow.seq}, wait_seconds=45)"
    if all_done(workflow):  # a supervisor's
        return "aggregate, then resolve(decision='finish'); or change_plan for the next piece"
    return "get_workflow(detail='detailed') for what holds it back"
