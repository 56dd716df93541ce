"""What an orchestrator is told about a failure, a question or a result, and that it can be done."""

from typing import Any

import pytest

from relaybook.core.policy import TRANSIENT
from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.errors import InvalidArguments, QuestionsOpen
from relaybook.model import FailureCode
from tests.helpers import break_, complete, fail, finish, result, start, task, update, workflow
from tests.stages import advance, staged


@pytest.mark.requirement("S89", "S106")
@pytest.mark.parametrize(
    ("pattern", "left"), [("fan_out", "go on without it"), ("pipeline", "none after it can run")]
)
def test_what_is_left_after_the_last_failure_depends_on_who_waits_for_it(
    engine: Engine, pattern: str, left: str
) -> None:
    name = workflow(engine, "a", "b", "c", pattern=pattern)

    answer = [break_(engine, name, "a") for _ in range(3)][-1]

    assert left in answer["advice"]


@pytest.mark.parametrize(
    ("error", "code", "message", "guess"),
    [
        ({"code": "rate_limit", "message": "wait"}, "rate_limit", "wait", False),
        ({"code": "Rate-Limit", "message": "wait"}, "rate_limit", "wait", False),
        ({"code": "rate_limit"}, "rate_limit", "rate_limit", False),
        ({"code": "E_DISK", "message": "full"}, "unknown", "E_DISK: full", True),
        ({"code": "E429", "message": "too many requests"}, "rate_limit", "E429: too many", True),
        ({"message": "it timed out"}, "timeout", "it timed out", True),
        ("it timed out", "timeout", "it timed out", True),
    ],
)
@pytest.mark.parametrize("status", ["completed", "failed"])
def test_the_code_and_words_of_a_workers_own_error_are_kept(
    engine: Engine, status: str, error: Any, code: str, message: str, guess: bool
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    output = result(status="error", error=error)

    answer = update(engine, name, "a", status, output=output)

    assert answer["error"]["code"] == code
    assert answer["error"]["message"].startswith(message)
    assert ("suggested" in answer["error"], "is a guess" in answer["advice"]) == (guess, guess)
    assert message in engine.claim_task(name)["prompt"] or code in TRANSIENT


@pytest.mark.parametrize(
    ("code", "error", "kept", "suggested"),
    [
        ("permission_denied", "no key", "permission_denied: no key", "unknown"),
        ("auth", "timed out at login", "auth: timed out at login", "timeout"),
        ("auth", "", "auth: no reason given", "unknown"),
        ("auth", " \n", "auth: no reason given", "unknown"),
    ],
)
def test_a_failure_with_a_code_of_the_callers_own_is_recorded_with_it(
    engine: Engine, code: str, error: str, kept: str, suggested: str
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")

    answer = fail(engine, name, "a", error, error_code=code)

    assert answer["error"] == {"code": suggested, "message": kept, "suggested": True}
    assert "is a guess" in answer["advice"]
    assert fail(engine, name, "a", error, error_code=code)["repeated"] is True


def test_a_code_of_any_length_is_kept_in_part(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")

    answer = fail(engine, name, "a", "no key", error_code="x" * 10_000 + "\ud800")

    assert answer["error"]["message"] == f"{'x' * 79}…: no key"


def test_a_code_is_known_however_it_is_spelled(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")

    answer = fail(engine, name, "a", "slow", error_code=" Rate-Limit")

    assert answer["error"] == {"code": "rate_limit", "message": "slow"}


def test_a_recorded_failure_gets_no_code_that_is_not_known(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    fail(engine, name, "a")

    with pytest.raises(InvalidArguments) as refused:
        update(engine, name, "a", "failed", error_code="timed_out")

    assert refused.value.allowed.startswith("timeout")
    assert "guide://vocabulary" in refused.value.next
    guide = engine.read("guide://vocabulary")["text"]
    assert all(f"| {code} |" in guide for code in FailureCode)


def test_a_code_brings_what_helps_against_it(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")

    advice = fail(engine, name, "a", "items 3 and 4 are missing", error_code="input_ignored")

    assert "what helps: list the ids to cover" in advice["advice"]


@pytest.mark.parametrize("status", ["completed", "failed", "pending"])
def test_a_task_that_asks_ends_only_once_it_is_answered(engine: Engine, status: str) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    update(engine, name, "a", "input_required", output="Which region?")

    with pytest.raises(QuestionsOpen) as refused:
        update(engine, name, "a", status, output="" if status == "pending" else result(1))

    assert "resolve(decision='answer', task_id='a', answers=" in refused.value.next


def test_nobody_is_asked_about_a_workflow_that_was_cancelled(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    update(engine, name, "a", "input_required", output="Which region?")
    engine.resolve(Resolution(workflow_id=name, decision="cancel", reason="the user stopped it"))

    assert "asking" not in engine.show_workflow(name)


@pytest.mark.requirement("S24")
def test_a_supervisor_is_told_to_review_each_result_and_with_what(engine: Engine) -> None:
    name = workflow(engine, "a", "b", pattern="supervisor")
    start(engine, name, "a")

    advice = complete(engine, name, "a")["advice"]

    assert advice.startswith("review it: record(kind='review'")
    with pytest.raises(InvalidArguments) as refused:
        engine.record("review", [{"decision": "next"}], workflow_id=name)
    assert "decision (one of next_piece, retry, reassign, finish)" in refused.value.allowed
    assert "satisfied (true or false)" in refused.value.allowed
    fanned = workflow(engine, "a", "b")
    start(engine, fanned, "a")
    assert "advice" not in complete(engine, fanned, "a")


def test_after_the_same_error_twice_the_next_call_is_what_the_advice_says(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c")

    first, second = [break_(engine, name, "a", error="no such file") for _ in range(2)]

    assert first["next"].startswith("start the next")
    assert "with change_plan instead of trying again" in second["advice"]
    assert second["next"].startswith("change_plan(replaces=['a'], add=[…])")
    assert "; then start the next" in second["next"]


def test_after_another_error_or_one_that_passes_the_next_call_is_to_start(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c")

    break_(engine, name, "a", error="no such file")
    other = break_(engine, name, "a", error="out of memory")
    passing = [break_(engine, name, "b", error="x", error_code="timeout") for _ in range(2)][-1]

    assert other["next"].startswith("start the next")
    assert passing["next"].startswith("start the next")


def test_a_stage_with_the_same_error_twice_is_changed_before_it_starts_again(
    engine: Engine,
) -> None:
    name = staged(engine, hooks=[])
    advance(engine, name)
    advance(engine, name, 0, outcome="failed", reason="no such file")
    advance(engine, name)

    failed = advance(engine, name, 0, outcome="failed", reason="no such file")

    assert failed["next"].startswith("change_plan(replaces=['stage-0'], add=[…])")


def test_a_last_failure_with_a_handler_is_told_with_the_handler(engine: Engine) -> None:
    name = workflow(engine, "a", task("b", "a"), task("undo", on_failure="a"))

    last = [break_(engine, name, "a") for _ in range(3)][-1]

    assert last["ready"] == ["undo"]
    assert "or start what handles its failure: undo" in last["advice"]


def handled(engine: Engine, pattern: str) -> tuple[str, str]:
    """A workflow whose failed `b` was handled by `fix` while `c` waits for it, and the `next`."""
    plan = ("a", task("b", "a"), task("c", "b"), task("fix", on_failure="b"))
    name = workflow(engine, *plan, pattern=pattern)
    finish(engine, name, "a")
    break_(engine, name, "b", final=True)
    start(engine, name, "fix")
    return name, complete(engine, name, "fix", "copied by hand")["next"]


@pytest.mark.parametrize(
    ("pattern", "call", "added"),
    [
        ("supervisor", "change_plan(replaces=['b'], reason) drops what failed", []),
        (
            "pipeline",
            "change_plan(replaces=['b'], add=[a task in its place, with what fix delivered in its args])",
            [task("again")],
        ),
    ],
)
def test_after_a_failure_was_handled_next_leads_on_to_what_waits_for_the_failed_task(
    engine: Engine, pattern: str, call: str, added: list[Any]
) -> None:
    name, following = handled(engine, pattern)

    assert following == (
        f"fix handled the failure of b: {call}; or aggregate for what succeeded, then resolve"
    )
    engine.change_plan(name, replaces=["b"], add=added, reason="it is fixed")
    for each in (*(one["id"] for one in added), "c"):
        finish(engine, name, each)
    assert engine.aggregate(name).get("gaps") is None


def test_what_handled_a_failure_is_told_wherever_the_failure_is(engine: Engine) -> None:
    name, _ = handled(engine, "pipeline")

    seen, resumed = engine.show_workflow(name), engine.show_workflow(name, detail="resume")
    (question,) = engine.open_decisions(name)["open"]

    assert [line["handled_by"] for line in (*seen["failed"], *resumed["failed"])] == ["fix", "fix"]
    assert "fix handled the failure of b." in question["question"]
    assert engine.aggregate(name)["gaps"][0]["handled_by"] == "fix"


def test_a_handler_that_is_not_done_handles_nothing_yet(engine: Engine) -> None:
    name = workflow(engine, "a", task("b", "a"), task("fix", on_failure="a"))
    break_(engine, name, "a", final=True)

    assert "handled_by" not in engine.show_workflow(name)["failed"][0]
    assert "start the next" in engine.show_workflow(name)["next"]
