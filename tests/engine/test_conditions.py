"""Tasks that run only if: handlers of failures, conditions, alternatives; no step is skipped."""

import json

import pytest

from relaybook.engine import Engine
from relaybook.errors import AlreadyOver, BadInput, Blocked, InvalidPlan, RetriesUsedUp
from relaybook.store.base import Store
from tests.helpers import (
    break_,
    complete,
    dump,
    fail,
    finish,
    resolve,
    start,
    status,
    task,
    update,
    workflow,
)


@pytest.mark.requirement("S103", "S104", "S105", "S106", "S17")
def test_a_failed_step_blocks_those_after_it_and_none_is_skipped(engine: Engine) -> None:
    name = workflow(engine, "a", task("b", "a"), task("c", "b"))
    with pytest.raises(Blocked):
        start(engine, name, "b")
    finish(engine, name, "a")
    break_(engine, name, "b", error="the disk was full")
    for _ in range(2):
        with pytest.raises(Blocked):
            start(engine, name, "c")
        retried = engine.claim_task(name)
        assert (retried["task_id"], "the disk was full" in retried["prompt"]) == ("b", True)
        fail(engine, name, "b")

    with pytest.raises(RetriesUsedUp):
        start(engine, name, "b")
    with pytest.raises(Blocked):
        start(engine, name, "c")
    with pytest.raises(BadInput):
        resolve(engine, name, "not_applicable", task_id="c")
    seen = engine.aggregate(name)
    assert (seen["status"], seen["counts"]["completed"]) == ("failed", 1)
    assert seen["chain"]["results_from"] == ["a"]
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


def test_what_does_not_apply_is_no_progress(engine: Engine) -> None:
    plan = (task("a"), task("b", when="a found a defect"), task("b2", instead_of="b"))
    name = workflow(engine, *plan, pattern="supervisor")

    resolve(engine, name, "applicable", task_id="b")

    assert engine.show_workflow(name)["progress"] == "0/2 complete"
    assert (engine.forecast(name)["done"], engine.forecast(name)["total"]) == (0, 2)
    assert engine.aggregate(name)["summary"] == "0 of 2 tasks completed."


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
@pytest.mark.parametrize(
    ("said", "kept"),
    [({"reason": "no defect was found"}, "no defect was found"), ({}, "does not hold: a defect")],
)
def test_why_a_task_is_not_applicable_is_read_with_it(
    engine: Engine, said: dict[str, str], kept: str
) -> None:
    name = workflow(engine, "a", task("b", "a", when="a defect"), task("c", "b"))
    finish(engine, name, "a")

    resolve(engine, name, "not_applicable", task_id="b", **said)

    read = json.loads(engine.read(f"ledger://workflows/{name}/tasks/b")["text"])
    assert (read["status"], read["reason"]) == ("not_applicable", kept)


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


def test_what_does_not_apply_hands_on_what_it_would_have_been_handed(engine: Engine) -> None:
    after = task("c", "b", when="c is wanted"), task("d", "c")
    name = workflow(engine, "a", task("b", "a", when="there are defects"), *after)
    start(engine, name, "a")
    complete(engine, name, "a", {"cause": "no index"})

    for skipped in ("b", "c"):
        resolve(engine, name, "not_applicable", task_id=skipped, reason="not needed")
    prompt = update(engine, name, "d", "in_progress")["prompt"]

    assert 'source="result of a"' in prompt
    assert "no index" in prompt


def test_an_alternative_that_does_not_apply_hands_nothing_on_beside_the_one_that_does(
    engine: Engine,
) -> None:
    first = task("buy", "look", when="one is for sale")
    second = task("make", "look", instead_of="buy")
    name = workflow(engine, "look", first, second, task("use", "buy", "make"))
    start(engine, name, "look")
    complete(engine, name, "look", {"found": "a shop"})
    resolve(engine, name, "applicable", task_id="buy", reason="it is")
    start(engine, name, "buy")
    complete(engine, name, "buy", {"bought": "a lamp"})

    prompt = update(engine, name, "use", "in_progress")["prompt"]

    assert "a lamp" in prompt
    assert "a shop" not in prompt
