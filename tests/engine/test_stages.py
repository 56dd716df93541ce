"""Stages: routed by capability, one after the other."""

import json
from pathlib import Path
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.errors import (
    AlreadyOver,
    Blocked,
    BreakerOpen,
    InvalidArguments,
    InvalidPlan,
    NotStarted,
    QuestionsOpen,
    RetriesUsedUp,
    UnknownCapability,
    UnknownContract,
    WorkflowEnded,
)
from relaybook.store.base import Store
from relaybook.store.cases import get_task, get_workflow, needs_of
from relaybook.store.events import read_events
from relaybook.store.ledger import apply
from tests.engine.test_laws import whole_case
from tests.helpers import Clock, dump, fail, open_ledger, result, update
from tests.stages import (
    HOOKS,
    HOOKS_WITH_FINDINGS,
    NAME,
    PROOF,
    STAGES,
    SUMMARY,
    advance,
    finish_first,
    refused,
    resolve,
    staged,
)


def slug_of(ledger: Store, workflow_id: str, stage: int) -> str | None:
    with ledger.read() as tx:
        return get_task(tx, workflow_id, f"stage-{stage}").slug


@pytest.mark.requirement("S179", "S180", "S183", "S185", "S186", "S187", "A28")
def test_the_four_stages_of_the_playbook_are_routed_and_printed_to_the_letter(
    engine: Engine,
) -> None:
    answer = engine.create_workflow(name=NAME, project="mpmp", stages=STAGES)

    assert answer["summary"] == SUMMARY
    assert [each["skill"] for each in answer["stages"]] == [
        "python-backend",
        "python-backend",
        "devops",
        "sanity-check",
    ]
    assert "findings" not in answer
    assert engine.show_workflow(answer["workflow_id"])["type"] == "pipeline"


@pytest.mark.requirement("S181", "S182", "S215", "A19", "A28")
def test_each_stage_is_a_task_with_a_work_item_after_the_one_before(
    engine: Engine, ledger: Store
) -> None:
    workflow_id = staged(engine)

    with ledger.read() as tx:
        needs = [needs_of(tx, workflow_id, f"stage-{place}") for place in range(4)]
    assert needs == [[], ["stage-0"], ["stage-1"], ["stage-2"]]
    assert slug_of(ledger, workflow_id, 0) == "wf-implement-auth-refresh-stage-0"
    assert slug_of(ledger, workflow_id, 3) == "wf-implement-auth-refresh-stage-3"


@pytest.mark.requirement("A19")
def test_later_workflows_of_a_name_are_numbered_in_their_slugs(
    engine: Engine, ledger: Store
) -> None:
    made = [staged(engine, "implement", name="Refresh it") for _ in range(6)]

    assert [slug_of(ledger, each, 0) for each in made] == [
        "wf-refresh-it-stage-0",
        *(f"wf-refresh-it-{n}-stage-0" for n in range(2, 7)),
    ]


@pytest.mark.requirement("S183", "A18")
def test_a_skill_that_is_named_wins_and_runners_up_are_told(engine: Engine) -> None:
    named = {"capability": "implement", "goal": "Build it", "skill": "web-builder"}

    answer = engine.create_workflow(stages=[named])

    assert answer["stages"][0]["skill"] == "web-builder"
    assert answer["stages"][0]["runners_up"] == ["python-backend"]


@pytest.mark.requirement("S184", "A15")
def test_an_unknown_capability_is_refused_at_creation_with_the_nearest(
    engine: Engine, ledger: Store
) -> None:
    before = dump(ledger)

    with pytest.raises(UnknownCapability) as caught:
        engine.create_workflow(stages=[{"capability": "deplyo", "goal": "x"}])

    assert "'deplyo'" in caught.value.message
    assert caught.value.allowed.split(", ")[0] == "deploy"
    with pytest.raises(UnknownContract):
        engine.create_workflow(stages=[{"capability": "deploy", "goal": "x", "skill": "nobody"}])
    assert dump(ledger) == before


@pytest.mark.parametrize(
    ("stages", "word"),
    [
        (["implement"], "must be an object"),
        ([{"goal": "x"}], "no capability"),
        ([{"capability": "implement", "goal": " "}], "no goal"),
        ([{"capability": "implement", "goal": "x", "gaol": "y"}], "'gaol'"),
        ([{"capability": "implement", "goal": "x", "args": []}], "'args'"),
    ],
)
def test_a_stage_of_the_wrong_form_is_refused(engine: Engine, stages: Any, word: str) -> None:
    with pytest.raises(InvalidPlan, match=word):
        engine.create_workflow(stages=stages)


@pytest.mark.requirement("S190", "S191")
def test_advance_starts_the_first_stage_and_hands_out_its_prompt(engine: Engine) -> None:
    workflow_id = staged(engine)

    answer = advance(engine, workflow_id)

    current = answer["current"]
    assert (current["stage"], current["status"], current["skill"]) == (
        0,
        "in_progress",
        "python-backend",
    )
    assert "Build refresh token endpoint" in current["prompt"]
    assert len(current["claim"]) == 32
    assert engine.load_item(current["item"]).status == "in_progress"


@pytest.mark.requirement("S193", "A16")
def test_advance_again_answers_the_running_stage_and_changes_nothing(
    engine: Engine, ledger: Store
) -> None:
    workflow_id = staged(engine)
    first = advance(engine, workflow_id)["current"]
    before = dump(ledger)

    again = advance(engine, workflow_id)["current"]

    assert (again["stage"], again["claim"], again["prompt"]) == (
        0,
        first["claim"],
        first["prompt"],
    )
    assert again["running"] is True
    assert dump(ledger) == before


@pytest.mark.requirement("S197")
def test_an_outcome_of_a_stage_that_never_started_is_refused(engine: Engine, ledger: Store) -> None:
    workflow_id = staged(engine)
    before = dump(ledger)

    refused(NotStarted, engine, workflow_id, 0, outcome="completed", **PROOF[0])
    refused(NotStarted, engine, workflow_id, 2, outcome="failed", reason="no")

    assert dump(ledger) == before


@pytest.mark.requirement("A16")
def test_an_outcome_repeated_answers_what_is_on_record(engine: Engine, ledger: Store) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    before = dump(ledger)

    again = advance(engine, workflow_id, 0, outcome="completed", **PROOF[0])

    assert (again["status"], again["repeated"]) == ("completed", True)
    assert dump(ledger) == before


@pytest.mark.requirement("A16")
def test_a_failure_repeated_answers_what_is_on_record(engine: Engine, ledger: Store) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    said = {"outcome": "failed", "reason": "the build breaks", "error_code": "own code"}
    advance(engine, workflow_id, 0, **said)
    before = dump(ledger)

    again = advance(engine, workflow_id, 0, **said)

    assert (again["status"], again["repeated"]) == ("failed", True)
    assert dump(ledger) == before


@pytest.mark.parametrize(
    "said",
    [
        {"outcome": "failed", "reason": "oops"},
        {"outcome": "completed", "output": "<result>{}</result>"},
        {"outcome": "completed", "artifacts": ["NEW.py"]},
        {"outcome": "completed", "findings": ["It is slow."]},
        {"outcome": "completed", "tests": [{"name": "test_refresh", "status": "failed"}]},
    ],
)
def test_what_contradicts_or_adds_to_a_stage_that_is_over_is_refused(
    engine: Engine, ledger: Store, said: dict[str, Any]
) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    before = dump(ledger)

    refused(AlreadyOver, engine, workflow_id, 0, **said)

    assert dump(ledger) == before


def test_another_failure_of_a_failed_stage_is_refused(engine: Engine, ledger: Store) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="failed", reason="the build breaks")
    before = dump(ledger)

    refusal = refused(AlreadyOver, engine, workflow_id, 0, outcome="failed", reason="a timeout")

    assert dump(ledger) == before
    assert "status 'in_progress'" in refusal.next


def test_what_is_refused_as_not_on_record_can_be_recorded(engine: Engine) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    refusal = refused(
        AlreadyOver, engine, workflow_id, 0, outcome="completed", artifacts=["NEW.py"]
    )
    assert "record(kind=…, entries=[{…}], task_id='stage-0')" in refusal.next

    engine.record("artifact", [{"path": "NEW.py"}], workflow_id=workflow_id, task_id="stage-0")

    again = advance(engine, workflow_id, 0, outcome="completed", artifacts=["NEW.py"])
    assert again["repeated"] is True


@pytest.mark.requirement("S194", "S202")
def test_the_whole_example_runs_to_its_end(engine: Engine) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    advance(engine, workflow_id, 0, hooks_run=HOOKS_WITH_FINDINGS)
    advance(engine, workflow_id, 1, outcome="completed", hooks_run=HOOKS, **PROOF[1])
    advance(engine, workflow_id, 2, outcome="completed", **PROOF[2])
    resolve(engine, workflow_id, "confirm", 2, "deployed, run 12")
    advance(engine, workflow_id, 2, hooks_run=HOOKS)

    answer = advance(engine, workflow_id, 3, outcome="completed", hooks_run=HOOKS, **PROOF[3])

    assert answer["complete"] is True
    assert advance(engine, workflow_id)["complete"] is True
    assert engine.show_workflow(workflow_id)["status"] == "completed"


@pytest.mark.requirement("S198")
def test_a_stage_fails_with_its_reason_and_for_good_when_no_retry_is_left(engine: Engine) -> None:
    workflow_id = staged(engine, "implement", "testing", "deploy", "verification")

    refused(InvalidArguments, engine, workflow_id, 0, outcome="failed")
    for _ in range(2):
        advance(engine, workflow_id)
        advance(engine, workflow_id, 0, outcome="failed", reason="the build breaks")
    advance(engine, workflow_id)
    answer = advance(engine, workflow_id, 0, outcome="failed", reason="the build breaks")

    assert (answer["status"], answer["item_status"]) == ("failed", "failed")
    assert engine.load_item(answer["item"]).error == "the build breaks"
    assert engine.show_workflow(workflow_id)["status"] == "failed"
    assert "the build breaks" in str(refused(RetriesUsedUp, engine, workflow_id))


@pytest.mark.requirement("A34")
def test_a_failed_stage_is_tried_again_with_its_error_in_the_prompt(engine: Engine) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="failed", reason="the port is taken")

    current = advance(engine, workflow_id)["current"]

    assert (current["stage"], current["attempt"]) == (0, 2)
    assert "the port is taken" in current["prompt"]


@pytest.mark.requirement("S192")
def test_what_blocks_a_workflow_is_said_and_nothing_starts(engine: Engine, ledger: Store) -> None:
    asking = staged(engine)
    advance(engine, asking)
    message = result(status="needs_input", questions=["which port?"])
    advance(engine, asking, 0, outcome="completed", output=message)
    broken = staged(engine, "implement")
    advance(engine, broken)
    advance(engine, broken, 0, outcome="failed", reason="no")
    late = staged(engine, "implement", "testing")
    advance(engine, late)
    fail(engine, late, "stage-0", "slow", error_code="timeout")
    before = dump(ledger)

    assert refused(QuestionsOpen, engine, asking).data["stage"] == 0
    assert (refused(BreakerOpen, engine, broken).next or "").startswith("ask the user")
    assert refused(Blocked, engine, late).data["stage"] == 0
    assert dump(ledger) == before


def test_a_failed_stage_leads_to_the_change_that_the_user_decided_on(engine: Engine) -> None:
    broken = staged(engine, "implement")
    advance(engine, broken)
    advance(engine, broken, 0, outcome="failed", reason="no")

    resolve(engine, broken, "adjust", 0, "another prompt")

    assert "change_plan" in (refused(BreakerOpen, engine, broken).next or "")


def test_a_closed_workflow_is_not_advanced(engine: Engine) -> None:
    workflow_id = staged(engine)
    engine.resolve(Resolution(workflow_id=workflow_id, decision="cancel"))

    refused(WorkflowEnded, engine, workflow_id)


def test_advance_needs_to_know_what_is_meant(engine: Engine) -> None:
    workflow_id = staged(engine)

    for said in (
        {"outcome": "completed"},
        {"stage": 0},
        {"stage": 0, "artifacts": ["a"]},
        {"stage": 0, "outcome": "done"},
    ):
        stage = said.pop("stage", None)
        refused(InvalidArguments, engine, workflow_id, stage, **said)
    advance(engine, workflow_id)
    odd = [{"name": "t", "status": "fine"}]
    refused(InvalidArguments, engine, workflow_id, 0, outcome="completed", tests=odd)


@pytest.mark.requirement("S224")
def test_events_of_stages_replayed_give_every_row_what_was_learned_included(
    engine: Engine, ledger: Store, clock: Clock, tmp_path: Path
) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="failed", reason="no", findings=["Ports clash."])
    clock.move(60)
    finish_first(engine, workflow_id)
    advance(engine, workflow_id, 0, hooks_run=HOOKS_WITH_FINDINGS)
    advance(engine, workflow_id, 1, outcome="completed")
    resolve(engine, workflow_id, "waive", 1, "later")
    resolve(engine, workflow_id, "waive", 1, "no hooks")
    advance(engine, workflow_id)
    (tmp_path / "copy").mkdir()
    copy = open_ledger("sqlite", tmp_path / "copy")

    with ledger.read() as tx:
        events = read_events(tx, workflow_id, limit=1_000)
        total = get_workflow(tx, workflow_id).total
    with copy.transaction() as tx:
        case = apply(tx, None, events[: total + 1])
        for event in events[total + 1 :]:
            case = apply(tx, whole_case(tx, workflow_id), [event])

    seen, copied = dump(ledger), dump(copy)
    copy.close()
    for table in ("workflows", "attempts", "edges", "events", "lessons", "skill_stats", "tasks"):
        assert copied[table] == seen[table], table
    assert case.workflow.id == workflow_id
    assert len(seen["lessons"]) == 2
    assert [json.loads(row[1])["failed"] for row in seen["skill_stats"]] == [2]


def test_stages_are_no_other_pattern_than_a_pipeline(engine: Engine) -> None:
    with pytest.raises(InvalidPlan, match="Stages come one after the other"):
        staged(engine, pattern="fan_out")


def test_nothing_is_ready_in_a_workflow_that_has_ended(engine: Engine) -> None:
    workflow_id = staged(engine)
    engine.resolve(Resolution(workflow_id=workflow_id, decision="cancel"))

    shown = engine.show_workflow(workflow_id)

    assert "ready" not in shown
    assert "ready" not in shown["counts"]
    assert not engine.show_workflow(workflow_id, detail="resume").get("ready")


@pytest.mark.requirement("S53")
def test_a_testing_stage_with_a_goal_alone_is_told_the_goal(engine: Engine) -> None:
    stages = [{"capability": "testing", "goal": "Write integration tests for the refresh endpoint"}]
    made = engine.create_workflow("pipeline", "test", stages=stages)

    prompt = engine.render_prompt(workflow_id=made["workflow_id"], task_id="stage-0")

    assert "## Task\nWrite integration tests for the refresh endpoint.\n" in prompt["prompt"]
    assert "- Framework: the one that the project uses.\n" in prompt["prompt"]
    assert "Test first" not in prompt["prompt"]
    assert prompt["gate"]["verdict"] == "pass"


def test_a_stage_with_a_template_of_its_own_needs_no_arguments_for_that_of_its_skill(
    engine: Engine,
) -> None:
    stage = {"capability": "documentation", "goal": "Explain it", "template": "pipeline_stage"}
    made = engine.create_workflow(stages=[stage])

    prompt = engine.render_prompt(workflow_id=made["workflow_id"], task_id="stage-0")

    assert "Explain it" in prompt["prompt"]
    with pytest.raises(InvalidPlan, match="'template' of stage 0 must be a text"):
        engine.create_workflow(stages=[stage | {"template": 1}])


@pytest.mark.parametrize("pattern", ["pipeline", "fan_out"])
def test_a_workflow_without_stages_is_not_advanced(
    pattern: str, engine: Engine, ledger: Store
) -> None:
    tasks = [{"id": name, "label": name, "template": "piece"} for name in ("stage-0", "b")]
    workflow_id = engine.create_workflow(pattern, "plain", tasks=tasks)["workflow_id"]
    before = dump(ledger)

    for said in (
        {},
        {"stage": 0, "outcome": "completed"},
        {"stage": 0, "hooks_run": ["reflect"]},
        {"hooks_run": ["reflect"]},
    ):
        refusal = refused(InvalidArguments, engine, workflow_id, **said)
        assert "has no stages" in refusal.message
        assert "update_task or claim_task" in refusal.allowed
        assert "status='in_progress'" in refusal.next
    assert dump(ledger) == before


def test_a_workflow_of_stages_is_started_and_taken_up_by_advance_stage(engine: Engine) -> None:
    made = engine.create_workflow(name=NAME, stages=STAGES, hooks=[])
    workflow_id = made["workflow_id"]

    fresh = engine.show_workflow(workflow_id)
    advance(engine, workflow_id)
    tests = [{"name": "t", "status": "pass", "proves": STAGES[0]["goal"]}]
    data = {"files": [{"path": "a.py", "change": "It is new."}], "tests": tests}
    data |= {"decisions": [], "findings": []}
    done = update(engine, workflow_id, "stage-0", "completed", output=result(data))
    told = engine.record("user_told", [{}], workflow_id=workflow_id)

    assert [each["next"] for each in (made, fresh, done, told)] == ["advance_stage"] * 4


def test_the_inputs_named_for_a_capability_are_those_that_its_stage_takes(engine: Engine) -> None:
    known = {
        capability for each in engine.find_skills()["skills"] for capability in each["capabilities"]
    }
    refused: list[str] = []

    for capability in sorted(known):
        for skill in engine.find_skills(capability=capability)["skills"]:
            args = {name.rstrip("?"): None for name in skill["inputs"]}
            stage = {"capability": capability, "skill": skill["skill"], "goal": "Do it"}
            try:
                engine.create_workflow(stages=[stage | {"args": args}], dry_run=True)
            except InvalidArguments as refusal:  # a required one is empty
                refused += refusal.data["unknown"]

    assert len(known) > 30
    assert refused == []


def test_an_input_that_the_goal_or_the_stage_before_gives_is_not_required(engine: Engine) -> None:
    [deploy] = engine.find_skills(capability="deploy")["skills"]
    [review] = engine.find_skills(capability="code_review")["skills"]

    assert deploy["inputs"] == ["goal?", "done_criteria?", "scope?", "sources?"]
    assert "sources" in review["inputs"]
