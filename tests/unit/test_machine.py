"""What may happen to a task: every status under every command, refusals, repeats, stale claims."""

from dataclasses import replace
from typing import Any

import pytest
from tests.cases import (
    NOW,
    answered,
    asked,
    cancelled,
    closed,
    do,
    done,
    expired,
    failed,
    in_status,
    plan,
    start,
)

from relaybook.core.task.case import Case
from relaybook.core.task.command import Command, Finish, Reconsider, Release, SettleHooks
from relaybook.core.task.machine import decide
from relaybook.errors import (
    AlreadyInProgress,
    AlreadyOver,
    Blocked,
    NotStarted,
    QuestionsOpen,
    Refusal,
    StaleClaim,
)
from relaybook.model import Decision, Status

COMMANDS: dict[str, Command] = {
    "start": start(claim="c2", session_key="s2"),
    "complete": done(output="other"),
    "fail": failed(error="other"),
    "ask": asked(questions='["other"]'),
    "release": Release(task_id="a", **NOW),
    "answer": answered(),
    "cancel": cancelled(),
    "reconsider": Reconsider(task_id="a", **NOW),
    "reject": Reconsider(task_id="a", objections=[{"rule": "tests"}], **NOW),
    "settle hooks": SettleHooks(task_id="a", hooks=["reflect"], **NOW),
}
P, I, Q, V, C, F, X, N = Status  # pending … not_applicable, in the order of the model

#: What each command does to a task in each status: the status after it, or the refusal.
MOVES: dict[str, dict[Status, Status | type[Refusal]]] = {
    "start": {P: I, I: I, Q: QuestionsOpen, V: I, C: AlreadyOver, F: I, X: AlreadyOver, N: AlreadyOver},
    "complete": {P: NotStarted, I: C, Q: QuestionsOpen, V: NotStarted, C: AlreadyOver, F: AlreadyOver, X: AlreadyOver, N: AlreadyOver},
    "fail": {P: NotStarted, I: F, Q: QuestionsOpen, V: F, C: AlreadyOver, F: AlreadyOver, X: AlreadyOver, N: AlreadyOver},
    "ask": {P: NotStarted, I: Q, Q: QuestionsOpen, V: NotStarted, C: AlreadyOver, F: AlreadyOver, X: AlreadyOver, N: AlreadyOver},
    "release": {P: NotStarted, I: P, Q: QuestionsOpen, V: NotStarted, C: AlreadyOver, F: AlreadyOver, X: AlreadyOver, N: AlreadyOver},
    "answer": {P: AlreadyOver, I: AlreadyOver, Q: P, V: AlreadyOver, C: AlreadyOver, F: AlreadyOver, X: AlreadyOver, N: AlreadyOver},
    "cancel": {P: X, I: X, Q: X, V: X, C: AlreadyOver, F: X, X: X, N: AlreadyOver},
    "reconsider": {P: Blocked, I: Blocked, Q: Blocked, V: C, C: AlreadyOver, F: Blocked, X: AlreadyOver, N: AlreadyOver},
    "reject": {P: Blocked, I: Blocked, Q: Blocked, V: V, C: AlreadyOver, F: Blocked, X: AlreadyOver, N: AlreadyOver},
    "settle hooks": {status: status for status in Status},
}  # fmt: skip


@pytest.mark.requirement("S17", "S74", "S85", "S133")
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_moves_every_status_as_the_table_says(name: str, status: Status) -> None:
    case, expected = in_status(status), MOVES[name][status]
    assert case.tasks["a"].status is status

    if isinstance(expected, Status):
        assert do(case, COMMANDS[name]).tasks["a"].status is expected
    else:
        with pytest.raises(expected) as caught:
            decide(case, COMMANDS[name])
        assert type(caught.value) is expected
        assert caught.value.next


@pytest.mark.parametrize(
    ("case", "command", "text"),
    [
        (
            plan({"id": "b"}, {"id": "a", "depends_on": ["b"]}),
            start(),
            (
                "Task 'a' waits for 1 task(s) before it. "
                "Allowed: tasks whose dependencies are completed. "
                "Next: call get_workflow for what is ready."
            ),
        ),
        (
            in_status(Status.COMPLETED),
            start(),
            (
                "Task 'a' is completed; it is done with. "
                "Allowed: tasks that are pending or may be retried. "
                "Next: call get_workflow for what is ready; if something is missing, "
                "change_plan(add=[…]) with a task for it; what is recorded stays."
            ),
        ),
        (
            in_status(Status.COMPLETED),
            failed(claim="c1"),
            (
                "This claim on task 'a' is over: attempt 1 was completed, and the task is now "
                "completed. Allowed: the claim of the attempt in progress. "
                "Next: stop; do not redo the work."
            ),
        ),
        (
            in_status(Status.PENDING),
            done(),
            (
                "Task 'a' is pending; no attempt is in progress. Fire and forget: a worker whose start "
                "nobody recorded can be neither followed nor retried. "
                "Allowed: results of an attempt that was started. "
                "Next: record the start first: update_task with status 'in_progress', or claim_task."
            ),
        ),
        (
            do(plan({"id": "a"}), closed(Decision.CANCELLED)),
            start(),
            (
                "Workflow 'wf' was closed as cancelled. Allowed: get_workflow and aggregate. "
                "Next: stop working on it."
            ),
        ),
        (
            do(plan({"id": "a"}, width=1), start("x", "c0")),
            start(),
            (
                "1 tasks of workflow 'wf' are in progress. Allowed: 1 at once. "
                "Next: finish or give back one first."
            ),
        ),
    ],
    ids=["blocked", "done with", "stale", "not started", "ended", "too many"],
)
def test_a_refusal_says_what_is_wrong_what_is_allowed_and_what_next(
    case: Case, command: Command, text: str
) -> None:
    with pytest.raises(Refusal) as caught:
        decide(case, command)

    assert str(caught.value) == text


# Repeats and stale claims


@pytest.mark.parametrize(
    "command",
    [done(), failed(), asked(), Release(task_id="a", **NOW)],
    ids=lambda c: type(c).__name__,
)
@pytest.mark.parametrize("claim", [None, "c1"])
def test_a_finish_repeated_word_for_word_changes_nothing(
    command: Finish, claim: str | None
) -> None:
    case = do(plan({"id": "a"}), start(), command)

    assert decide(case, replace(command, claim=claim)) == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (done(), done(output="other")),
        (failed(), failed(error="other")),
        (failed(), failed(error_code="timeout")),
        (asked(), asked(questions='["other"]')),
        (failed(), done()),
    ],
    ids=["output", "error", "code", "questions", "kind"],
)
def test_a_finish_in_other_words_is_no_repeat(first: Finish, second: Finish) -> None:
    case = do(plan({"id": "a"}), start(), first)

    with pytest.raises(StaleClaim):
        decide(case, replace(second, claim="c1"))


def test_a_claim_of_an_earlier_attempt_is_stale() -> None:
    case = do(plan({"id": "a"}), start(), expired(), start(claim="c2"))

    with pytest.raises(
        StaleClaim, match="attempt 1 ran out of its lease, and the task is now in_progress"
    ):
        decide(case, done(claim="c1"))
    assert do(case, done(claim="c2")).tasks["a"].status is Status.COMPLETED


ENDS = [done(), failed(), asked(), Release(task_id="a", **NOW)]


@pytest.mark.parametrize("end", ENDS, ids=lambda c: type(c).__name__)
def test_the_session_of_an_earlier_attempt_does_not_end_that_of_another(end: Finish) -> None:
    first = do(plan({"id": "a"}), start(session_key="old"), Release(task_id="a", **NOW))
    case = do(first, start(claim="c2", session_key="new"))

    with pytest.raises(StaleClaim, match="Attempt 2 at task 'a' is of session 'new', not of 'old'"):
        decide(case, replace(end, session_key="old"))
    for said in ({}, {"session_key": "new"}, {"session_key": "old", "claim": "c2"}):
        assert do(case, replace(end, **said)).tasks["a"].status is not Status.IN_PROGRESS


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.REVIEW])
def test_another_session_does_not_change_what_is_on_record(status: Status) -> None:
    case = in_status(status)
    attempts = {key: each._replace(session_key="new") for key, each in case.attempts.items()}
    case = replace(case, attempts=attempts)

    with pytest.raises(StaleClaim):
        decide(case, failed(error="late", session_key="old"))


def test_a_repeat_is_one_whatever_session_it_names() -> None:
    case = do(plan({"id": "a"}), start(session_key="one"), done())

    assert decide(case, done(session_key="two")) == ()


def test_a_session_may_end_an_attempt_that_names_none() -> None:
    case = do(plan({"id": "a"}), start())

    assert do(case, done(session_key="one")).tasks["a"].status is Status.COMPLETED


def test_the_end_of_a_third_expiry_is_not_taken_for_the_workers_own_report() -> None:
    case = plan({"id": "a"})
    for claim in ("c1", "c2", "c3"):
        case = do(case, start(claim=claim), expired())

    with pytest.raises(StaleClaim):
        decide(case, failed(claim="c3"))


def test_a_start_repeated_in_the_same_session_changes_nothing_in_another_is_refused() -> None:
    case = do(plan({"id": "a"}), start(), start(session_key="one"))

    assert case.tasks["a"].session_key == "one"
    assert decide(case, start(session_key="one")) == ()
    with pytest.raises(AlreadyInProgress, match="session 'one'"):
        decide(case, start(session_key="two"))


def staged_pair(**said: Any) -> Case:
    """`b` waits for the stage `a`, whose attempt has just ended so."""
    return do(plan({"id": "a"}, {"id": "b", "depends_on": ["a"]}), start(), done(**said))


@pytest.mark.requirement("A17", "S202")
def test_the_next_task_waits_until_the_last_hook_is_settled() -> None:
    case = staged_pair(hooks=["sanity-check", "reflect"])
    assert (case.tasks["a"].status, case.tasks["b"].waiting_on) == (Status.COMPLETED, 1)

    case = do(case, SettleHooks(task_id="a", hooks=["reflect"], **NOW))
    assert case.tasks["b"].waiting_on == 1
    case = do(case, SettleHooks(task_id="a", hooks=["sanity-check", "other"], **NOW))

    assert (case.tasks["a"].hooks_due, case.tasks["b"].waiting_on) == (None, 0)
    assert case.workflow.ready == 4  # `b`, and the three that stand beside


@pytest.mark.requirement("A17", "A36")
def test_a_task_in_review_holds_the_next_and_keeps_its_result() -> None:
    case = staged_pair(objections=[{"rule": "tests"}], hooks=["reflect"])

    again = do(case, Reconsider(task_id="a", objections=[{"rule": "tests"}], **NOW))
    waived = do(case, Reconsider(task_id="a", decision="waived", reason="so be it", **NOW))

    for each in (case, again):
        assert (each.tasks["a"].status, each.tasks["a"].hooks_due) == (Status.REVIEW, None)
        assert (each.tasks["b"].waiting_on, each.workflow.review) == (1, 1)
    assert waived.tasks["a"].result == again.tasks["a"].result == "r"
    assert waived.tasks["b"].waiting_on == 0


def test_what_a_hook_finds_takes_the_completion_back_though_the_hooks_are_settled() -> None:
    case = staged_pair(hooks=["sanity-check"])

    said = {"hooks": ["sanity-check"], "objections": [{"rule": "sanity-check"}]}
    case = do(case, SettleHooks(task_id="a", **said, **NOW))

    assert (case.tasks["a"].status, case.tasks["b"].waiting_on) == (Status.REVIEW, 1)


@pytest.mark.requirement("S237")
def test_hooks_of_a_failed_task_hold_no_retry_and_go_with_it() -> None:
    case = do(plan({"id": "a"}), start(), failed(hooks=["reflect"]))
    assert case.tasks["a"].hooks_due == '["reflect"]'

    case = do(case, start(claim="c2"))

    assert (case.tasks["a"].status, case.tasks["a"].hooks_due) == (Status.IN_PROGRESS, None)
