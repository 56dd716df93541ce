"""detail="resume": one answer from which an orchestrator that lost its memory goes on."""

import json

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from tests.helpers import complete, dump, fail, resolve, result, start, task, update, workflow


@pytest.mark.requirement("S108")
def test_a_resume_says_what_is_done_what_runs_what_waits_and_what_is_next(engine: Engine) -> None:
    plan = ("a", "b", "c", "d", "e", task("f", "a", takes=[{"from": "a"}]))
    name = workflow(
        engine, *plan, pattern="supervisor", metadata={"goal": "Ship it"},
        shared_decisions=["Dates are ISO 8601."], max_parallel=6,
    )  # fmt: skip
    for each in ("a", "b"):
        start(engine, name, each)
        complete(engine, name, each)
        if each == "a":
            engine.aggregate(name, noted=True)
    engine.aggregate(name)
    claim = start(engine, name, "f", session_key="s7")
    start(engine, name, "c")
    update(engine, name, "c", "input_required", output="Which branch?")
    start(engine, name, "d")
    fail(engine, name, "d", "no disk", error_code="crash")
    review = {"satisfied": False, "looping": False, "progressing": True, "decision": "next_piece",
              "reason": "a is good"}  # fmt: skip
    engine.record("review", [review], workflow_id=name)

    seen = engine.show_workflow(name, detail="resume")

    assert seen["goal"] == "Ship it"
    assert seen["shared_decisions"] == ["Dates are ISO 8601."]
    assert [line.split(": ", 1)[1] for line in seen["decisions"]] == ["next_piece (a is good)"]
    # What was in no digest yet comes first: it is still to be read.
    assert seen["done"] == [
        {"task_id": "b", "summary": "Do b"},
        {"task_id": "a", "summary": "Do a", "read": True},
    ]
    assert seen["running"] == [
        {"task_id": "f", "label": "Do f", "claim": claim, "session_key": "s7"}
    ]
    assert seen["failed"] == [
        {"task_id": "d", "code": "crash", "error": "no disk", "retries_left": 2}
    ]
    assert seen["ready"] == ["e"]
    assert [(each["task_id"], each["questions"]) for each in seen["waiting_for_user"]] == [
        ("c", ["Which branch?"])
    ]
    assert seen["next"] == (
        "resolve(decision='answer', task_id, answers=[…]) for each task that asks; meanwhile "
        "start the next: update_task(status='in_progress'), or let workers claim_task"
    )
    assert "cut" not in seen


def test_a_resume_of_500_tasks_stays_under_20_kb_and_says_what_it_cuts(engine: Engine) -> None:
    ids = [f"{n:03}{'x' * 125}" for n in range(500)]
    name = workflow(
        engine, *(task(each, label="ü" * 300, writes=[f"w{each[:1]}"]) for each in ids),
        pattern="supervisor", max_parallel=50, override="a host of our own",
        metadata={"goal": "g" * 2_000, "other": "é" * 5_000},
        shared_decisions=["d" * 200] * 20,
    )  # fmt: skip
    for each in ids[:120]:
        start(engine, name, each, session_key="s" * 200)
        update(engine, name, each, "completed", output=result(1, summary="é" * 400))
    for number in range(30):
        engine.change_plan(name, add=[task(f"new{number}")], reason="r" * 900)
    asking = result(None, status="needs_input", questions=["q" * 2_000] * 10)
    for number in range(20):
        start(engine, name, f"new{number}")
        update(engine, name, f"new{number}", "completed", output=asking)
    start(engine, name, ids[120], session_key="s" * 200)
    start(engine, name, ids[400])
    for each in ("new20", "new21"):
        start(engine, name, each)
        fail(engine, name, each, "e" * 2_000)
    for number in range(22, 30):
        start(engine, name, f"new{number}", session_key="s" * 200)

    seen = engine.show_workflow(name, detail="resume")

    assert len(json.dumps(seen, ensure_ascii=False).encode()) < 20_000
    shown = {part: len(seen[part]) for part in seen["cut"]}
    assert seen["cut"]["done"] == f"{shown['done']} of 120 shown"
    assert {"decisions", "done", "ready", "waiting_for_user"} <= shown.keys()
    assert all(seen[part] for part in ("done", "running", "ready", "held", "decisions"))


def test_a_resume_tells_the_latest_decisions_first(engine: Engine) -> None:
    name = workflow(engine, "a", pattern="supervisor")
    start(engine, name, "a")
    fail(engine, name, "a")
    for number in range(100):
        reason = f"reason {number} {'x' * 100}"
        engine.resolve(Resolution(workflow_id=name, decision="adjust", reason=reason))

    decisions = engine.show_workflow(name, detail="resume")["decisions"]

    assert "reason 99" in decisions[0]
    assert len(decisions) < 100


@pytest.mark.requirement("S108")
def test_a_result_is_read_once_the_last_page_of_a_digest_was(engine: Engine) -> None:
    tasks = [task(f"t{number}") for number in range(60)]
    name = workflow(engine, *tasks, max_parallel=6)
    for each in tasks:
        start(engine, name, each["id"])
        complete(engine, name, each["id"])

    first = engine.aggregate(name, noted=True)
    before = engine.show_workflow(name, detail="resume")["done"]
    stood = dump(engine.store)
    cursor = first.get("cursor")
    while cursor:
        cursor = engine.aggregate(name, cursor=cursor, noted=True).get("cursor")
    changed = {table for table, rows in dump(engine.store).items() if rows != stood[table]}
    after = engine.show_workflow(name, detail="resume")["done"]

    assert changed == {"reads"}
    assert "cursor" in first
    assert not any("read" in line for line in before)
    assert all(line["read"] for line in after)


def test_a_resume_and_the_events_tell_what_the_user_answered(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    asked = result(status="needs_input", questions=["Which region?", "Until when?"])
    update(engine, name, "a", "input_required", output=asked)
    before = engine.show_workflow(name)["seq"]
    resolve(engine, name, "answer", task_id="a", answers=["EU only,\nsays the user", "x" * 4_000])

    decisions = engine.show_workflow(name, detail="resume")["decisions"]
    events = engine.show_workflow(name, since=before)["events"]

    told = [line.split(": ", 1)[1] for line in decisions]
    assert told[0].startswith("answer, a: xxx")
    assert len(told[0]) < 300
    assert told[1] == "answer, a: EU only, says the user (to: Which region?)"
    assert events[0]["answers"][0] == "EU only,\nsays the user"
    assert len(events[0]["answers"][1]) == 120
