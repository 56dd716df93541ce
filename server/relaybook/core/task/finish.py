"""How an attempt ends, and what is recorded under its claim."""

from collections.abc import Mapping
from typing import Any

from relaybook.core.policy import MAX_FAILURES, retry_delay
from relaybook.core.task.case import Case
from relaybook.core.task.close import more_work, questions_open, refuse_decided, refuse_over
from relaybook.core.task.command import Ask, Change, Complete, Expire, Fail, Finish, Note, Release
from relaybook.core.task.review import judged, notes_of
from relaybook.core.task.status import failed_for_good, is_expired
from relaybook.errors import AlreadyOver, NotStarted, StaleClaim
from relaybook.model import OVER, Attempt, EventType, FailureCode, Outcome, Status, Task, Workflow

#: How an attempt ended, as a sentence about it says it.
_ENDED: Mapping[Outcome | None, str] = {
    Outcome.COMPLETED: "was completed",
    Outcome.FAILED: "failed",
    Outcome.EXPIRED: "ran out of its lease",
    Outcome.RELEASED: "was given back",
    Outcome.ASKED: "ended with questions",
    Outcome.CANCELLED: "was cancelled",
}


def attempt_meant(case: Case, c: Finish, outcome: Outcome | None) -> Attempt | None:
    """The attempt in progress that `c` ends, or None if `c` repeats its recorded end.

    Without an outcome `c` ends nothing, so it can repeat nothing.

    Raises:
        NotStarted: no attempt was ever made, so a result can belong to none.
        StaleClaim: the attempt is over, or of another session; its worker must stop.
        AlreadyOver: the task has another outcome on record.
    """
    task = case.tasks[c.task_id]
    attempt = _attempt_named(case, task, c.claim)
    if attempt.ended_at is not None and attempt.outcome is outcome and _same_words(attempt, c):
        return None
    if of_other_session(attempt, c):
        raise _of_other_session(task, attempt, c)
    if attempt.ended_at is None:
        return attempt
    if c.claim is not None:
        raise _stale(task, attempt)
    if task.status is Status.INPUT_REQUIRED:
        raise questions_open(task)
    if task.status in OVER or task.status is Status.FAILED:
        raise other_outcome(case.workflow, task)
    raise _not_started(task)


def other_outcome(workflow: Workflow, task: Task) -> AlreadyOver:
    """The refusal of an outcome of `task`, which has another one on record."""
    return AlreadyOver(
        f"Task {task.id!r} is {task.status}, with another outcome on record.",
        allowed="the same outcome again, which changes nothing",
        next=_instead(workflow, task),
    )


def _instead(workflow: Workflow, task: Task) -> str:
    """What to do for a task with an outcome on record, where another one was reported."""
    if task.status is not Status.FAILED or workflow.decision is not None:
        return more_work(workflow)
    if failed_for_good(task):
        return f"change_plan(add=[…], replaces=[{task.id!r}]) with a task in its place"
    return "start the task again with status 'in_progress', then report how that attempt ended"


def of_other_session(attempt: Attempt | None, c: Finish) -> bool:
    """Whether the session that `c` names is not that of the attempt; a claim tells more."""
    if attempt is None or c.claim is not None:
        return False
    return None not in (c.session_key, attempt.session_key) and c.session_key != attempt.session_key


def _of_other_session(task: Task, attempt: Attempt, c: Finish) -> StaleClaim:
    return StaleClaim(
        f"Attempt {attempt.number} at task {task.id!r} is of session {attempt.session_key!r}, "
        f"not of {c.session_key!r}.",
        allowed="the session_key of the attempt, or none",
        next="drop what this session reports late; get_workflow tells how the task stands",
    )


def _stale(task: Task, attempt: Attempt) -> StaleClaim:
    return StaleClaim(
        f"This claim on task {task.id!r} is over: attempt {attempt.number} "
        f"{_ENDED[attempt.outcome]}, and the task is now {task.status}.",
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
        refuse_over(case.workflow, task)
        raise _not_started(task)
    return case.attempts[task.id, task.attempt]


def _not_started(task: Task) -> NotStarted:
    return NotStarted(
        f"Task {task.id!r} is {task.status}; no attempt is in progress. Fire and forget: a worker "
        "whose start nobody recorded can be neither followed nor retried.",
        allowed="results of an attempt that was started",
        next="record the start first: update_task with status 'in_progress', or claim_task",
    )


def complete(case: Case, c: Complete) -> list[Change]:
    if attempt_meant(case, c, Outcome.COMPLETED) is None:
        return []
    refuse_decided(case.workflow, case.tasks[c.task_id])
    said = {"result": c.result, "output": c.output, "summary": c.summary}
    return [*notes_of(c), *judged(case, c, said)]


def fail(case: Case, c: Fail) -> list[Change]:
    # A stage in review has no attempt in progress that this could end.
    task = case.tasks[c.task_id]
    attempt = case.attempts.get((task.id, task.attempt))
    reviewed = task.status is Status.REVIEW and c.claim is None and not of_other_session(attempt, c)
    if not reviewed and attempt_meant(case, c, Outcome.FAILED) is None:
        return []
    refuse_decided(case.workflow, task)
    failures = task.failures + 1
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
    return [*notes_of(c), (EventType.TASK_FAILED, c.task_id, said)]


def ask(case: Case, c: Ask) -> list[Change]:
    if attempt_meant(case, c, Outcome.ASKED) is None:
        return []
    refuse_decided(case.workflow, case.tasks[c.task_id])
    said = {"questions": c.questions, "output": c.output, "summary": c.summary}
    return [(EventType.TASK_ASKED, c.task_id, said)]


def release(case: Case, c: Release) -> list[Change]:
    if attempt_meant(case, c, Outcome.RELEASED) is None:
        return []
    return [(EventType.TASK_RELEASED, c.task_id, {"reason": c.reason} if c.reason else {})]


def expire(case: Case, c: Expire) -> list[Change]:
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


def note(case: Case, c: Note) -> list[Change]:
    if c.task_id is not None and c.claim is not None:
        refuse_decided(case.workflow, case.tasks[c.task_id])
        _refuse_over(case, c.task_id, c.claim)
    return [(kind, c.task_id, data) for kind, data in c.notes]


def _refuse_over(case: Case, task_id: str, claim: str) -> None:
    """Refuse what a worker says under a claim that is over."""
    task = case.tasks[task_id]
    attempt = _attempt_named(case, task, claim)
    if attempt.ended_at is not None:
        raise _stale(task, attempt)
