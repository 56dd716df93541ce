"""Work that does not move: stalled, overdue, lost, or waiting for somebody; the user is told."""

from typing import Any

import pytest

from relaybook.engine import Engine
from tests.helpers import Clock, break_, finish, start, task, update, workflow


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
