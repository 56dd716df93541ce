"""change_plan on a ledger: what waits for what afterwards, what is counted, what is handed on."""

from collections.abc import Callable
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import (
    AlreadyOver,
    Forbidden,
    InvalidPlan,
    StalePlan,
    UnknownTask,
    WorkflowEnded,
)
from relaybook.store.base import Store
from relaybook.store.cases import get_task
from tests.helpers import (
    break_,
    complete,
    dump,
    fail,
    resolve,
    result,
    start,
    task,
    update,
    workflow,
)


def finish(engine: Engine, name: str, *tasks: str, data: Any = None) -> None:
    for each in tasks:
        start(engine, name, each)
        complete(engine, name, each, data)


def counts(engine: Engine, name: str) -> dict[str, int]:
    return engine.show_workflow(name)["counts"]


def chain(store: Store, name: str, task_id: str) -> float:
    with store.read() as tx:
        return get_task(tx, name, task_id).chain


@pytest.mark.requirement("S23")
def test_a_running_supervisor_takes_more_tasks(engine: Engine) -> None:
    name = workflow(engine, "a", pattern="supervisor")
    start(engine, name, "a")

    answer = engine.change_plan(name, add=[task("b"), task("c", "b")], reason="more to do")

    assert (answer["summary"], answer["progress"]) == (
        "2 task(s) added, 0 replaced",
        "0/3 complete",
    )
    assert engine.show_workflow(name)["ready"] == ["b"]


#: What is tried on a task `a` that is done with.
AGAIN: dict[str, Callable[[Engine, str], Any]] = {
    "start": lambda engine, name: start(engine, name, "a"),
    "fail": lambda engine, name: fail(engine, name, "a"),
    "complete": lambda engine, name: complete(engine, name, "a", "other"),
    "replace": lambda engine, name: engine.change_plan(name, add=[task("n")], replaces=["a"]),
}


@pytest.mark.parametrize("again", AGAIN)
def test_what_is_missing_of_a_completed_task_becomes_another_as_each_refusal_says(
    engine: Engine, again: str
) -> None:
    name = workflow(engine, "a", "b")
    finish(engine, name, "a", data="first")

    with pytest.raises(AlreadyOver, match=r"something is missing, change_plan\(add=\[…\]\)"):
        AGAIN[again](engine, name)

    engine.change_plan(name, add=[task("a2")])
    finish(engine, name, "a2", "b")
    with pytest.raises(AlreadyOver, match="something is missing, create_workflow"):
        start(engine, name, "a")


def test_a_late_outcome_of_a_failed_task_is_told_how_it_goes_on(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    fail(engine, name, "a", "broken")

    with pytest.raises(AlreadyOver, match="start the task again with status 'in_progress'"):
        complete(engine, name, "a")
    start(engine, name, "a")
    fail(engine, name, "a", "broken for good", final=True)
    with pytest.raises(AlreadyOver, match=r"change_plan\(add=\[…\], replaces=\['a'\]\)"):
        complete(engine, name, "a")
    engine.change_plan(name, add=[task("a2")], replaces=["a"])


@pytest.mark.requirement("S25", "S96")
def test_what_waited_for_a_replaced_task_waits_for_the_last_in_its_place(engine: Engine) -> None:
    name = workflow(engine, "a", task("b", "a"), task("c", "b"))
    finish(engine, name, "a")
    start(engine, name, "b")
    fail(engine, name, "b", final=True)

    engine.change_plan(name, add=[task("b1"), task("b2")], replaces=["b"], reason="split")

    assert engine.show_workflow(name)["ready"] == ["b1"]  # a pipeline stays in a row
    finish(engine, name, "b1")
    assert engine.show_workflow(name)["ready"] == ["b2"]
    finish(engine, name, "b2", "c")
    seen = engine.show_workflow(name)
    assert (seen["status"], seen["progress"], seen["counts"]) == (
        "completed",
        "4/4 complete",
        {"completed": 4},
    )


@pytest.mark.requirement("S96", "A9")
def test_replacing_failed_tasks_closes_the_breaker(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c", "d")
    for each in ("a", "b", "c"):
        start(engine, name, each)
        fail(engine, name, each)
    assert engine.show_workflow(name)["breaker_open"] is True

    engine.change_plan(name, add=[task("a2")], replaces=["a", "b"], reason="one prompt for both")

    assert "breaker_open" not in engine.show_workflow(name)
    assert counts(engine, name) == {"pending": 2, "ready": 2, "failed": 1, "retryable": 1}


@pytest.mark.requirement("S18", "S107")
def test_a_step_takes_the_results_of_the_tasks_in_place_of_its_source(engine: Engine) -> None:
    takes = [{"from": "a", "fields": ["plan"]}]
    name = workflow(engine, "a", task("b", takes=takes), pattern="pipeline")
    start(engine, name, "a")
    fail(engine, name, "a", final=True)
    engine.change_plan(name, add=[task("a1"), task("a2", "a1")], replaces=["a"], reason="split")
    engine.change_plan(name, add=[task("a3")], replaces=["a2"], reason="again")
    finish(engine, name, "a1", data={"plan": "first half"})
    finish(engine, name, "a3", data={"plan": "a bridge", "cost": "nine hundred"})

    prompt = engine.claim_task(name)["prompt"]

    assert [words in prompt for words in ("a bridge", "nine hundred", "first half")] == [
        True,
        False,
        False,
    ]


@pytest.mark.requirement("S19")
def test_a_task_that_takes_a_place_is_given_the_same_fields(engine: Engine) -> None:
    takes = [{"from": "a", "fields": ["plan"]}]
    name = workflow(engine, "a", task("b", takes=takes), pattern="supervisor")
    finish(engine, name, "a", data={"plan": "a bridge", "cost": "nine hundred"})

    engine.change_plan(name, add=[task("b2")], replaces=["b"], reason="another worker")

    prompt = engine.claim_task(name)["prompt"]
    assert ("a bridge" in prompt, "nine hundred" in prompt) == (True, False)


@pytest.mark.requirement("S20")
@pytest.mark.parametrize(
    ("pattern", "takes", "flagged"),
    [
        ("supervisor", [{"from": "a"}], True),
        ("supervisor", [{"from": "a", "fields": ["plan"]}], False),
        ("supervisor", [], False),
        ("pipeline", [], True),
    ],
)
def test_a_task_that_is_added_and_takes_a_whole_result_is_flagged(
    engine: Engine, pattern: str, takes: list[Any], flagged: bool
) -> None:
    wide = {"type": "object", "properties": {"plan": {}, "cost": {}}}
    name = workflow(engine, task("a", schema=wide), pattern=pattern)

    answer = engine.change_plan(name, add=[task("b", takes=takes)])

    found = [each["what"] for each in answer.get("findings", ()) if each["rule"] == "takes_whole"]
    assert found == (["a whole result is handed on: 'b'"] if flagged else [])


@pytest.mark.requirement("S17", "S106")
def test_a_step_added_to_a_running_pipeline_comes_last(engine: Engine) -> None:
    name = workflow(engine, "a", task("b", "a"), task("mend", on_failure="b"))
    finish(engine, name, "a")

    engine.change_plan(name, add=[task("c"), task("d")], reason="two more steps")

    assert engine.show_workflow(name)["ready"] == ["b"]
    finish(engine, name, "b")
    assert engine.show_workflow(name)["ready"] == ["c"]
    finish(engine, name, "c", "d")
    assert engine.show_workflow(name)["status"] == "completed"


def test_a_replaced_handler_goes_on_handling(engine: Engine) -> None:
    name = workflow(engine, "a", task("mend", on_failure="a"), "x", "y", pattern="supervisor")
    engine.change_plan(name, add=[task("mend2")], replaces=["mend"], reason="better")

    assert "mend2" not in engine.show_workflow(name)["ready"]
    start(engine, name, "a")
    fail(engine, name, "a", final=True)

    assert "mend2" in engine.show_workflow(name)["ready"]


def test_chains_before_an_added_task_grow_to_the_first(engine: Engine, ledger: Store) -> None:
    plan = (task("a", expected_minutes=5), task("b", "a", expected_minutes=7))
    name = workflow(engine, *plan, pattern="supervisor")

    engine.change_plan(name, add=[task("c", "b", expected_minutes=11)], reason="more")

    assert [chain(ledger, name, each) for each in ("a", "b", "c")] == [23.0, 18.0, 11.0]


@pytest.mark.requirement("A30")
def test_a_supervisor_drops_a_piece_with_a_reason_and_may_finish(engine: Engine) -> None:
    name = workflow(
        engine, "a", task("b", "a"), task("c", "b"), task("mend", on_failure="b"),
        pattern="supervisor",
    )  # fmt: skip
    finish(engine, name, "a")

    answer = engine.change_plan(name, replaces=["b"], reason="not needed after all")

    assert answer["summary"] == "0 task(s) added, 1 dropped"
    assert engine.show_workflow(name)["ready"] == ["c"]
    finish(engine, name, "c")
    assert counts(engine, name) == {"completed": 2, "not_applicable": 1}
    told = engine.show_workflow(name, detail="resume")["decisions"]
    assert any("not needed after all" in line for line in told)


@pytest.mark.requirement("A30")
def test_a_supervisor_puts_the_pieces_in_another_order_with_a_reason(engine: Engine) -> None:
    name = workflow(engine, "a", task("b", "a"), task("c", "b"), pattern="supervisor")
    finish(engine, name, "a")

    engine.change_plan(
        name, add=[task("c2", "a"), task("b2", "c2")], replaces=["b", "c"], reason="c comes first"
    )

    assert engine.show_workflow(name)["ready"] == ["c2"]
    finish(engine, name, "c2", "b2")
    told = engine.show_workflow(name, detail="resume")["decisions"]
    assert any("c comes first" in line for line in told)


@pytest.mark.parametrize("status", ["pending", "completed", "failed"])
def test_a_task_that_was_cancelled_before_its_start_is_not_told_to_start(
    engine: Engine, status: str
) -> None:
    name = workflow(engine, "a", "b")
    update(engine, name, "a", "cancelled")

    with pytest.raises(AlreadyOver, match=r"'a' is cancelled; .* change_plan\(add=\[…\]\)"):
        update(engine, name, "a", status, output="" if status == "pending" else result(1))


@pytest.mark.requirement("S106", "A27")
@pytest.mark.parametrize("pattern", ["pipeline", "fan_out", "map_reduce"])
def test_no_step_of_a_fixed_plan_is_dropped(engine: Engine, ledger: Store, pattern: str) -> None:
    name = workflow(engine, "a", "b", pattern=pattern)
    before = dump(ledger)

    with pytest.raises(InvalidPlan):
        engine.change_plan(name, replaces=["a"], reason="skip it")
    assert dump(ledger) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"add": []}, "adds no task"),
        ({"add": [], "replaces": ["open"]}, "which to drop and why"),
        ({"add": [task("open")]}, "'open' is that of a task which the plan has already"),
        ({"add": [task("x"), task("x")]}, "'x' is given more than once"),
        ({"add": [task("opem", "ope")]}, "not in the plan. Allowed: open, gone, done, later, old"),
        ({"add": [task("x", "open")], "replaces": ["open"]}, "this change puts it aside"),
        ({"add": [task("x", "later")], "replaces": ["open"]}, "waits for the task it replaces"),
        ({"add": [task("x", "old")]}, "was replaced"),
        ({"add": [task("x", "gone")]}, "cancelled"),
        ({"add": [task("x", on_failure="done")]}, "it is completed"),
    ],
)
def test_a_change_that_could_never_run_is_refused_and_leaves_no_trace(
    engine: Engine, ledger: Store, change: dict[str, Any], words: str
) -> None:
    name = workflow(
        engine, "open", task("later", "open"), "old", "gone", "done", pattern="supervisor"
    )
    engine.change_plan(name, add=[task("new")], replaces=["old"], reason="better")
    update(engine, name, "gone", "cancelled")
    finish(engine, name, "done")
    before = dump(ledger)

    with pytest.raises(InvalidPlan, match=words):
        engine.change_plan(name, **change)
    assert dump(ledger) == before


def test_only_tasks_that_did_not_work_are_replaced(engine: Engine) -> None:
    name = workflow(engine, "a", "b", pattern="supervisor")
    finish(engine, name, "a")
    start(engine, name, "b")

    for wrong in ("a", "b"):
        with pytest.raises(AlreadyOver):
            engine.change_plan(name, add=[task("x")], replaces=[wrong])
    with pytest.raises(UnknownTask):
        engine.change_plan(name, add=[task("x")], replaces=["nope"])


def test_a_change_made_on_an_old_view_of_the_plan_is_refused(engine: Engine) -> None:
    name = workflow(engine, "a", pattern="supervisor")
    seen = engine.show_workflow(name)["seq"]
    start(engine, name, "a")
    engine.change_plan(name, add=[task("b")], if_seq=seen)  # work is no change of the plan

    with pytest.raises(StalePlan):
        engine.change_plan(name, add=[task("c")], if_seq=seen)


def test_a_plan_that_is_completed_does_not_change(engine: Engine) -> None:
    name = workflow(engine, "a")
    finish(engine, name, "a")

    with pytest.raises(WorkflowEnded):
        engine.change_plan(name, add=[task("b")])


@pytest.mark.requirement("S30")
def test_an_expert_who_joins_a_panel_needs_a_role_of_its_own(engine: Engine) -> None:
    roles = [task("a", expert_role="Security"), task("b", expert_role="Cost")]
    name = workflow(engine, *roles, pattern="expert_panel")

    with pytest.raises(InvalidPlan, match="expert_role twice"):
        engine.change_plan(name, add=[task("c", expert_role=" security ")])
    engine.change_plan(name, add=[task("c", expert_role="security")], replaces=["a"])
    assert counts(engine, name) == {"pending": 2, "ready": 2}


@pytest.mark.requirement("S71", "S73", "A7")
def test_a_worker_makes_and_changes_no_plan(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a", pattern="supervisor")
    before = dump(ledger)

    with pytest.raises(Forbidden, match="Recursive dream") as refused:
        engine.create_workflow("fan_out", tasks=[task("b")], actor="worker")
    with pytest.raises(Forbidden):
        engine.change_plan(name, add=[task("b")], actor="worker")
    assert "the orchestrator splits the task" in refused.value.next
    assert dump(ledger) == before


@pytest.mark.parametrize("final", [True, False])
def test_a_late_outcome_of_a_failed_task_in_a_closed_workflow_names_no_change_of_its_plan(
    engine: Engine, final: bool
) -> None:
    name = workflow(engine, "a", "b", pattern="fan_out")
    finish(engine, name, "b")
    break_(engine, name, "a", final=final)
    resolve(engine, name, "accept_partial", reason="enough")

    with pytest.raises(AlreadyOver) as late:
        complete(engine, name, "a", "late")

    assert late.value.next.startswith("if something is missing, create_workflow with a task")
