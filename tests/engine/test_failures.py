"""Failure and recovery on a ledger: retries, the breaker, what the user decides then."""

import json

import pytest

from relaybook.engine import Engine
from relaybook.errors import (
    BadInput,
    BreakerOpen,
    NotStarted,
    RetriesUsedUp,
    UnknownTask,
    WorkflowEnded,
)
from relaybook.store.base import Store
from tests.helpers import (
    Clock,
    break_,
    complete,
    dump,
    fail,
    finish,
    resolve,
    result,
    start,
    status,
    task,
    update,
    workflow,
)


@pytest.mark.requirement("S86", "S88", "S104")
def test_a_retry_prompt_carries_the_error_of_every_earlier_attempt(
    engine: Engine, clock: Clock
) -> None:
    name = workflow(engine, "a", "b")
    break_(engine, name, "a", error="the disk was full")
    start(engine, name, "a")
    clock.move(601)

    prompt = engine.claim_task(name)["prompt"]

    assert "the disk was full" in prompt
    assert "no word from attempt 2" in prompt
    assert prompt.index("the disk was full") < prompt.index("no word from attempt 2")


@pytest.mark.requirement("S85")
@pytest.mark.parametrize("told_as", ["error", "output"])
@pytest.mark.parametrize("code", ["timeout", "crash"])
def test_the_error_of_a_failed_task_is_read_as_its_result(
    engine: Engine, code: str, told_as: str
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")

    said = {told_as: "the disk was full", "error_code": code}
    answer = update(engine, name, "a", "failed", **said)

    read = engine.read(f"ledger://workflows/{name}/tasks/a/result")["text"]
    error = {"code": code, "message": "the disk was full"}
    assert (answer["status"], json.loads(read)) == ("failed", {"status": "error", "error": error})


@pytest.mark.requirement("S87", "S89", "A8")
def test_the_third_failure_is_final_and_the_others_go_on(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    answer = [break_(engine, name, "a") for _ in range(3)][-1]

    with pytest.raises(RetriesUsedUp):
        start(engine, name, "a")
    assert answer["advice"].startswith("no retry is left")
    finish(engine, name, "b")
    seen = engine.show_workflow(name)
    assert (seen["status"], seen["failed"][0]["retries_left"]) == ("failed", 0)


@pytest.mark.requirement("S88")
def test_an_attempt_that_asked_or_was_given_back_is_no_failure(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    for _ in range(4):
        start(engine, name, "a")
        update(engine, name, "a", "pending")
        start(engine, name, "a")
        update(engine, name, "a", "input_required", output="which?")
        resolve(engine, name, "answer", task_id="a", answers=("that",))

    assert engine.claim_task(name)["attempt"] == 9


@pytest.mark.parametrize(
    ("first", "second", "advised"),
    [
        ("line 12: no such file /tmp/a1b2c3d4e5", "line 99: no such file /tmp/99ff00aa11", True),
        ("no such file", "no such user", False),
    ],
)
def test_the_same_error_twice_advises_another_prompt_or_a_split(
    engine: Engine, first: str, second: str, advised: bool
) -> None:
    name = workflow(engine, "a", "b")
    once = break_(engine, name, "a", error=first, error_code="crash")
    twice = break_(engine, name, "a", error=second, error_code="crash")

    assert "retry" in once["advice"]
    assert twice["advice"].startswith("the same error 2 times in a row: change") == advised
    shown = engine.show_workflow(name)["failed"][0]
    assert shown.get("same_error") == (2 if advised else None)


@pytest.mark.requirement("S25")
def test_a_transient_error_is_to_be_retried_and_another_may_be_reassigned(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c", pattern="supervisor")

    passing = break_(engine, name, "a", error_code="rate_limit")["advice"]
    lasting = break_(engine, name, "b", error_code="crash")["advice"]

    assert ("retry" in passing, "reassign" in passing) == (True, False)
    assert ("retry" in lasting, "reassign" in lasting) == (True, True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("429 Too Many Requests", "rate_limit"),
        ("the run timed out", "timeout"),
        ("Traceback (most recent call last)", "crash"),
        ("it went wrong", "unknown"),
    ],
)
def test_a_failure_code_is_suggested_and_the_caller_has_the_last_word(
    engine: Engine, ledger: Store, error: str, code: str
) -> None:
    name = workflow(engine, "a", "b")
    suggested = break_(engine, name, "a", error=error)

    named = update(engine, name, "a", "failed", error_code="derailed")
    again = update(engine, name, "a", "failed", error_code="derailed")

    assert suggested["error"] == {"code": code, "message": error, "suggested": True}
    assert (named["error"]["code"], named["error"]["message"]) == ("derailed", error)
    assert again["repeated"] is True
    (line,) = engine.show_workflow(name)["failed"]
    assert (line["code"], line["retries_left"]) == ("derailed", 2)


@pytest.mark.requirement("S91", "S92", "S94", "S95", "A9")
def test_three_failures_stop_all_starts_and_ask_the_user(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c", "d", "e")
    start(engine, name, "d")
    answer = break_(engine, name, "a", "b", "c")

    for each in ("a", "e"):
        with pytest.raises(BreakerOpen):
            start(engine, name, each)
    assert engine.claim_task(name)["claimed"] is False
    assert complete(engine, name, "d")["status"] == "completed"
    assert "ask the user" in answer["next"]
    (question,) = engine.open_decisions(name)["open"]
    assert question["decisions"] == ["retry_failed", "adjust", "accept_partial"]
    assert engine.aggregate(name)["summary"] == (
        "1 of 5 tasks completed. Failed tasks: [a, b, c]. Partial results available."
    )


def test_the_digest_of_a_task_to_be_tried_again_tells_its_attempts(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    for _ in range(3):
        break_(engine, name, "a", error="the disk is full")

    resolve(engine, name, "retry_failed")

    retried, untouched = engine.aggregate(name)["gaps"]
    assert (retried["gap"], retried["reason"]) == (
        "to_be_tried_again",
        "3 attempt(s) without a result, to be tried again; its last error: the disk is full",
    )
    assert (untouched["gap"], untouched["reason"]) == ("not_started", "not started")


@pytest.mark.requirement("S96", "A9")
def test_retry_failed_gives_fresh_attempts(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c")
    for _ in range(3):
        break_(engine, name, "a")
    break_(engine, name, "b", "c")

    answer = resolve(engine, name, "retry_failed", reason="the disk is free again")

    assert answer["status"] == "in_progress"
    assert engine.show_workflow(name)["counts"] == {"pending": 3, "ready": 3}
    assert "it broke" in engine.claim_task(name)["prompt"]
    with pytest.raises(BadInput):
        resolve(engine, name, "retry_failed")


@pytest.mark.requirement("S96")
def test_one_failed_task_is_retried_by_its_name(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a", "b", "c", "d")
    break_(engine, name, "a", "b", "c")

    one = resolve(engine, name, "retry_failed", task_id="b", reason="only that")

    assert one["reopened"] == ["b"]
    assert status(engine, name) == {"a": "failed", "b": "pending", "c": "failed", "d": "pending"}
    before = dump(ledger)
    with pytest.raises(BadInput, match="'b' is pending; it has not failed"):
        resolve(engine, name, "retry_failed", task_id="b")
    with pytest.raises(UnknownTask):
        resolve(engine, name, "retry_failed", task_id="x")
    assert dump(ledger) == before
    assert resolve(engine, name, "retry_failed")["reopened"] == ["a", "c"]


def test_of_many_retried_tasks_the_first_are_named(engine: Engine) -> None:
    name = workflow(
        engine, *(f"t{number}" for number in range(30)), max_parallel=30, override="test"
    )
    for number in range(30):
        start(engine, name, f"t{number}")
    for number in range(30):
        fail(engine, name, f"t{number}")

    reopened = resolve(engine, name, "retry_failed")["reopened"]

    assert (len(reopened), reopened[0], reopened[-1]) == (21, "t0", "and 10 more")


@pytest.mark.requirement("S96")
def test_adjust_is_recorded_and_names_the_call_to_make(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c", "d")
    break_(engine, name, "a", "b", "c")
    stopped = engine.show_workflow(name)

    answer = resolve(engine, name, "adjust", reason="another prompt")

    assert ("ready" in stopped, "ready" in stopped["counts"]) == (False, False)
    assert "cut" not in engine.show_workflow(name, detail="resume")
    assert [each["standing_still"] for each in (stopped, engine.show_workflow(name))] == [
        "waiting: for the user's decision after 3 failures",
        "waiting: for the plan to be changed, as the user decided",
    ]
    assert answer["next"].startswith("change_plan(")
    for seen in (engine.show_workflow(name), engine.show_workflow(name, detail="resume")):
        assert "the user decided to adjust the plan: change_plan(add=" in seen["next"]
    assert engine.open_decisions(name)["open"] == []
    assert engine.show_workflow(name)["breaker_open"] is True
    assert "adjust (another prompt)" in engine.show_workflow(name, detail="resume")["decisions"][0]


def test_the_user_is_asked_again_when_an_adjusted_plan_fails_too(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c", "d")
    break_(engine, name, "a", "b", "c")
    resolve(engine, name, "adjust")

    engine.change_plan(name, add=[task("e")], replaces=["a"])
    after_change = engine.show_workflow(name)["next"]
    break_(engine, name, "e")

    assert after_change.startswith("start the next")
    assert engine.show_workflow(name)["next"].startswith("ask the user")
    assert engine.open_decisions(name)["open"][0]["decisions"][1] == "adjust"


@pytest.mark.requirement("S96", "S93")
def test_accept_partial_ends_the_workflow_with_what_there_is(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c", "d")
    finish(engine, name, "d")
    break_(engine, name, "a", "b", "c")

    answer = resolve(engine, name, "accept_partial", reason="good enough")
    again = resolve(engine, name, "accept_partial", reason="good enough")

    assert (answer["status"], again["repeated"]) == ("partial", True)
    assert engine.open_decisions(name)["open"] == []
    assert [each["task_id"] for each in engine.aggregate(name)["gaps"]] == ["a", "b", "c"]
    with pytest.raises(WorkflowEnded):
        start(engine, name, "a")


@pytest.mark.parametrize("decision", ["retry_failed", "adjust", "accept_partial"])
def test_what_is_decided_after_failures_is_refused_where_nothing_failed(
    engine: Engine, ledger: Store, decision: str
) -> None:
    name = workflow(engine, "a", "b", "c", "d")
    start(engine, name, "a")
    start(engine, name, "b")
    before = dump(ledger)

    with pytest.raises(BadInput, match="has no failed task") as refused:
        resolve(engine, name, decision)

    assert refused.value.allowed == f"{decision} after a failure"
    assert engine.open_decisions(name)["open"] == []
    assert dump(ledger) == before


def test_a_cancelled_workflow_stops_its_workers(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    claim = start(engine, name, "a")

    answer = resolve(engine, name, "cancel", reason="no longer wanted")

    assert answer["status"] == "cancelled"
    assert answer["next"] == "stop the workers of a; then nothing is left to do"
    for status_, output in (("completed", result(1)), ("in_progress", "")):
        with pytest.raises(WorkflowEnded):
            update(engine, name, "a", status_, output=output, claim=claim)
    released = update(engine, name, "a", "pending", claim=claim)
    assert (released["status"], released["next"]) == ("pending", "nothing is left to do")


@pytest.mark.requirement("A9")
def test_the_breaker_of_a_workflow_of_one_task_opens_when_that_fails(engine: Engine) -> None:
    name = workflow(engine, "a")

    answer = break_(engine, name, "a")

    assert answer["advice"].startswith("nothing starts until the user decides")
    with pytest.raises(BreakerOpen):
        start(engine, name, "a")
    resolve(engine, name, "retry_failed")
    finish(engine, name, "a")


@pytest.mark.requirement("S74", "S83")
def test_a_result_of_a_task_that_nobody_started_is_refused_with_the_reason(
    engine: Engine, ledger: Store
) -> None:
    name = workflow(engine, "a")
    before = dump(ledger)

    said = {
        "completed": "output",
        "failed": "error",
        "input_required": "output",
        "pending": "error",
    }
    for status_, text in said.items():
        with pytest.raises(NotStarted) as refused:
            update(engine, name, "a", status_, **{text: result(1)})
        assert "Fire and forget" in refused.value.message
        assert "record the start first" in refused.value.next
    assert dump(ledger) == before


@pytest.mark.parametrize("pattern", ["fan_out", "pipeline"])
def test_after_cancelled_tasks_alone_the_user_is_asked_to_accept_what_there_is(
    engine: Engine, pattern: str
) -> None:
    name = workflow(engine, "a", "b", "c", pattern=pattern)
    finish(engine, name, "a")
    for each in ("b", "c"):
        update(engine, name, each, "cancelled")

    shown, found = engine.show_workflow(name), engine.open_decisions(name)

    assert (shown["status"], found["open"][0]["decisions"]) == ("failed", ["accept_partial"])
    assert "cancelled: b, c" in found["open"][0]["question"]
    assert "accept_partial" in shown["next"]
    assert found["next"].startswith("ask the user, then resolve(")
    assert resolve(engine, name, "accept_partial", reason="fine")["status"] == "partial"


@pytest.mark.parametrize("pattern", ["fan_out", "pipeline"])
def test_a_cancelled_task_that_ended_its_workflow_can_be_replaced(
    engine: Engine, pattern: str
) -> None:
    name = workflow(engine, "a", "b", pattern=pattern)
    finish(engine, name, "a")
    update(engine, name, "b", "cancelled")

    engine.change_plan(name, add=[task("b2")], replaces=["b"])

    assert engine.show_workflow(name)["ready"] == ["b2"]
    assert engine.open_decisions(name)["open"] == []
