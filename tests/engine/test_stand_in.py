"""A task in the place of a stage is a stage: with its gate, its work item, its hooks, its number."""

import pytest

from relaybook.engine import Engine
from relaybook.errors import UnknownCapability
from relaybook.playbook import WorkflowEngine
from tests.helpers import complete, result, start, task, update, workflow
from tests.stages import HOOKS, PROOF, advance, resolve, staged

SPEC = {"spec": "Build it with the csv module.", "scope": "src/"}


def failed(engine: Engine, *capabilities: str) -> str:
    """The id of a workflow of stages whose first has failed for good."""
    name = staged(engine, *(capabilities or ("implement", "verification")))
    for attempt in range(3):
        start(engine, name, "stage-0")
        update(engine, name, "stage-0", "failed", error=f"run {attempt}", error_code="crash")
        resolve(engine, name, "waive", 0, "nothing to see")
    return name


@pytest.mark.requirement("S25", "S181", "S229")
def test_a_stage_is_replaced_by_one_with_its_own_template_and_with_its_gate(
    engine: Engine,
) -> None:
    name = failed(engine)
    added = {"id": "again", "label": "Build it", "template": "implement", "args": SPEC}

    changed = engine.change_plan(name, replaces=["stage-0"], add=[added], reason="another way")

    running = advance(engine, name)["current"]
    assert "no_stage" not in str(changed.get("findings"))
    assert (running["stage"], running["task_id"], running["skill"]) == (
        2, "again", "python-backend",
    )  # fmt: skip
    assert running["item"] == "wf-implement-auth-refresh-stage-2"
    assert "Build it with the csv module." in running["prompt"]
    answer = advance(
        engine, name, 2, outcome="completed", tests=[{"name": "t", "status": "failed"}]
    )
    assert answer["status"] == "review"
    assert {item["rule"] for item in answer["gate"]["items"]} == {
        "min_artifacts", "tests", "criteria",
    }  # fmt: skip


@pytest.mark.requirement("S199", "S202")
def test_the_call_that_next_names_ends_the_stage_in_the_place_of_another(engine: Engine) -> None:
    name = failed(engine)
    engine.change_plan(name, replaces=["stage-0"], add=[{"id": "again", "label": "Build it"}])
    begun = advance(engine, name)

    ended = advance(engine, name, 2, outcome="completed", **PROOF[0] | {"findings": []})
    settled = advance(engine, name, 2, hooks_run=HOOKS)

    assert "advance_stage(stage=2, outcome='completed' or 'failed')" in begun["next"]
    assert [hook["skill"] for hook in ended["hooks"]] == HOOKS
    assert settled["current"]["task_id"] == "stage-1"
    item = engine.load_item("wf-implement-auth-refresh-stage-2")
    assert (item.task_id, item.status, item.success_criteria) == ("again", "done", ("Build it",))


def test_the_criteria_of_a_stage_hold_for_what_takes_its_place(engine: Engine) -> None:
    stages = [{"capability": "implement", "goal": "Export", "done": ["GET answers text/csv"]}]
    name = staged(engine, stages=stages)

    engine.change_plan(name, replaces=["stage-0"], add=[{"id": "again", "label": "Build it"}])

    assert engine.load_item("wf-implement-auth-refresh-stage-1").success_criteria == (
        "GET answers text/csv",
    )


def test_two_stages_are_replaced_one_for_one(engine: Engine) -> None:
    name = failed(engine)

    engine.change_plan(
        name,
        replaces=["stage-0", "stage-1"],
        add=[{"id": "a", "label": "Build it"}, {"id": "b", "label": "Verify it"}],
    )

    items = [engine.load_item(f"wf-implement-auth-refresh-stage-{n}") for n in (2, 3)]
    assert [(item.task_id, item.skill) for item in items] == [
        ("a", "python-backend"),
        ("b", "sanity-check"),
    ]


def test_a_stage_that_is_split_leaves_its_gate_to_the_last_part_and_says_so(
    engine: Engine,
) -> None:
    name = failed(engine)

    changed = engine.change_plan(
        name,
        replaces=["stage-0"],
        add=[{"id": "a", "label": "Build half of it"}, {"id": "b", "label": "Build the rest"}],
    )

    (found,) = [each for each in changed["findings"] if each["rule"] == "no_stage"]
    assert found["what"] == "added tasks that are no stages: a"
    first = advance(engine, name)
    assert first["summary"] == "🔄 2. Build half of it"
    done = advance(engine, name, 2, outcome="completed", reason="half is there")
    assert done["current"]["task_id"] == "b"
    assert engine.load_item("wf-implement-auth-refresh-stage-3").capability == "implement"


def test_a_stage_is_replaced_by_one_of_another_capability(engine: Engine) -> None:
    name = failed(engine)
    args = {"sources": [{"path": "a.py", "content": "x = 1"}]}
    other = {"id": "again", "label": "Tell it", "capability": "documentation", "args": args}
    unknown = {"id": "again", "label": "Tell it", "capability": "dokumentation"}

    with pytest.raises(UnknownCapability):
        engine.change_plan(name, replaces=["stage-0"], add=[unknown])
    engine.change_plan(name, replaces=["stage-0"], add=[other])

    assert engine.load_item("wf-implement-auth-refresh-stage-2").skill == "docs-engine"


@pytest.mark.requirement("A31")
def test_what_takes_the_place_of_a_task_asks_for_what_was_left_to_the_parent(
    engine: Engine,
) -> None:
    deploy = task("deploy", parent_actions=[{"action": "Deploy it.", "tier": "T3"}])
    name = workflow(engine, deploy, task("verify", "deploy"))
    engine.change_plan(name, replaces=["deploy"], add=[task("deploy-2")])
    start(engine, name, "deploy-2")

    answer = complete(engine, name, "deploy-2", {"steps": "x"})

    assert answer["status"] == "review"
    assert "Deploy it. (T3)" in answer["gate"]["items"][0]["what"]


def test_the_facade_reaches_a_stage_in_the_place_of_another_by_its_number(engine: Engine) -> None:
    name = failed(engine, "verification", "implement")
    engine.change_plan(name, replaces=["stage-0"], add=[{"id": "again", "label": "Verify it"}])
    facade = WorkflowEngine(engine)
    pipeline = facade.load_workflow(name)

    begun = facade.advance(pipeline)
    assert begun is not None
    proof = {"criteria": [{"text": "Verify it", "verdict": "proven", "evidence": "TODO"}]}
    ended = facade.complete_stage(pipeline, begun.index, output=result(proof, summary="TODO: x"))
    waived = facade.waive(pipeline, begun.index, "good enough")

    assert (begun.index, ended.status, waived.status) == (2, "in_progress", "done")
