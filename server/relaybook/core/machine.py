"""What may happen: `decide` turns a case and a command into events, or refuses.

Pure. Time, ids and claims come with the command. An empty answer means that the
command repeats what is recorded already, word for word.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from relaybook.core.case import MOVES, Case
from relaybook.core.command import (
    Answer,
    Ask,
    Cancel,
    ChangePlan,
    Close,
    Command,
    Complete,
    Decide,
    Expire,
    Fail,
    Finish,
    NameFailure,
    Note,
    Reconsider,
    Release,
    RetryFailed,
    SettleHooks,
    Start,
)
from relaybook.core.policy import MAX_FAILURES, retry_delay
from relaybook.core.status import (
    breaker_open,
    failed_for_good,
    is_expired,
    waits_for_decision,
    workflow_status,
)
from relaybook.errors import (
    AlreadyInProgress,
    AlreadyOver,
    BadInput,
    Blocked,
    BreakerOpen,
    Held,
    InvalidPlan,
    NotStarted,
    QuestionsOpen,
    RetriesUsedUp,
    StaleClaim,
    StalePlan,
    TooManyInProgress,
    WorkflowEnded,
)
from relaybook.model import (
    OVER,
    Attempt,
    Decision,
    EdgeKind,
    Event,
    EventType,
    FailureCode,
    Outcome,
    Pattern,
    Status,
    Task,
    Workflow,
    WorkflowStatus,
)

#: One event to be: its type, its task, its data.
Change = tuple[EventType, str | None, Mapping[str, Any]]

#: The decision that the condition of a task holds.
APPLICABLE = "applicable"
DECISIONS = "retry failed tasks, adjust the plan, or accept the partial results"


def decide(case: Case, command: Command) -> tuple[Event, ...]:
    """The events that `command` means for `case`.

    Raises:
        Refusal: the command is not allowed; nothing happens.
    """
    changes = _DECIDERS[type(command)](case, command)
    return number(case.workflow.id, case.workflow.seq, command, changes)


def number(
    workflow_id: str, seq: int, command: Command, changes: Iterable[Change]
) -> tuple[Event, ...]:
    """Events for `changes`, numbered on from `seq`, the last one of the workflow."""
    return tuple(
        Event(
            workflow_id=workflow_id,
            seq=place,
            type=kind,
            task_id=task_id,
            actor=command.actor,
            at=command.at,
            data=data,
        )
        for place, (kind, task_id, data) in enumerate(changes, seq + 1)
    )


def _start(case: Case, c: Start) -> list[Change]:
    task = case.tasks[c.task_id]
    refuse_decided(case.workflow)
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


def refuse_decided(workflow: Workflow) -> None:
    """Refuse if the user has closed the workflow.

    Raises:
        WorkflowEnded: it is cancelled, accepted as partial or finished.
    """
    if workflow.decision is not None:
        raise WorkflowEnded(
            f"Workflow {workflow.id!r} was closed as {workflow.decision}.",
            allowed="get_workflow and aggregate",
            next="stop working on it",
        )


def refuse_start(workflow: Workflow, task: Task) -> None:
    """Refuse unless `task` may start now; a task in progress is not asked about.

    Raises:
        AlreadyOver, QuestionsOpen, RetriesUsedUp, BreakerOpen, Blocked, TooManyInProgress.
    """
    if task.status in OVER:
        raise AlreadyOver(
            f"Task {task.id!r} is {task.status}; it is done with.",
            allowed="tasks that are pending or may be retried",
            next="call get_workflow for what is ready",
        )
    if task.status is Status.INPUT_REQUIRED:
        raise QuestionsOpen(
            f"Task {task.id!r} waits for answers to its worker's questions.",
            next="answer them with resolve(decision='answer')",
        )
    failed = task.failures + (task.status is Status.REVIEW)
    if failed_for_good(task) or _reviewed_for_good(task):
        raise RetriesUsedUp(
            f"Task {task.id!r} is {task.status} after {failed} failed attempts; none is left.",
            allowed=f"{MAX_FAILURES} attempts a task, none after a final error",
            next=f"call resolve: {DECISIONS}",
        )
    if breaker_open(workflow.failed, workflow.total):
        raise BreakerOpen(
            f"{workflow.failed} tasks of workflow {workflow.id!r} have failed: nothing starts.",
            allowed="finishing what is in progress, and aggregate",
            next=f"ask the user, then call resolve: {DECISIONS}",
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
            f"{scope.workflow_id!r} is writing {scope.path!r}.",
            allowed="one writer of a path or resource at a time in a project",
            next="start another task; this one is offered when that one ends",
            task_id=task.id,
        )


def attempt_meant(case: Case, c: Finish, outcome: Outcome | None) -> Attempt | None:
    """The attempt in progress that `c` ends, or None if `c` repeats its recorded end.

    Without an outcome `c` ends nothing, so it can repeat nothing.

    Raises:
        NotStarted: no attempt was ever made, so a result can belong to none.
        StaleClaim: the attempt is over; its worker must stop.
        AlreadyOver: the task has another outcome on record.
    """
    task = case.tasks[c.task_id]
    attempt = _attempt_named(case, task, c.claim)
    if attempt.ended_at is None:
        return attempt
    if attempt.outcome is outcome and _same_words(attempt, c):
        return None
    if c.claim is not None:
        raise _stale(task, attempt)
    if task.status in OVER or task.status is Status.FAILED:
        raise AlreadyOver(
            f"Task {task.id!r} is {task.status}, with another outcome on record.",
            allowed="the same outcome again, which changes nothing",
            next="call get_workflow, and start the task first if it is to run again",
        )
    raise _not_started(task)


def _stale(task: Task, attempt: Attempt) -> StaleClaim:
    return StaleClaim(
        f"This claim on task {task.id!r} is over: attempt {attempt.number} was "
        f"{attempt.outcome}, and the task is now {task.status}.",
        allowed="the claim of the attempt in progress",
        next="stop; do not redo the work",
    )


def _same_words(attempt: Attempt, c: Finish) -> bool:
    if isinstance(c, Fail) and (attempt.error_code, attempt.error) != (c.error_code, c.error):
        return False
    if isinstance(c, Ask) and attempt.questions != c.questions:
        return False
    return attempt.output == c.output


def _attempt_named(case: Case, task: Task, claim: str | None) -> Attempt:
    if claim is not None:
        named = [
            a for (owner, _), a in case.attempts.items() if owner == task.id and a.claim == claim
        ]
        if named:
            return named[0]
        raise StaleClaim(
            f"Task {task.id!r} has no such claim.",
            allowed="the claim that the start of the attempt answered",
            next="check the claim and call again with it; if it is right, stop",
        )
    if task.attempt == 0:
        raise _not_started(task)
    return case.attempts[task.id, task.attempt]


def _not_started(task: Task) -> NotStarted:
    return NotStarted(
        f"Task {task.id!r} is {task.status}; no attempt is in progress. Fire and forget: a worker "
        "whose start nobody recorded can be neither followed nor retried.",
        allowed="results of an attempt that was started",
        next="record the start first: update_task with status 'in_progress', or claim_task",
    )


def _complete(case: Case, c: Complete) -> list[Change]:
    if attempt_meant(case, c, Outcome.COMPLETED) is None:
        return []
    refuse_decided(case.workflow)
    said = {"result": c.result, "output": c.output, "summary": c.summary}
    return [*_notes(c), *_judged(case, c, said)]


def _notes(c: Complete | Reconsider | SettleHooks | Fail) -> list[Change]:
    return [(kind, c.task_id, data) for kind, data in c.notes]


def _judged(case: Case, c: Complete | Reconsider, said: dict[str, Any]) -> list[Change]:
    """The task completed, or in review if anything is held against it."""
    if c.objections:
        return [(EventType.GATE_FAILED, c.task_id, said | {"items": list(c.objections)})]
    said |= {"hooks": list(c.hooks)} if c.hooks else {}
    done: Change = (EventType.TASK_COMPLETED, c.task_id, said)
    return [done, *_handlers_not_needed(case, c.task_id)]


def _reconsider(case: Case, c: Reconsider) -> list[Change]:
    task = case.tasks[c.task_id]
    refuse_decided(case.workflow)
    if task.status is not Status.REVIEW:
        kind = AlreadyOver if task.status in OVER else Blocked
        raise kind(
            f"Task {task.id!r} is {task.status}; it is not in review.",
            allowed="stages in review",
            next="call get_workflow for what waits for a decision",
        )
    said: dict[str, Any] = {"result": task.result, "summary": task.summary}
    if c.result is not None:
        said = {"result": c.result, "summary": c.summary}
    said |= {c.decision: c.reason} if c.decision else {}
    return [*_notes(c), *_judged(case, c, said)]


def _settle_hooks(case: Case, c: SettleHooks) -> list[Change]:
    task = case.tasks[c.task_id]
    due = json.loads(task.hooks_due or "[]")
    hooks = [name for name in c.hooks if name in due]
    if not hooks:
        return []
    refuse_decided(case.workflow)
    said: dict[str, Any] = {"hooks": hooks}
    said |= {"waived": c.reason} if c.waived else {}
    settled: list[Change] = [*_notes(c), (EventType.HOOKS_SETTLED, c.task_id, said)]
    if not c.objections or task.status is not Status.COMPLETED:
        return settled
    back = {"result": task.result, "summary": task.summary, "items": list(c.objections)}
    return [*settled, (EventType.GATE_FAILED, c.task_id, back)]


def _handlers_not_needed(case: Case, task_id: str) -> list[Change]:
    """Handlers of a task that worked have nothing to handle, and so on along their own handlers."""
    return _called_off(case, task_id, EdgeKind.ON_FAILURE, f"task {task_id!r} did not fail")


def _alternatives_not_needed(case: Case, task_id: str) -> list[Change]:
    return _called_off(case, task_id, EdgeKind.INSTEAD_OF, f"task {task_id!r} runs instead")


def _called_off(case: Case, task_id: str, kind: EdgeKind, reason: str) -> list[Change]:
    """What waits for a task by an edge of that kind is not to run, nor is what handles its failure."""
    changes: list[Change] = []
    for edge in case.edges.get(task_id, ()):
        waiting = case.tasks[edge.task_id]
        if edge.kind is kind and waiting.status not in OVER:
            changes.append((EventType.TASK_NOT_APPLICABLE, waiting.id, {"reason": reason}))
            changes += _handlers_not_needed(case, waiting.id)
    return changes


def _fail(case: Case, c: Fail) -> list[Change]:
    # A stage in review has no attempt in progress that this could end.
    reviewed = c.claim is None and case.tasks[c.task_id].status is Status.REVIEW
    if not reviewed and attempt_meant(case, c, Outcome.FAILED) is None:
        return []
    refuse_decided(case.workflow)
    failures = case.tasks[c.task_id].failures + 1
    said: dict[str, Any] = {"error_code": c.error_code, "error": c.error}
    if c.output is not None:
        said["output"] = c.output
    if c.fingerprint is not None:
        said["fingerprint"] = c.fingerprint
    if c.final:
        said["final"] = True
    if delay := retry_delay(failures, c.error_code):
        said["not_before"] = c.at + delay
    if c.hooks:
        said["hooks"] = list(c.hooks)
    return [*_notes(c), (EventType.TASK_FAILED, c.task_id, said)]


def _name_failure(case: Case, c: NameFailure) -> list[Change]:
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


def _ask(case: Case, c: Ask) -> list[Change]:
    if attempt_meant(case, c, Outcome.ASKED) is None:
        return []
    refuse_decided(case.workflow)
    said = {"questions": c.questions, "output": c.output, "summary": c.summary}
    return [(EventType.TASK_ASKED, c.task_id, said)]


def _release(case: Case, c: Release) -> list[Change]:
    if attempt_meant(case, c, Outcome.RELEASED) is None:
        return []
    return [(EventType.TASK_RELEASED, c.task_id, {"reason": c.reason} if c.reason else {})]


def _expire(case: Case, c: Expire) -> list[Change]:
    task = case.tasks[c.task_id]
    assert is_expired(task, c.at)
    attempt = case.attempts[task.id, task.attempt]
    lease = round((task.lease_until or c.at) - (task.last_seen_at or attempt.started_at))
    code = FailureCode.TIMEOUT if lease >= task.timeout_seconds else FailureCode.LOST_SESSION
    said = {
        "error_code": str(code),
        "error": f"no word from attempt {task.attempt} within its lease of {lease} s",
    }
    last = task.failures + 1 >= MAX_FAILURES
    return [(EventType.TASK_FAILED if last else EventType.ATTEMPT_EXPIRED, task.id, said)]


def _answer(case: Case, c: Answer) -> list[Change]:
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


def _cancel(case: Case, c: Cancel) -> list[Change]:
    task = case.tasks[c.task_id]
    if task.status is Status.CANCELLED:
        return []
    refuse_decided(case.workflow)
    if task.status in OVER:
        raise AlreadyOver(
            f"Task {task.id!r} is {task.status} and cannot be cancelled.",
            allowed="tasks that are not done with",
            next="call get_workflow for what is left",
        )
    return [(EventType.TASK_CANCELLED, task.id, {"reason": c.reason})]


def _retry_failed(case: Case, c: RetryFailed) -> list[Change]:
    refuse_decided(case.workflow)
    failed = [t for t in case.tasks.values() if t.status is Status.FAILED]
    if not failed:
        raise BadInput(
            f"Workflow {case.workflow.id!r} has no failed task.",
            allowed="retry_failed after a failure",
            next="call get_workflow for what is ready",
        )
    said = {"decision": "retry_failed", "reason": c.reason}
    reopened: list[Change] = [(EventType.TASK_REOPENED, t.id, {}) for t in failed]
    return [(EventType.DECISION_RECORDED, None, said), *reopened]


def _close(case: Case, c: Close) -> list[Change]:
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
            next="complete or replace them, or call resolve(decision='accept_partial')",
        )


def _decide(case: Case, c: Decide) -> list[Change]:
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
        return [decided, *_alternatives_not_needed(case, task.id)]
    said = {"reason": c.reason or f"does not hold: {c.when}"}
    return [(EventType.TASK_NOT_APPLICABLE, task.id, said), *_handlers_not_needed(case, task.id)]


def _is_decided(task: Task, holds: bool) -> bool:
    """Whether the same decision about `task` is recorded already."""
    if task.status is Status.NOT_APPLICABLE:
        return not holds
    return holds and not task.undecided


#: Statuses in which a task may be put aside for another.
REPLACEABLE = MOVES[EventType.TASK_REPLACED][0]


def _change_plan(case: Case, c: ChangePlan) -> list[Change]:
    workflow = case.workflow
    refuse_decided(workflow)
    if workflow_status(workflow) is WorkflowStatus.COMPLETED:
        raise WorkflowEnded(
            f"Workflow {workflow.id!r} is completed.",
            allowed="changes to workflows that have not ended",
            next="make a new workflow",
        )
    if c.if_seq is not None and workflow.plan_seq > c.if_seq:
        raise StalePlan(
            f"The plan of {workflow.id!r} changed at {workflow.plan_seq}, after {c.if_seq}.",
            next="call get_workflow, look at the plan, and send the change with its seq",
        )
    for name in c.replaces:
        _refuse_replacing(case.tasks[name])
    if not c.added:
        _refuse_dropping(workflow, c)
    said: dict[str, Any] = {"reason": c.reason}
    if c.chains:
        said["chains"] = dict(c.chains)
    by = {"by": list(c.stand_ins), "reason": c.reason}
    replaced: list[Change] = [(EventType.TASK_REPLACED, name, by) for name in c.replaces]
    idle = [change for change in _idle(case, c) if change[1] not in c.replaces]
    return [(EventType.PLAN_CHANGED, None, said), *c.added, *idle, *replaced]


def _idle(case: Case, c: ChangePlan) -> Iterable[Change]:
    """What the change leaves without a reason to run, each once.

    The handlers of a dropped task; what would run instead of one in whose place another now runs.
    """
    called_off = _alternatives_not_needed if c.added else _handlers_not_needed
    if c.added and all(_has_condition(c, name) for name in c.stand_ins):
        return ()
    return {ch[1]: ch for name in c.replaces for ch in called_off(case, name)}.values()


def _has_condition(c: ChangePlan, name: str) -> bool:
    return any(added == name and data.get("undecided") for _, added, data in c.added)


def _refuse_dropping(workflow: Workflow, c: ChangePlan) -> None:
    """Refuse to leave tasks out: no step of a fixed plan is skipped, and a drop has a reason."""
    if workflow.pattern is not Pattern.SUPERVISOR:
        raise InvalidPlan(
            f"The change of {workflow.id!r}, a {workflow.pattern}, adds no task.",
            allowed="add=[{id, label, …}], with replaces=[task ids] if they take a place",
            next="send the tasks to add; to stop one, use update_task with status 'cancelled'",
        )
    if not c.replaces or not c.reason.strip():
        raise InvalidPlan(
            "The change adds no task, and does not say which to drop and why.",
            allowed="tasks to add, or replaces=[task ids] with a reason",
            next="send one of the two",
        )


def _refuse_replacing(task: Task) -> None:
    if task.status not in REPLACEABLE or task.replaced_by is not None:
        raise AlreadyOver(
            f"Task {task.id!r} is {task.status}"
            + (" and replaced already." if task.replaced_by else "; it cannot be replaced."),
            allowed=", ".join(sorted(REPLACEABLE)),
            next="give its claim back or cancel it first, if it is in progress",
        )


def _note(case: Case, c: Note) -> list[Change]:
    if c.task_id is not None and c.claim is not None:
        refuse_decided(case.workflow)
        _refuse_over(case, c.task_id, c.claim)
    return [(kind, c.task_id, data) for kind, data in c.notes]


def _refuse_over(case: Case, task_id: str, claim: str) -> None:
    """Refuse what a worker says under a claim that is over."""
    task = case.tasks[task_id]
    attempt = _attempt_named(case, task, claim)
    if attempt.ended_at is not None:
        raise _stale(task, attempt)


_DECIDERS: Mapping[type[Command], Callable[[Case, Any], list[Change]]] = {
    Start: _start,
    Complete: _complete,
    Fail: _fail,
    NameFailure: _name_failure,
    Ask: _ask,
    Release: _release,
    Expire: _expire,
    Answer: _answer,
    Cancel: _cancel,
    RetryFailed: _retry_failed,
    Close: _close,
    Decide: _decide,
    ChangePlan: _change_plan,
    Note: _note,
    Reconsider: _reconsider,
    SettleHooks: _settle_hooks,
}
