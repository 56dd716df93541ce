"""What tasks hand on: schemas that can be met, fields that there are, and what did not come."""

from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import InvalidPlan, PromptTooLarge
from relaybook.store.base import Store
from tests.helpers import complete, dump, fail, finish, start, task, workflow
from tests.stages import PROOF, advance, staged

BROKEN: dict[str, dict[str, Any]] = {
    "no type": {"type": "banana"},
    "a reference outside": {"$ref": "http://evil.example/x"},
    "a circle": {"$ref": "#"},
    "no pattern": {"properties": {"a": {"pattern": "("}}},
    "a look-ahead": {"properties": {"a": {"pattern": "(?=a)"}}},
}


@pytest.mark.parametrize("schema", BROKEN.values(), ids=BROKEN)
def test_a_plan_with_a_broken_schema_is_refused(
    engine: Engine, ledger: Store, schema: dict[str, Any]
) -> None:
    name = workflow(engine, "a", "b", pattern="supervisor")
    before = dump(ledger)

    with pytest.raises(InvalidPlan, match="Task 'x': The output schema cannot be used"):
        workflow(engine, task("x", schema=schema), "y")
    with pytest.raises(InvalidPlan, match="Task 'x': The output schema cannot be used"):
        engine.change_plan(name, add=[task("x", schema=schema)])

    assert dump(ledger) == before


def taken_over(engine: Engine) -> str:
    """A pipeline in which `c` takes the field `a` of `s`."""
    tasks = [task("s", schema=ONLY_A["named"]), task("c", takes=[{"from": "s", "fields": ["a"]}])]
    return workflow(engine, *tasks, pattern="pipeline")


ONLY_W = {"properties": {"w": {}}, "additionalProperties": False}


def test_a_replacement_without_the_field_that_another_task_takes_is_refused(
    engine: Engine, ledger: Store
) -> None:
    name = taken_over(engine)
    before = dump(ledger)

    with pytest.raises(InvalidPlan, match="Task 'c' takes 'a' from 's'") as refusal:
        engine.change_plan(name, add=[task("s2", schema=ONLY_W)], replaces=["s"])

    assert refusal.value.allowed == "'w'"
    assert dump(ledger) == before


def test_a_second_replacement_owes_what_the_first_task_did(engine: Engine) -> None:
    name = taken_over(engine)
    engine.change_plan(name, add=[task("s2")], replaces=["s"])

    with pytest.raises(InvalidPlan, match="Task 'c' takes 'a' from 's'"):
        engine.change_plan(name, add=[task("s3", schema=ONLY_W)], replaces=["s2"])


@pytest.mark.parametrize(
    ("add", "replaces"),
    [
        ([task("s2", schema=ONLY_W), task("c2")], ["s", "c"]),
        ([task("s2", schema=ONLY_W), task("s3", "s2", schema={"properties": {"a": {}}})], ["s"]),
        ([task("s2", template="supervised_piece", schema={"type": "object"})], ["s"]),
    ],
    ids=["its taker goes too", "the last of them has it", "it may have it"],
)
def test_a_replacement_that_hands_on_what_is_taken_is_accepted(
    engine: Engine, add: list[dict[str, Any]], replaces: list[str]
) -> None:
    name = taken_over(engine)

    engine.change_plan(name, add=add, replaces=replaces)

    assert engine.show_workflow(name)["ready"] == ["s2"]


def too_much(engine: Engine) -> str:
    """A pipeline whose last task is handed more than a prompt may hold."""
    takes = [{"from": name, "fields": ["v"]} for name in ("a", "b")]
    tasks = [task("a"), task("b"), task("e", depends_on=["a", "b"], takes=takes)]
    name = workflow(engine, *tasks, pattern="pipeline")
    for each in ("a", "b"):
        start(engine, name, each)
        complete(engine, name, each, {"v": "word " * 25_000})
    return name


def test_a_task_whose_prompt_is_too_large_is_told_with_the_change_that_helps(
    engine: Engine,
) -> None:
    name = too_much(engine)

    with pytest.raises(PromptTooLarge) as refusal:
        start(engine, name, "e")
    claimed = engine.claim_task(name)
    shown = engine.show_workflow(name)

    change = "change_plan(replaces=['e'], add=["
    assert refusal.value.next.startswith(change)
    assert change in claimed["next"]
    assert shown["next"].startswith(change)
    assert shown["too_large"] == ["e"]
    assert "ready" not in shown
    assert shown["standing_still"].startswith("waiting: for the plan to be changed")


def test_the_change_that_is_told_for_a_prompt_that_is_too_large_helps(engine: Engine) -> None:
    name = too_much(engine)
    less = task("e2", depends_on=["a"], takes=[{"from": "a", "fields": ["v"]}])

    engine.change_plan(name, add=[less], replaces=["e"])

    shown = engine.show_workflow(name)
    assert (shown["ready"], "too_large" in shown) == (["e2"], False)
    assert engine.claim_task(name)["task_id"] == "e2"


ONLY_A: dict[str, dict[str, Any]] = {
    "closed": {"properties": {"a": {}}, "additionalProperties": False},
    "named": {"type": "object", "properties": {"a": {}}},
}
TAKES = [{"from": "s", "fields": ["a", "b"]}]


@pytest.mark.parametrize("schema", ONLY_A.values(), ids=ONLY_A)
def test_a_field_that_its_source_does_not_have_cannot_be_taken(
    engine: Engine, schema: dict[str, Any]
) -> None:
    source, taker = task("s", schema=schema), task("t", takes=TAKES)
    name = workflow(engine, source, pattern="supervisor")

    with pytest.raises(InvalidPlan, match="takes 'b' from 's'") as at_once:
        workflow(engine, source, taker, pattern="pipeline")
    with pytest.raises(InvalidPlan, match="takes 'b' from 's'") as later:
        engine.change_plan(name, add=[taker])

    assert at_once.value.allowed == later.value.allowed == "'a'"


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {}}, "additionalProperties": True},
        {"properties": {"a": {}}, "allOf": [{"properties": {"b": {}}}]},
        {"properties": {"a": {}}, "patternProperties": {"^b": {}}},
        {"type": "object"},
    ],
)
def test_a_field_that_its_source_may_have_can_be_taken(
    engine: Engine, schema: dict[str, Any]
) -> None:
    name = workflow(engine, task("s", schema=schema), task("t", takes=TAKES), pattern="pipeline")

    assert engine.show_workflow(name)["progress"] == "0/2 complete"


def test_a_field_that_did_not_come_is_told_and_is_not_said_to_be_taken(engine: Engine) -> None:
    name = workflow(engine, "s", task("t", takes=TAKES), pattern="pipeline")
    start(engine, name, "s")
    complete(engine, name, "s", {"a": "the plan"})

    prompt = engine.claim_task(name)["prompt"]
    digest = engine.aggregate(name)

    assert "the plan" in prompt
    assert "s did not deliver: b" in prompt
    assert digest["tasks"][1]["took"] == ["s.a"]


def test_the_evidence_of_a_stage_reaches_the_next(engine: Engine) -> None:
    name = staged(engine, hooks=[])
    advance(engine, name)
    advance(engine, name, 0, outcome="completed", artifacts=["src/a.py"])
    answer = advance(engine, name, 0, outcome="completed", tests=PROOF[0]["tests"])

    assert "src/a.py" in answer["current"]["prompt"]
    assert "test_refresh" in answer["current"]["prompt"]


def test_a_stage_took_what_the_one_before_gave_once_it_was_started(engine: Engine) -> None:
    name = staged(engine, hooks=[])
    advance(engine, name)
    proof = {"artifacts": ["src/a.py"], "tests": PROOF[0]["tests"]}
    advance(engine, name, 0, outcome="completed", **proof)
    fail(engine, name, "stage-1")

    found = engine.aggregate(name)

    took = [line.get("took") for line in found["tasks"]]
    assert took == [None, ["stage-0.files", "stage-0.tests"], *[None] * (len(took) - 2)]
    assert "Figures rest" not in str(found["brief"]["must_mention"])


def test_evidence_that_no_contract_names_is_handed_on_whole(engine: Engine) -> None:
    name = staged(engine, "verification", "implement", hooks=[])
    advance(engine, name)

    answer = advance(engine, name, 0, outcome="completed", artifacts=["notes/review.md"])

    assert "notes/review.md" in answer["current"]["prompt"]


@pytest.mark.requirement("A14")
def test_who_handles_a_failure_is_given_how_every_attempt_ended(engine: Engine) -> None:
    name = workflow(engine, task("build"), task("mend", on_failure="build"))
    for error in ("no disk", "no memory", "no network"):
        start(engine, name, "build")
        fail(engine, name, "build", error, error_code="crash")

    prompt = engine.claim_task(name)["prompt"]

    assert "how this failed: Do build" in prompt
    assert "attempt 1, crash: no disk\nattempt 2, crash: no memory\nattempt 3" in prompt


def test_the_steps_of_a_pipeline_are_told_in_their_order_after_one_was_replaced(
    engine: Engine,
) -> None:
    name = workflow(engine, "plan", "draft", "edit", pattern="pipeline")
    parts = [task("draft1"), task("draft2")]
    engine.change_plan(name, add=parts, replaces=["draft"], reason="too large")

    found = engine.aggregate(name)

    assert found["chain"]["steps"] == (
        "plan pending → draft1 pending → draft2 pending → edit pending"
    )
    assert not any("took" in line for line in found["tasks"])
    finish(engine, name, "plan", "draft1", "draft2", "edit")
    took = {line["task_id"]: line.get("took") for line in engine.aggregate(name)["tasks"]}
    assert took == {"plan": None, "edit": ["draft2"], "draft1": ["plan"], "draft2": ["draft1"]}
