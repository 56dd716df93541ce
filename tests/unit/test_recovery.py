"""The rules of recovery: retries, the breaker, handlers, width, and how a workflow ends."""

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

from relaybook.core.task.case import evolve
from relaybook.core.task.command import Command, Note, Release, RetryFailed
from relaybook.core.task.machine import decide, number
from relaybook.core.task.status import breaker_open, status_from, workflow_status
from relaybook.errors import (
    BadInput,
    Blocked,
    BreakerOpen,
    RetriesUsedUp,
    StaleClaim,
    TooManyInProgress,
    WorkflowEnded,
)
from relaybook.model import Decision, EventType, Outcome, Pattern, Status, WorkflowStatus

# Retries


@pytest.mark.requirement("S87", "A8")
def test_a_task_may_fail_three_times_and_no_more() -> None:
    case = plan({"id": "a"})
    for attempt in range(1, 4):
        case = do(case, start(claim=f"c{attempt}"), failed())
        assert case.workflow.retryable == (attempt < 3)

    with pytest.raises(RetriesUsedUp, match="none is left"):
        decide(case, start())


@pytest.mark.requirement("A8")
def test_attempts_that_asked_or_were_given_back_do_not_count() -> None:
    case = do(plan({"id": "a"}), start(claim="c1"), asked(), answered())
    case = do(case, start(claim="c2"), Release(task_id="a", **NOW), start(claim="c3"), expired())

    assert (case.tasks["a"].attempt, case.tasks["a"].failures) == (3, 1)
    assert [attempt.outcome for attempt in case.attempts.values()] == [
        Outcome.ASKED,
        Outcome.RELEASED,
        Outcome.EXPIRED,
    ]


def test_a_final_error_leaves_no_retry() -> None:
    case = do(plan({"id": "a"}), start(), failed(final=True))

    assert case.workflow.retryable == 0
    with pytest.raises(RetriesUsedUp):
        decide(case, start())


@pytest.mark.parametrize(
    ("code", "failures", "delay"),
    [("timeout", 1, 30), ("rate_limit", 2, 120), ("lost_session", 1, 30), ("crash", 1, None)],
)
def test_a_transient_failure_is_not_offered_at_once(
    code: str, failures: int, delay: float | None
) -> None:
    case = plan({"id": "a"})
    for attempt in range(failures):
        case = do(case, start(claim=f"c{attempt}"), failed(error_code=code))

    assert case.tasks["a"].not_before == (None if delay is None else 100.0 + delay)


def test_retry_failed_of_one_task_leaves_the_other_failed_ones() -> None:
    case = do(in_status(Status.FAILED), start("x", "cx"), failed("x"))

    after = do(case, RetryFailed(task_id="x", reason="again", **NOW))

    assert (after.tasks["a"].status, after.tasks["x"].status) == (Status.FAILED, Status.PENDING)
    with pytest.raises(BadInput, match="it has not failed"):
        decide(after, RetryFailed(task_id="x", reason="again", **NOW))


def test_retry_failed_gives_fresh_attempts_and_is_refused_without_a_failure() -> None:
    case = do(in_status(Status.FAILED), RetryFailed(reason="again", **NOW))

    assert (case.tasks["a"].status, case.tasks["a"].failures) == (Status.PENDING, 0)
    with pytest.raises(BadInput, match="no failed task"):
        decide(case, RetryFailed(reason="again", **NOW))


# The breaker


@pytest.mark.requirement("S91", "S92", "A9")
def test_three_tasks_failed_at_once_stop_every_start_but_not_what_runs() -> None:
    case = do(plan({"id": "a"}), start())
    for name in ("x", "y", "z"):
        case = do(case, start(name, f"c{name}"), failed(name))

    with pytest.raises(BreakerOpen, match="3 tasks of workflow 'wf' have failed"):
        decide(case, start("x", "c9"))
    assert do(case, done()).tasks["a"].status is Status.COMPLETED
    assert workflow_status(case.workflow) is WorkflowStatus.IN_PROGRESS


@pytest.mark.requirement("A9")
@pytest.mark.parametrize(
    ("failures", "total", "is_open"),
    [(0, 1, False), (1, 1, True), (1, 2, False), (2, 2, True), (2, 9, False), (3, 9, True)],
)
def test_the_breaker_opens_at_three_failed_tasks_or_all(
    failures: int, total: int, is_open: bool
) -> None:
    assert breaker_open(failures, total) is is_open


@pytest.mark.requirement("A17")
def test_tasks_in_review_do_not_open_the_breaker() -> None:
    case = plan({"id": "a"})
    for name in ("x", "y", "z"):
        case = do(case, start(name, f"c{name}"), done(name, objections=[{"rule": "tests"}]))

    assert case.workflow.review == 3
    assert do(case, start()).tasks["a"].status is Status.IN_PROGRESS


# Handlers


@pytest.mark.requirement("S170", "A14")
def test_a_handler_starts_only_after_its_source_failed_for_good() -> None:
    case = plan({"id": "a"}, {"id": "h", "on_failure": "a"})

    for attempt in range(3):
        with pytest.raises(Blocked):
            decide(case, start("h", "ch"))
        case = do(case, start(claim=f"c{attempt}"), failed())
    assert do(case, start("h", "ch")).tasks["h"].status is Status.IN_PROGRESS


@pytest.mark.requirement("A14")
def test_handlers_become_not_applicable_when_their_source_works_and_so_do_theirs() -> None:
    plan_of = [{"id": "a"}, {"id": "h", "on_failure": "a"}, {"id": "i", "on_failure": "h"}]
    case = do(plan(*plan_of, {"id": "b", "depends_on": ["h"]}), start(), done())

    statuses = {name: case.tasks[name].status for name in ("h", "i")}
    assert statuses == dict.fromkeys(("h", "i"), Status.NOT_APPLICABLE)
    assert case.tasks["b"].waiting_on == 0


def test_a_handler_in_progress_is_called_off_when_its_source_works_after_all() -> None:
    case = do(plan({"id": "a"}, {"id": "h", "on_failure": "a"}), start(), failed(final=True))
    case = do(case, start("h", "ch"), RetryFailed(reason="again", **NOW))

    case = do(case, start(claim="c2"), done())

    assert case.tasks["h"].status is Status.NOT_APPLICABLE
    assert case.attempts["h", 1].outcome is Outcome.CANCELLED
    with pytest.raises(StaleClaim):
        decide(case, done("h", claim="ch"))


def test_a_failed_handler_that_may_not_start_is_not_counted_as_retryable() -> None:
    case = do(plan({"id": "a"}, {"id": "h", "on_failure": "a"}), start(), failed(final=True))
    case = do(case, start("h", "ch"), RetryFailed(reason="again", **NOW), failed("h"))

    assert (case.tasks["h"].waiting_on, case.workflow.retryable) == (1, 0)


# Width and the end


def test_max_parallel_counts_what_is_in_progress() -> None:
    case = do(plan({"id": "a"}, width=2), start(), start("x", "cx"))

    with pytest.raises(TooManyInProgress):
        decide(case, start("y", "cy"))
    assert do(case, done(), start("y", "cy")).workflow.in_progress == 2


#: Counters that are not zero, the decision, and the status: the rows in the order of the rule.
STATUSES: list[tuple[dict[str, int], Decision | None, WorkflowStatus]] = [
    ({"completed": 1}, Decision.CANCELLED, WorkflowStatus.CANCELLED),
    ({"in_progress": 1}, Decision.CANCELLED, WorkflowStatus.CANCELLED),
    ({"in_progress": 1}, Decision.PARTIAL, WorkflowStatus.PARTIAL),
    ({"completed": 1, "not_applicable": 1}, None, WorkflowStatus.COMPLETED),
    ({"in_progress": 1, "failed": 1, "total": 2}, None, WorkflowStatus.IN_PROGRESS),
    ({"input_required": 1}, None, WorkflowStatus.IN_PROGRESS),
    ({"review": 1}, None, WorkflowStatus.IN_PROGRESS),
    ({"pending": 1, "ready": 1}, None, WorkflowStatus.IN_PROGRESS),
    ({"pending": 1, "undecided": 1, "failed": 1, "completed": 3}, None, WorkflowStatus.IN_PROGRESS),
    ({"failed": 1, "retryable": 1, "completed": 3}, None, WorkflowStatus.IN_PROGRESS),
    ({"failed": 3, "completed": 3}, None, WorkflowStatus.IN_PROGRESS),
    ({"failed": 1, "completed": 3}, None, WorkflowStatus.FAILED),
    ({"cancelled": 1, "pending": 1}, None, WorkflowStatus.FAILED),
    ({"pending": 1}, None, WorkflowStatus.PENDING),
]


@pytest.mark.requirement("S136", "S22")
@pytest.mark.parametrize(("counts", "decision", "expected"), STATUSES)
def test_the_status_of_a_workflow_is_the_first_that_holds(
    counts: dict[str, int], decision: Decision | None, expected: WorkflowStatus
) -> None:
    known = dict.fromkeys([*Status, "ready", "undecided", "retryable", "total"], 0) | counts
    known["total"] = sum(known[status] for status in Status)

    assert status_from(Pattern.FAN_OUT, decision, known) is expected


@pytest.mark.requirement("S26")
def test_a_supervisor_ends_only_when_it_is_finished() -> None:
    case = plan()
    for name in ("x", "y"):
        case = do(case, start(name, f"c{name}"), done(name))
    with pytest.raises(Blocked, match="1 task"):
        decide(case, closed(Decision.FINISHED))
    case = do(case, start("z", "cz"), done("z"))
    assert case.workflow.ended_at is None

    case = do(case, closed(Decision.FINISHED))

    assert workflow_status(case.workflow) is WorkflowStatus.COMPLETED
    assert case.workflow.ended_at == 100.0


def test_only_a_supervisor_can_be_finished() -> None:
    with pytest.raises(BadInput, match="ends by itself"):
        decide(plan(pattern=Pattern.FAN_OUT), closed(Decision.FINISHED))


@pytest.mark.parametrize("decision", [Decision.CANCELLED, Decision.PARTIAL])
def test_a_completed_workflow_stays_completed(decision: Decision) -> None:
    case = plan(pattern=Pattern.FAN_OUT)
    for name in ("x", "y", "z"):
        case = do(case, start(name, f"c{name}"), done(name))

    with pytest.raises(WorkflowEnded):
        decide(case, closed(decision))


@pytest.mark.parametrize("decision", [Decision.CANCELLED, Decision.PARTIAL])
@pytest.mark.parametrize(
    "command", [start("x", "cx"), done(), failed(), asked(), cancelled("x"), RetryFailed(reason="", **NOW)], ids=lambda c: type(c).__name__
)  # fmt: skip
def test_a_closed_workflow_takes_no_more_work(decision: Decision, command: Command) -> None:
    case = do(plan({"id": "a"}), start(), cancelled("y"), closed(decision))

    with pytest.raises(WorkflowEnded):
        decide(case, command)
    assert decide(case, closed(decision)) == ()
    assert decide(case, Note(task_id=None, notes=[(EventType.USER_TOLD, {})], **NOW)) != ()


def test_a_closed_workflow_takes_no_answer() -> None:
    case = do(in_status(Status.INPUT_REQUIRED), closed(Decision.CANCELLED))

    with pytest.raises(WorkflowEnded):
        decide(case, answered())


def test_the_same_answer_again_changes_nothing() -> None:
    case = do(in_status(Status.INPUT_REQUIRED), answered())

    assert decide(case, answered()) == ()
    assert case.attempts["a", 1].answer == '["!"]'


def test_a_failed_task_that_waits_again_is_not_counted_as_retryable() -> None:
    case = do(plan({"id": "a"}, {"id": "b", "depends_on": ["a"]}), start(), done())
    case = do(case, start("b", "cb"), failed("b"))
    before = case.workflow.retryable
    back = {"result": "r", "summary": "", "items": []}

    gated = number("wf", case.workflow.seq, start(), [(EventType.GATE_FAILED, "a", back)])
    after = evolve(case, gated)

    assert (before, after.workflow.retryable) == (1, 0)
    assert (after.tasks["b"].status, after.tasks["b"].waiting_on) == (Status.FAILED, 1)
