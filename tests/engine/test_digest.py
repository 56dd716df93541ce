"""The digest of what is on record: items whose partition was replaced, decisions, reports."""

from typing import Any

import pytest

from relaybook.engine import Engine
from tests.helpers import break_, result, start, task, update, workflow
from tests.helpers import resolve as decide
from tests.stages import PROOF, advance, resolve, staged

ITEMS = [f"i{number}" for number in range(6)]


def do(engine: Engine, name: str, task_id: str, data: Any = None, **members: Any) -> Any:
    """Start the task and complete it with `data`; the answer."""
    start(engine, name, task_id)
    return update(engine, name, task_id, "completed", output=result(data, **members))


def divided(engine: Engine) -> str:
    """Six items in two partitions, of which the first came back and the second failed."""
    plan: dict[str, Any] = {"items": ITEMS, "batches": 2, "args": {"instruction": "Rate it."}}
    name = engine.create_workflow("map_reduce", **plan)["workflow_id"]
    do(engine, name, "p1", mapped("p1", *ITEMS[:3]))
    break_(engine, name, "p2")
    return name


def mapped(partition: str, *items: str) -> dict[str, Any]:
    said = {"info": "", "rationale": "", "answer": 1, "confidence": "high"}
    return {
        "partition": partition,
        "items": [{"id": item, **said} for item in items],
        "carry_over": [],
    }


def replacement(name: str, *items: str) -> dict[str, Any]:
    args = {"instruction": "Rate it.", "partition": name, "items": [{"id": i} for i in items]}
    return {"id": name, "label": f"Partition {name}", "template": "map_partition", "args": args}


@pytest.mark.parametrize(
    ("more", "covered", "problems"),
    [
        (["i3", "i4", "i5"], 6, None),
        (["i3"], 4, [{"problem": "missing", "task_id": "p2", "items": ["i4", "i5"], "count": 2}]),
    ],
)
def test_items_of_a_replaced_partition_are_covered_by_what_took_its_place_or_missing(
    engine: Engine, more: list[str], covered: int, problems: Any
) -> None:
    name = divided(engine)
    engine.change_plan(name, replaces=["p2"], add=[replacement("q", *more)])
    do(engine, name, "q", mapped("q", *more))

    digest = engine.aggregate(name)

    assert digest["coverage"] == {
        "items": 6,
        "covered": covered,
        "missing": 6 - covered,
        "duplicated": 0,
        "invented": 0,
        "missing_partitions": [],
    }
    assert digest.get("coverage_problems") == problems


def test_the_advice_for_missing_items_is_one_that_works(engine: Engine) -> None:
    plan: dict[str, Any] = {"items": ITEMS, "batches": 3, "args": {"instruction": "Rate it."}}
    name = engine.create_workflow("map_reduce", **plan)["workflow_id"]

    open_still = do(engine, name, "p1", mapped("p1", "i0"))
    only_more = do(engine, name, "p2", mapped("p2", "i2", "i3", "i9"))
    ended = do(engine, name, "p3", mapped("p3", "i4"))

    recorded = "the result is recorded as it is and the digest names these items"
    missing = "for those that are missing"
    assert open_still["advice"] == f"{recorded}; {missing} change_plan(add=[a task for them])"
    assert only_more["advice"] == recorded
    assert ended["workflow_status"] == "completed"
    assert ended["advice"] == (
        f"{recorded}; {missing} create_workflow(items=[them]): this workflow has ended"
    )


def test_items_of_a_partition_replaced_by_a_task_that_names_none_are_missing(
    engine: Engine,
) -> None:
    name = divided(engine)
    redo = {"id": "q", "label": "Redo the lost partition", "template": "supervised_piece"}
    engine.change_plan(name, replaces=["p2"], add=[redo])
    piece = {"outcome": "done", "evidence": [], "blockers": [], "suggested_next": None}
    do(engine, name, "q", piece)

    digest = engine.aggregate(name)

    told = "Items: 6, of them missing 3, duplicated 0; invented 0."
    assert told in digest["brief"]["must_mention"]


def test_a_confirmed_parent_action_is_told_with_its_reason_and_not_demanded_again(
    engine: Engine,
) -> None:
    name = staged(engine, "deploy", "verification")
    advance(engine, name)
    proof = {"criteria": [{"criterion": "Do deploy", "evidence": "run 12"}]}
    advance(engine, name, 0, outcome="completed", **proof)
    in_review = engine.aggregate(name)
    resolve(engine, name, "confirm", 0, "deployed, run 12")

    digest = engine.aggregate(name)

    assert "decisions" not in in_review
    (entry,) = digest["decisions"]
    assert {key: entry[key] for key in ("task_id", "decision", "reason", "rules")} == {
        "task_id": "stage-0",
        "decision": "confirm",
        "reason": "deployed, run 12",
        "rules": ["parent_action"],
    }
    assert "deployment (T3)" in entry["what"]
    assert "parent_actions" not in digest
    assert (
        "Parent actions confirmed (1): what was done, by `decisions`."
        in digest["brief"]["must_mention"]
    )


def test_a_parent_action_is_not_demanded_again_when_all_that_holds_its_stage_is_waived(
    engine: Engine,
) -> None:
    name = staged(engine, "deploy")
    advance(engine, name)
    advance(engine, name, 0, outcome="completed")
    resolve(engine, name, "waive", 0, "try it out")

    digest = engine.aggregate(name)

    assert "parent_action" in digest["decisions"][0]["rules"]
    assert "parent_actions" not in digest


def test_waived_gates_and_hooks_are_told_with_rule_and_reason(engine: Engine) -> None:
    name = staged(engine, "implement", "verification")
    advance(engine, name)
    proof = {**PROOF[0], "tests": [{"name": "test_refresh", "status": "failed"}]}
    proof["criteria"] = [{"criterion": "Do implement", "evidence": "seen"}]
    advance(engine, name, 0, outcome="completed", **proof)
    resolve(engine, name, "waive", 0, "ship it")
    resolve(engine, name, "waive", 0, "no time for hooks")

    digest = engine.aggregate(name)

    gate, hooks = digest["decisions"]
    assert gate == {
        "task_id": "stage-0",
        "decision": "waive",
        "reason": "ship it",
        "gate": "output",
        "rules": ["tests"],
        "what": "tests did not pass: 'test_refresh'",
    }
    assert (hooks["reason"], hooks["hooks"][0]) == ("no time for hooks", "sanity-check")
    assert (
        "Gates or hooks waived (2): each with its rule and reason."
        in digest["brief"]["must_mention"]
    )


@pytest.mark.parametrize("waived", [True, False])
def test_a_stage_started_in_spite_of_its_intake_gate_is_told(engine: Engine, waived: bool) -> None:
    stages = [{"capability": "implement", "goal": "Build it", "done": ["Deploy it to production"]}]
    name = staged(engine, stages=stages, override="a practice cluster")
    if waived:
        resolve(engine, name, "waive", 0, "a practice cluster")
    else:
        start(engine, name, "stage-0", override="a practice cluster")

    (entry,) = engine.aggregate(name)["decisions"]

    assert (entry["decision"], entry["gate"], entry["reason"]) == (
        "waive",
        "intake",
        "a practice cluster",
    )
    assert entry["rules"]


def test_answers_of_the_user_and_replaced_tasks_are_among_the_decisions(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    update(engine, name, "a", "input_required", output="Which region?")
    decide(engine, name, "answer", task_id="a", answers=["EU only. " * 30])
    break_(engine, name, "b")
    engine.change_plan(name, replaces=["b"], add=[task("c")], reason="too broad")

    answered, replaced = engine.aggregate(name)["decisions"]

    assert (answered["decision"], answered["questions"]) == ("answer", ["Which region?"])
    assert answered["answers"][0].startswith("EU only. EU only.")
    assert len(answered["answers"][0]) == 160
    assert replaced == {
        "task_id": "b",
        "decision": "replaced",
        "reason": "too broad",
        "by": ["c"],
    }


def test_what_a_worker_reports_beside_its_result_is_counted_and_must_be_mentioned(
    engine: Engine,
) -> None:
    name = workflow(engine, "a", "b", "c")
    engine.record("finding", [{"text": "It is slow."}], workflow_id=name, task_id="b")
    data = {
        "blockers": ["no access"],
        "evidence": [{"criterion": "401 is sent", "proven": False, "proof": "none"}],
        "tests": [{"name": "t2", "status": "passed"}, {"name": "t3", "status": "failed"}],
    }
    members = {
        "tests": [{"name": "t1", "status": "fail"}, "t4"],
        "findings": ["prod is broken"],
        "questions": ["Did you mean prod?"],
        "error": {"message": "partly failed"},
    }
    do(engine, name, "a", data, **members)
    start(engine, name, "b")
    engine.record("finding", [{"text": "It is slower."}] * 2, workflow_id=name, task_id="b")
    test = {"name": "t5", "status": "failed"}
    engine.record("test", [test, test | {"status": "passed"}], workflow_id=name, task_id="b")
    do(engine, name, "c", 1)

    concise = engine.aggregate(name)
    detailed = engine.aggregate(name, detail="detailed")

    counts = {
        "failed_tests": 2,
        "unproven": 1,
        "blockers": 1,
        "errors": 1,
        "findings": 1,
        "questions": 1,
    }
    assert [line.get("reported") for line in concise["tasks"]] == [counts, {"findings": 1}, None]
    assert detailed["tasks"][0]["reported"] == {
        "failed_tests": ["t3", "t1"],
        "unproven": ["401 is sent"],
        "blockers": ["no access"],
        "errors": ["partly failed"],
        "findings": ["prod is broken"],
        "questions": ["Did you mean prod?"],
    }
    told = (
        "Reported by workers: failed tests 2, criteria not proven 1, blockers 1, errors 1, "
        "findings 2, questions 1 (by a, b)."
    )
    assert told in concise["brief"]["must_mention"]


def test_a_test_that_passed_at_last_and_the_findings_of_an_earlier_attempt_are_not_reported(
    engine: Engine,
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    engine.record("finding", [{"text": "It is slow."}], workflow_id=name, task_id="a")
    update(engine, name, "a", "failed", error="it broke")
    do(engine, name, "a", 1, tests=[{"name": "t1", "status": "fail"}])
    engine.record("test", [{"name": "t1", "status": "passed"}], workflow_id=name, task_id="a")

    digest = engine.aggregate(name)

    assert [line.get("reported") for line in digest["tasks"]] == [None, None]


def test_a_gap_that_closes_between_two_pages_makes_none_of_the_others_be_skipped(
    engine: Engine,
) -> None:
    names = [f"t{number}" for number in range(60)]
    name = workflow(engine, *names)
    first = engine.aggregate(name)
    do(engine, name, "t0", 1)

    told, page = list(first["gaps"]), first
    while "cursor" in page:
        page = engine.aggregate(name, cursor=page["cursor"])
        told += page.get("gaps", [])

    assert [gap["task_id"] for gap in told] == names
