"""Work that does not move: stalled, overdue, lost, or waiting for somebody; the user is told."""

from collections.abc import Callable
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import Blocked
from tests.helpers import Clock, break_, complete, fail, finish, start, task, update, workflow
from tests.stages import advance, staged


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


@pytest.mark.requirement("S97", "A10")
@pytest.mark.parametrize(("end", "stalled"), [(complete, False), (fail, True)])
def test_a_completion_is_progress_and_a_failure_is_none(
    engine: Engine, clock: Clock, end: Callable[..., Any], stalled: bool
) -> None:
    name = workflow(engine, task("a", expected_minutes=5), "b")
    start(engine, name, "b")
    start(engine, name, "a")
    clock.move(601)
    assert engine.show_workflow(name)["stalled"]

    end(engine, name, "b")

    assert engine.show_workflow(name).get("stalled", False) == stalled


@pytest.mark.requirement("S98", "S99", "S100")
def test_sessions_tell_slow_from_lost(engine: Engine, clock: Clock) -> None:
    name = workflow(engine, "a", "b", "c", "d")
    start(engine, name, "a", session_key="s1")
    start(engine, name, "b", session_key="s2")
    start(engine, name, "c")
    clock.move(700)

    seen = engine.show_workflow(name, running_sessions=["s1", "s9"])
    some = seen["sessions"]
    none = engine.show_workflow(name, running_sessions=[])["sessions"]

    assert [(line["task_id"], line["verdict"]) for line in some] == [
        ("a", "slow"),
        ("b", "lost"),
        ("c", "unknown"),
    ]
    assert some[0]["advice"] == "slow, not stuck: wait longer"
    assert some[1]["advice"].startswith("session ended without a result, so the ledger is stale: ")
    assert "lost_session" in some[1]["advice"]
    assert "update_task(status='failed', error_code='lost_session') for b; then " in seen["next"]
    assert [line["verdict"] for line in none] == ["lost", "lost", "unknown"]
    assert "sessions" not in engine.show_workflow(name)


def test_a_task_whose_lease_ran_out_is_to_be_started_again(engine: Engine, clock: Clock) -> None:
    name = workflow(engine, "a", "b")
    for _ in range(2):
        engine.claim_task(name, lease_seconds=5)
    waiting = engine.show_workflow(name)
    clock.move(6)

    seen = engine.show_workflow(name)

    again = (
        "start what is overdue again, its lease ran out: "
        "update_task(task_id='a', status='in_progress'), or let workers claim_task"
    )
    assert "wait_seconds=45" in waiting["next"]
    assert (seen["overdue"], seen["next"]) == (["a", "b"], again)
    assert engine.open_decisions(name)["next"] == again
    resumed = engine.show_workflow(name, detail="resume")
    assert [line["overdue"] for line in resumed["running"]] == [True, True]
    (unknown, _) = engine.show_workflow(name, running_sessions=[])["sessions"]
    assert unknown["advice"].startswith("no session on record, and its lease ran out: start it")
    assert update(engine, name, "a", "in_progress")["attempt"] == 2


def test_a_task_past_its_lease_whose_session_runs_is_waited_for(
    engine: Engine, clock: Clock
) -> None:
    name = workflow(engine, "a")
    start(engine, name, "a", session_key="s1", lease_seconds=5)
    clock.move(6)

    assert "wait_seconds=45" in engine.show_workflow(name, running_sessions=["s1"])["next"]


def test_a_stage_whose_lease_ran_out_is_started_again_by_advance_stage(
    engine: Engine, clock: Clock
) -> None:
    name = staged(engine)
    advance(engine, name)
    clock.move(86_400)

    assert engine.open_decisions(name)["next"] == "advance_stage"
    assert advance(engine, name)["current"]["attempt"] == 2


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


def test_a_retry_that_is_to_wait_is_told_with_its_time(engine: Engine, clock: Clock) -> None:
    name = workflow(engine, "a", "b")
    finish(engine, name, "b")
    start(engine, name, "a")
    at = "from 2027-01-15T08:00:30Z"

    failed = fail(engine, name, "a", "too slow", error_code="timeout")

    shown = engine.show_workflow(name)
    assert shown["standing_still"] == f"waiting: 1 retry(s), the first {at}"
    for said in (failed["next"], shown["next"], engine.open_decisions(name)["next"]):
        assert said.startswith(f"in 30 s, {at}: start the next")
    assert failed["advice"].endswith(f"it is offered {at}")
    assert engine.claim_task(name)["retry_after_seconds"] == 30
    clock.move(30)
    assert engine.show_workflow(name)["standing_still"].startswith("starved: 1 task(s)")
    assert engine.claim_task(name)["attempt"] == 2


def test_a_task_that_may_start_is_told_before_a_retry_that_is_to_wait(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")

    failed = fail(engine, name, "a", "too slow", error_code="timeout")

    assert failed["next"].startswith("start the next")
    assert engine.show_workflow(name)["standing_still"].startswith("starved: 1 task(s)")
    assert engine.claim_task(name)["task_id"] == "b"


def test_the_retry_of_a_stage_that_is_to_wait_is_told_with_its_time(
    engine: Engine, clock: Clock
) -> None:
    name = staged(engine, hooks=[])
    advance(engine, name)

    failed = advance(engine, name, 0, outcome="failed", reason="too slow", error_code="timeout")
    clock.move(10.5)
    with pytest.raises(Blocked) as refusal:
        advance(engine, name)

    at = "from 2027-01-15T08:00:30Z"
    assert failed["next"].endswith(f"it starts stage 0 again, in 30 s, {at}")
    assert refusal.value.next == f"call advance_stage again in 20 s, {at}"
    assert refusal.value.data["retry_after_seconds"] == 20
    assert engine.show_workflow(name)["next"] == f"in 20 s, {at}: advance_stage"
    clock.move(19.5)
    assert advance(engine, name)["current"]["attempt"] == 2


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
