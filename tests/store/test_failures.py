"""Failure and recovery on a ledger: retries, the breaker, handlers, conditions, stalls, questions."""

from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.errors import (
    AlreadyOver,
    BadInput,
    Blocked,
    BreakerOpen,
    InvalidArguments,
    InvalidPlan,
    NotStarted,
    RetriesUsedUp,
    UnknownTask,
    WorkflowEnded,
)
from relaybook.store.base import Store
from tests.helpers import Clock, complete, dump, fail, result, start, task, update, workflow


def resolve(engine: Engine, name: str, decision: str, **said: Any) -> dict[str, Any]:
    return engine.resolve(Resolution(workflow_id=name, decision=decision, **said))


def finish(engine: Engine, name: str, *tasks: str) -> None:
    for each in tasks:
        start(engine, name, each)
        complete(engine, name, each, each)


def break_(engine: Engine, name: str, *tasks: str, **said: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for each in tasks:
        start(engine, name, each)
        answer = fail(engine, name, each, **said)
    return answer


def status(engine: Engine, name: str) -> dict[str, str]:
    return {each["id"]: each["status"] for each in engine.show_workflow(name)["tasks"]}


# Retries


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


# The breaker


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
    name = workflow(engine, "a", "b", "c")
    break_(engine, name, "a", "b", "c")

    answer = resolve(engine, name, "adjust", reason="another prompt")

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
    for status_ in ("completed", "in_progress"):
        with pytest.raises(WorkflowEnded):
            update(engine, name, "a", status_, output=result(1), claim=claim)
    released = update(engine, name, "a", "pending", claim=claim)
    assert (released["status"], released["next"]) == ("pending", "nothing is left to do")


# Handlers, conditions, cascades


@pytest.mark.requirement("S103", "S105", "S106", "S17")
def test_a_failed_step_blocks_those_after_it_and_none_is_skipped(engine: Engine) -> None:
    name = workflow(engine, "a", task("b", "a"), task("c", "b"))
    with pytest.raises(Blocked):
        start(engine, name, "b")
    finish(engine, name, "a")
    for _ in range(3):
        break_(engine, name, "b")

    with pytest.raises(Blocked):
        start(engine, name, "c")
    with pytest.raises(BadInput):
        resolve(engine, name, "not_applicable", task_id="c")
    seen = engine.aggregate(name)
    assert (seen["status"], seen["counts"]["completed"]) == ("failed", 1)
    assert engine.show_workflow(name)["status"] == "failed"


@pytest.mark.requirement("A14")
def test_a_handler_runs_when_its_source_failed_for_good_and_not_otherwise(engine: Engine) -> None:
    plan = (task("a"), task("mend", on_failure="a"), task("b", "a"))
    works, breaks = workflow(engine, *plan), workflow(engine, *plan)
    finish(engine, works, "a", "b")
    break_(engine, breaks, "a")
    with pytest.raises(Blocked):
        start(engine, breaks, "mend")
    break_(engine, breaks, "a", final=True)
    finish(engine, breaks, "mend")

    assert engine.show_workflow(works)["counts"] == {"completed": 2, "not_applicable": 1}
    assert engine.show_workflow(works)["status"] == "completed"
    # The failure was handled, but what waits for its result can still not start.
    assert (engine.show_workflow(breaks)["status"], status(engine, breaks)["b"]) == (
        "failed",
        "pending",
    )


@pytest.mark.requirement("A14", "A27")
def test_only_a_declared_condition_makes_a_task_not_applicable(
    engine: Engine, ledger: Store
) -> None:
    name = workflow(engine, "a", task("b", "a", when="a found a defect"), task("c", "b"))
    finish(engine, name, "a")

    resolve(engine, name, "not_applicable", task_id="b", reason="no defect was found")
    again = resolve(engine, name, "not_applicable", task_id="b")

    assert again["repeated"] is True
    assert engine.show_workflow(name)["ready"] == ["c"]
    before = dump(ledger)
    with pytest.raises(BadInput, match="declares no condition"):
        resolve(engine, name, "not_applicable", task_id="c")
    assert dump(ledger) == before
    finish(engine, name, "c")
    assert engine.show_workflow(name)["status"] == "completed"


@pytest.mark.requirement("A14")
def test_nobody_gets_a_task_before_its_condition_is_decided(engine: Engine) -> None:
    name = workflow(engine, task("a", when="there is time"))

    with pytest.raises(Blocked, match="waits for the decision") as refused:
        start(engine, name, "a")
    claimed, shown = engine.claim_task(name), engine.show_workflow(name)

    assert "applicable" in refused.value.next
    assert not claimed["claimed"]
    assert "wait for the decision" in claimed["reason"]
    assert (shown["status"], shown["undecided"]) == ("in_progress", ["a"])
    assert shown["tasks"][0]["waiting_for"] == "decision"
    assert "resolve(decision='applicable'" in shown["next"]
    assert engine.open_decisions(name)["open"] == [
        {
            "task_id": "a",
            "question": "Does it hold, for 'Do a': there is time",
            "decisions": ["applicable", "not_applicable"],
        }
    ]


@pytest.mark.requirement("A14")
def test_a_condition_that_holds_is_on_record_and_lets_the_task_start(engine: Engine) -> None:
    name = workflow(engine, "a", task("b", "a", when="a found a defect"))

    resolve(engine, name, "applicable", task_id="b", reason="two defects")
    again = resolve(engine, name, "applicable", task_id="b", reason="two defects")
    with pytest.raises(Blocked, match=r"waits for 'a'"):
        start(engine, name, "b")
    finish(engine, name, "a", "b")

    assert again["repeated"] is True
    assert engine.show_workflow(name)["status"] == "completed"
    assert "applicable, b (two defects)" in str(
        engine.show_workflow(name, detail="resume")["decisions"]
    )


def test_a_decided_condition_is_not_decided_anew(engine: Engine) -> None:
    name = workflow(engine, task("a", when="there is time"), task("b", when="it rains"))
    resolve(engine, name, "applicable", task_id="a")
    resolve(engine, name, "not_applicable", task_id="b")

    with pytest.raises(AlreadyOver):
        resolve(engine, name, "not_applicable", task_id="a")
    with pytest.raises(AlreadyOver):
        resolve(engine, name, "applicable", task_id="b")


def alternatives(engine: Engine) -> str:
    """Either b or c runs after a, each with a handler of its failure; then d."""
    first = task("b", "a", when="a found something", writes=["out/"])
    second = task("c", "a", instead_of="b", writes=["out/"])
    return workflow(engine, "a", first, second, task("mend", on_failure="c"), task("d", "b", "c"))


@pytest.mark.requirement("S169")
@pytest.mark.parametrize(
    ("decision", "runs", "left"), [("applicable", "b", "c"), ("not_applicable", "c", "b")]
)
def test_of_two_alternatives_one_decision_lets_exactly_one_run(
    engine: Engine, decision: str, runs: str, left: str
) -> None:
    name = alternatives(engine)
    finish(engine, name, "a")
    before = engine.claim_task(name)

    resolve(engine, name, decision, task_id="b")

    assert not before["claimed"]
    assert engine.show_workflow(name)["ready"] == [runs]
    assert status(engine, name)[left] == "not_applicable"
    finish(engine, name, runs, "d")
    assert engine.show_workflow(name)["status"] == "completed"


@pytest.mark.requirement("S169")
def test_alternatives_that_write_the_same_place_do_not_clash(engine: Engine) -> None:
    plan = [
        task("a", when="it is there", writes=["out/"]),
        task("b", instead_of="a", writes=["out/"]),
        task("c", writes=["out/x"]),
    ]

    both = engine.create_workflow("supervisor", tasks=plan[:2], dry_run=True)
    three = engine.create_workflow("supervisor", tasks=plan, dry_run=True)

    assert "writes_overlap" not in str(both.get("findings"))
    assert "writes_overlap" in str(three["findings"])


def test_in_a_pipeline_alternatives_stand_side_by_side(engine: Engine) -> None:
    plan = [task("a"), task("b", when="x"), task("c", instead_of="b"), task("d")]
    made = engine.create_workflow("pipeline", tasks=plan)
    finish(engine, made["workflow_id"], "a")

    resolve(engine, made["workflow_id"], "not_applicable", task_id="b")

    assert engine.show_workflow(made["workflow_id"])["ready"] == ["c"]
    finish(engine, made["workflow_id"], "c", "d")
    assert engine.show_workflow(made["workflow_id"])["status"] == "completed"


def test_a_blocked_start_names_what_it_waits_for(engine: Engine) -> None:
    plan = [task("a"), task("b"), task("c", "a", "b"), task("h", on_failure="a")]
    name = workflow(engine, *plan, pattern="supervisor")
    start(engine, name, "b")

    with pytest.raises(Blocked, match=r"'c' waits for 'a' \(pending\); 'b' \(in_progress\)\."):
        start(engine, name, "c")
    with pytest.raises(Blocked, match=r"'h' waits for 'a' to fail for good \(pending\)\."):
        start(engine, name, "h")


def test_of_many_tasks_that_hold_one_back_the_first_are_named(engine: Engine) -> None:
    before = [f"t{number}" for number in range(5)]
    plan = [*map(task, before), task("c", *before)]
    name = workflow(engine, *plan, pattern="supervisor")

    with pytest.raises(Blocked, match=r"'t0' .*; 't1' .*; 't2' \(pending\); and 2 more\."):
        start(engine, name, "c")


def test_what_runs_instead_of_a_task_is_told_to_wait_for_the_decision(engine: Engine) -> None:
    plan = [task("x", when="it rains"), task("b", instead_of="x")]
    name = workflow(engine, *plan, pattern="supervisor")

    with pytest.raises(Blocked, match="waits for the decision whether 'x' applies") as refused:
        start(engine, name, "b")

    assert refused.value.next == ("resolve(decision='applicable' or 'not_applicable', task_id='x')")
    resolve(engine, name, "not_applicable", task_id="x")
    start(engine, name, "b")


def test_what_runs_instead_of_a_task_needs_one_with_a_condition(engine: Engine) -> None:
    for plan in (
        [task("a"), task("b", instead_of="a")],
        [task("a", when="x"), task("b", "a", instead_of="a")],
        [task("a", when="x"), task("b", instead_of="a", when="y"), task("c", instead_of="b")],
        [task("b", instead_of="nobody")],
    ):
        with pytest.raises(InvalidPlan, match="cannot run instead of"):
            engine.create_workflow("supervisor", tasks=plan)


# Guards on update


@pytest.mark.requirement("S74", "S83")
def test_a_result_of_a_task_that_nobody_started_is_refused_with_the_reason(
    engine: Engine, ledger: Store
) -> None:
    name = workflow(engine, "a")
    before = dump(ledger)

    for status_ in ("completed", "failed", "input_required", "pending"):
        with pytest.raises(NotStarted) as refused:
            update(engine, name, "a", status_, output=result(1), error="x")
        assert "Fire and forget" in refused.value.message
        assert "record the start first" in refused.value.next
    assert dump(ledger) == before


# Questions


@pytest.mark.requirement("S5", "S125")
def test_the_answer_to_a_workers_question_is_in_its_next_prompt(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    asked = result(None, status="needs_input", questions=["Which branch?", "Which region?"])
    update(engine, name, "a", "completed", output=asked)

    (question,) = engine.open_decisions(name)["open"]
    resolve(engine, name, "answer", task_id="a", answers=("main-7", "north-3"))
    again = resolve(engine, name, "answer", task_id="a", answers=("main-7", "north-3"))
    prompt = engine.claim_task(name)["prompt"]

    assert question["questions"] == ["Which branch?", "Which region?"]
    assert again["repeated"] is True
    positions = [prompt.index(w) for w in ("Which branch?", "main-7", "Which region?", "north-3")]
    assert positions == sorted(positions)


@pytest.mark.parametrize("answers", [("main",), ("main", "north", "more")])
def test_as_many_answers_are_given_as_questions_were_asked(
    engine: Engine, ledger: Store, answers: tuple[str, ...]
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    asked = result(None, status="needs_input", questions=["Which branch?", "Which region?"])
    update(engine, name, "a", "completed", output=asked)
    before = dump(ledger)

    with pytest.raises(InvalidArguments, match="asks 2 question") as refusal:
        resolve(engine, name, "answer", task_id="a", answers=answers)

    assert "1. 'Which branch?'; 2. 'Which region?'" in refusal.value.allowed
    assert dump(ledger) == before


@pytest.mark.parametrize("answers", [(), ("",), (" \n",), ("x" * 5_000,)])
def test_an_answer_is_a_text_of_bounded_size(engine: Engine, answers: tuple[str, ...]) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    update(engine, name, "a", "input_required", output="which?")

    with pytest.raises(InvalidArguments):
        resolve(engine, name, "answer", task_id="a", answers=answers)

    assert engine.open_decisions(name)["open"][0]["questions"] == ["which?"]


# Stalls


@pytest.mark.requirement("S97", "A10")
def test_a_workflow_is_stalled_after_twice_the_longest_expected_time(
    engine: Engine, clock: Clock
) -> None:
    name = workflow(engine, task("a", expected_minutes=5), task("b", expected_minutes=10), "c")
    start(engine, name, "a")
    clock.move(300)
    claim = start(engine, name, "b")
    clock.move(1190)
    update(engine, name, "b", "in_progress", claim=claim)  # a heartbeat is no progress
    clock.move(10)
    assert "stalled" not in engine.show_workflow(name)

    clock.move(1)

    seen = engine.show_workflow(name)
    assert (seen["stalled"], "running_sessions" in seen["next"]) == (True, True)


@pytest.mark.requirement("S98", "S99", "S100", "S101")
def test_sessions_tell_slow_from_lost(engine: Engine, clock: Clock) -> None:
    name = workflow(engine, "a", "b", "c", "d")
    start(engine, name, "a", session_key="s1")
    start(engine, name, "b", session_key="s2")
    start(engine, name, "c")
    clock.move(700)

    some = engine.show_workflow(name, running_sessions=["s1", "s9"])["sessions"]
    none = engine.show_workflow(name, running_sessions=[])["sessions"]

    assert [(line["task_id"], line["verdict"]) for line in some] == [
        ("a", "slow"),
        ("b", "lost"),
        ("c", "unknown"),
    ]
    assert "wait" in some[0]["advice"]
    assert "lost_session" in some[1]["advice"]
    assert [line["verdict"] for line in none] == ["lost", "lost", "unknown"]
    assert "sessions" not in engine.show_workflow(name)


def test_what_may_start_is_told_beside_the_question_that_waits(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c")
    start(engine, name, "a")
    asked = update(engine, name, "a", "input_required", output="which colour?")
    seen = engine.show_workflow(name)

    for said in (asked["next"], seen["next"], engine.show_workflow(name, detail="resume")["next"]):
        assert said.startswith("resolve(decision='answer', task_id, answers=[…])")
        assert "; meanwhile start the next: update_task(status='in_progress')" in said
    assert seen["standing_still"] == (
        "starved: 2 task(s) may start and nobody starts them; others wait for answers or a gate"
    )
    finish(engine, name, "b", "c")
    left = engine.show_workflow(name)
    assert (left["standing_still"], "meanwhile" in left["next"]) == (
        "waiting: for answers or a gate",
        False,
    )


@pytest.mark.requirement("S102")
def test_the_report_says_what_is_done_failed_and_unknown(engine: Engine, clock: Clock) -> None:
    name = workflow(engine, "a", "b", "c", "d")
    finish(engine, name, "a")
    break_(engine, name, "b")
    start(engine, name, "c")
    clock.move(700)

    counts = engine.aggregate(name)["counts"]

    assert counts == {"total": 4, "completed": 1, "failed": 1, "not_started": 1, "unknown": 1}


def leave(engine: Engine, name: str) -> None:
    """Nobody starts anything."""


def trip(engine: Engine, name: str) -> None:
    break_(engine, name, "a", "b", "c")


def begin(engine: Engine, name: str) -> None:
    start(engine, name, "a")


def ask(engine: Engine, name: str) -> None:
    start(engine, name, "a")
    update(engine, name, "a", "input_required", output="which?")
    finish(engine, name, "b", "c", "d")


@pytest.mark.parametrize(
    ("prepare", "verdict"),
    [
        (leave, "starved: 4 task(s) may start"),
        (ask, "waiting: for answers"),
        (trip, "waiting: for the user's decision"),
        (begin, None),
    ],
    ids=["starved", "asking", "breaker", "running"],
)
def test_a_workflow_that_stands_still_says_why(
    engine: Engine, prepare: Any, verdict: str | None
) -> None:
    name = workflow(engine, "a", "b", "c", "d")
    prepare(engine, name)

    told = engine.show_workflow(name).get("standing_still")

    assert told is None if verdict is None else str(told).startswith(verdict)


@pytest.mark.requirement("S77")
def test_the_user_is_to_be_told_after_ten_minutes_until_told(engine: Engine, clock: Clock) -> None:
    name = workflow(engine, "a")
    start(engine, name, "a")
    clock.move(600)
    assert "update_due" not in engine.show_workflow(name)

    clock.move(1)
    seen = engine.show_workflow(name)
    assert (seen["update_due"], "record(kind='user_told')" in seen["next"]) == (True, True)
    assert engine.list_workflows()["workflows"][0]["update_due"] is True

    engine.record("user_told", [{"note": "half done"}], workflow_id=name)
    assert "update_due" not in engine.show_workflow(name)
    clock.move(601)
    assert engine.show_workflow(name)["update_due"] is True


@pytest.mark.requirement("S75")
def test_overdue_tasks_stand_in_the_list_of_workflows_too(engine: Engine, clock: Clock) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    clock.move(600)
    start(engine, name, "b")
    clock.move(1)

    assert engine.list_workflows(active=True)["workflows"][0]["overdue"] == ["a"]
    assert engine.show_workflow(name)["overdue"] == ["a"]


# Reviews


def review(engine: Engine, name: str, **said: Any) -> dict[str, Any]:
    entry = {
        "satisfied": False, "looping": False, "progressing": True, "decision": "next_piece",
        "next_task": "b", "instruction": "go on",
    }  # fmt: skip
    return engine.record("review", [entry | said], workflow_id=name)


@pytest.mark.requirement("S24")
def test_three_reviews_without_progress_advise_a_new_plan_until_there_is_one(
    engine: Engine,
) -> None:
    name = workflow(engine, "a", "b", pattern="supervisor")
    for idle in ({"progressing": False}, {"looping": True}):
        assert "replan" not in review(engine, name, **idle)["next"]
    review(engine, name)  # progress starts the count anew
    answers = [review(engine, name, progressing=False) for _ in range(3)]

    assert ["replan" in answer["next"] for answer in answers] == [False, False, True]
    assert engine.show_workflow(name)["replan"] is True
    engine.change_plan(name, add=[task("c")], reason="the facts are these")
    assert "replan" not in engine.show_workflow(name)


@pytest.mark.requirement("S24")
@pytest.mark.parametrize("decision", ["next_piece", "retry", "reassign", "finish"])
def test_a_review_answers_the_five_questions_and_records_the_decision(
    engine: Engine, decision: str
) -> None:
    name = workflow(engine, "a", "b", pattern="supervisor")

    review(engine, name, decision=decision, reason="because")

    assert decision in engine.show_workflow(name, detail="resume")["decisions"][0]
    for member in ("satisfied", "looping", "progressing", "decision"):
        with pytest.raises(InvalidArguments, match=f"{member}.*is missing"):
            review(engine, name, **{member: None})
    with pytest.raises(InvalidArguments):
        review(engine, name, decision="give_up")


@pytest.mark.requirement("S26")
def test_a_supervisor_ends_by_an_explicit_finish_only(engine: Engine) -> None:
    name = workflow(engine, "a", pattern="supervisor")
    with pytest.raises(Blocked):
        resolve(engine, name, "finish")
    finish(engine, name, "a")
    seen = engine.show_workflow(name)

    assert seen["status"] != "completed"
    assert "resolve(decision='finish')" in seen["next"]
    assert engine.aggregate(name)["next"].startswith("resolve(decision='finish')")
    assert resolve(engine, name, "finish", reason="delivered")["status"] == "completed"
    with pytest.raises(BadInput):
        resolve(engine, workflow(engine, "x"), "finish")


@pytest.mark.requirement("S23", "S26")
def test_a_supervisor_whose_tasks_are_done_is_told_to_finish_or_go_on(engine: Engine) -> None:
    name = workflow(engine, "a", pattern="supervisor")
    finish(engine, name, "a")

    shown, claimed = engine.show_workflow(name), engine.claim_task(name)

    assert (shown["status"], shown["summary"]) == ("pending", "pending, 1/1 complete")
    assert "resolve(decision='finish'); or change_plan" in shown["next"]
    assert "its orchestrator finishes it or adds some" in claimed["reason"]


@pytest.mark.requirement("A9")
def test_the_breaker_of_a_workflow_of_one_task_opens_when_that_fails(engine: Engine) -> None:
    name = workflow(engine, "a")

    answer = break_(engine, name, "a")

    assert answer["advice"].startswith("nothing starts until the user decides")
    with pytest.raises(BreakerOpen):
        start(engine, name, "a")
    resolve(engine, name, "retry_failed")
    finish(engine, name, "a")
