"""What pictures are made from: layers, attempts, open decisions, the last outcomes of a skill."""

import json
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import UnknownWorkflow
from tests.helpers import Clock, complete, fail, result, start, task, update, workflow
from tests.stages import PROOF, advance, staged


def read(engine: Engine, uri: str) -> Any:
    return json.loads(engine.read_text(f"ledger://{uri}").text)


def test_layers_name_each_task_and_what_it_waits_for(engine: Engine) -> None:
    made = workflow(engine, "a", "b", task("c", "a", "b"), task("d", on_failure="c"))
    complete_now(engine, made, "a")

    shown = read(engine, f"workflows/{made}/layers")

    ids = [[node["id"] for node in layer] for layer in shown["layers"]]
    assert ids == [["a", "b"], ["c"], ["d"]]
    assert shown["layers"][0][0] == {"id": "a", "label": "Do a", "status": "completed"}
    assert [tuple(edge.values()) for edge in shown["edges"]] == [
        ("a", "c", "needs"),
        ("b", "c", "needs"),
        ("c", "d", "on_failure"),
    ]


def complete_now(engine: Engine, workflow_id: str, task_id: str) -> None:
    start(engine, workflow_id, task_id)
    complete(engine, workflow_id, task_id)


def test_a_large_plan_is_counted_by_layers_with_what_needs_a_look_first(engine: Engine) -> None:
    wide = [task(f"t{n}", *([f"t{n - 150}"] if n >= 150 else [])) for n in range(300)]
    made = workflow(engine, *wide)
    complete_now(engine, made, "t0")
    start(engine, made, "t1")
    fail(engine, made, "t1")

    first, second = read(engine, f"workflows/{made}/layers")["groups"]

    assert (first["first"], first["layers"], first["tasks"]) == (1, 1, 150)
    assert first["counts"] == {"pending": 148, "completed": 1, "failed": 1}
    assert [node["id"] for node in first["named"]][:2] == ["t1", "t2"]
    assert len(first["named"]) == 12
    assert second["counts"] == {"pending": 150}


def test_a_long_chain_is_drawn_as_few_groups(engine: Engine) -> None:
    made = workflow(engine, *(task(f"t{n}", *([f"t{n - 1}"] * bool(n))) for n in range(401)))

    groups = read(engine, f"workflows/{made}/layers")["groups"]

    assert len(groups) == 37
    assert sum(group["tasks"] for group in groups) == 401
    assert (groups[-1]["first"], groups[-1]["layers"]) == (397, 5)


def test_attempts_say_who_when_how_it_ended_and_what_was_expected(
    engine: Engine, clock: Clock
) -> None:
    made = workflow(engine, task("a", expected_minutes=7), "b", "c", "d")
    start(engine, made, "a", session_key="s1")
    clock.move(60)
    fail(engine, made, "a", error_code="crash")
    start(engine, made, "a")

    shown = read(engine, f"workflows/{made}/attempts")

    first, second = shown["attempts"]
    assert first == {
        "task_id": "a",
        "label": "Do a",
        "attempt": 1,
        "who": "s1",
        "started_at": "2027-01-15T08:00:00Z",
        "ended_at": "2027-01-15T08:01:00Z",
        "outcome": "failed",
        "error_code": "crash",
        "expected_minutes": 7.0,
    }
    assert (second["who"], second["outcome"]) == ("orchestrator", "in_progress")
    assert (shown["total"], shown["now"]) == (2, "2027-01-15T08:01:00Z")


@pytest.mark.parametrize("part", ["layers", "attempts"])
def test_there_is_no_picture_of_no_workflow(engine: Engine, part: str) -> None:
    with pytest.raises(UnknownWorkflow):
        read(engine, f"workflows/wf_none/{part}")


def test_open_decisions_are_read_over_all_workflows(engine: Engine, clock: Clock) -> None:
    broken = workflow(engine, "a", "b", "c")
    for name in ("a", "b", "c"):
        start(engine, broken, name)
        fail(engine, broken, name)
    clock.move(1)
    asking = workflow(engine, "d")
    start(engine, asking, "d")
    asked = result(None, status="needs_input", questions=["Which region?"])
    update(engine, asking, "d", "completed", output=asked)
    clock.move(1)
    reviewed = staged(engine, "implement")
    advance(engine, reviewed)
    advance(engine, reviewed, 0, outcome="completed")
    complete_now(engine, workflow(engine, "quiet"), "quiet")

    found = read(engine, "decisions")["decisions"]

    assert [(each["workflow_id"], each["decisions"]) for each in found] == [
        (reviewed, ["waive"]),
        (asking, ["answer"]),
        (broken, ["retry_failed", "adjust", "accept_partial"]),
    ]
    assert (found[1]["task_id"], found[1]["questions"]) == ("d", ["Which region?"])
    assert found[1]["since"] == "2027-01-15T08:00:01Z"


def test_health_tells_the_last_outcomes_and_durations(engine: Engine, clock: Clock) -> None:
    made = staged(engine, "implement", "deploy", hooks=[])
    advance(engine, made)
    advance(engine, made, 0, outcome="failed", reason="no", error_code="crash")
    advance(engine, made)
    clock.move(90)
    advance(engine, made, 0, outcome="completed", **PROOF[0])

    health = read(engine, "health")["skills"]["python-backend"]

    assert (health["recent"], health["minutes"]) == (["crash", "passed"], [1.5])
