"""The gate that a stage passes before it counts as done: evidence, review, waivers, the parent's deeds."""

import json
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import (
    AlreadyOver,
    Blocked,
    InReview,
    InvalidArguments,
    RetriesUsedUp,
    StaleClaim,
)
from relaybook.model import EventType
from relaybook.store.base import Store
from relaybook.store.cases import get_task
from relaybook.store.events import read_events
from tests.helpers import complete, result, start, update
from tests.stages import (
    HOOKS,
    HOOKS_WITH_FINDINGS,
    PROOF,
    advance,
    finish_first,
    refused,
    resolve,
    staged,
)


@pytest.mark.requirement("A17", "A36", "S229", "S230")
def test_a_stage_that_fails_its_gate_is_in_review_and_nothing_goes_on(engine: Engine) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)

    answer = advance(engine, workflow_id, 0, outcome="completed", reason="Done, I think.")

    assert (answer["status"], answer["item_status"]) == ("review", "review")
    assert [item["rule"] for item in answer["gate"]["items"]] == ["min_artifacts", "criteria"]
    assert "hooks" not in answer
    refusal = refused(InReview, engine, workflow_id)
    assert [item["rule"] for item in refusal.data["items"]] == ["min_artifacts", "criteria"]
    assert engine.show_workflow(workflow_id)["review"][0]["task_id"] == "stage-0"


@pytest.mark.requirement("A17")
def test_a_stage_in_review_completes_by_more_evidence(engine: Engine) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="completed", artifacts=["src/a.py"])

    still = advance(engine, workflow_id, 0, outcome="completed", findings=["It is slow."])
    engine.record(
        "test", [{"name": "t", "status": "passed"}], workflow_id=workflow_id, task_id="stage-0"
    )
    done = advance(engine, workflow_id, 0, outcome="completed")

    assert still["status"] == "review"
    assert [item["rule"] for item in still["gate"]["items"]] == ["criteria"]
    assert done["status"] == "completed"


@pytest.mark.requirement("A17")
def test_a_gate_is_waived_with_author_and_reason(engine: Engine, ledger: Store) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="completed")

    with pytest.raises(InvalidArguments):
        resolve(engine, workflow_id, "waive", 0)
    answer = resolve(engine, workflow_id, "waive", 0, "a spike, thrown away")
    again = resolve(engine, workflow_id, "waive", 0, "a spike, thrown away")

    assert answer["item_status"] == "done"
    assert [hook["skill"] for hook in answer["hooks"]] == HOOKS
    assert again["repeated"] is True
    with ledger.read() as tx:
        done = [e for e in read_events(tx, workflow_id) if e.type is EventType.TASK_COMPLETED]
    assert [(e.actor, e.data["waived"]) for e in done] == [("mia", "a spike, thrown away")]


@pytest.mark.requirement("A31")
def test_a_deed_of_the_parent_is_confirmed_before_the_stage_completes(engine: Engine) -> None:
    workflow_id = staged(engine, "deploy", "verification")
    advance(engine, workflow_id)
    proof = {"criteria": [{"criterion": "Do deploy", "evidence": "the plan is listed"}]}

    answer = advance(engine, workflow_id, 0, outcome="completed", **proof)
    done = resolve(engine, workflow_id, "confirm", 0, "deployed by hand")

    (item,) = answer["gate"]["items"]
    assert item["rule"] == "parent_action"
    assert "deployment (T3)" in item["what"]
    assert done["item_status"] == "done"
    with pytest.raises(InvalidArguments):
        resolve(engine, workflow_id, "confirm", 1, "nothing to confirm")


@pytest.mark.requirement("A31", "S174")
def test_the_prompt_of_a_stage_leaves_the_deeds_of_the_parent_to_the_parent(
    engine: Engine,
) -> None:
    deploying = advance(engine, staged(engine, "deploy"))["current"]["prompt"]
    building = advance(engine, staged(engine, "implement"))["current"]["prompt"]

    rule = "- Prepare as plan, command or draft, and do not carry out: deployment; merge; rollback."
    assert f"\n{rule} Put each into `proposed_actions`; ready to be done meets" in deploying
    assert "do not carry out" not in building


@pytest.mark.requirement("A31", "A17")
def test_a_confirmation_does_not_replace_the_gate(engine: Engine) -> None:
    workflow_id = staged(engine, "deploy")
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="completed")

    answer = resolve(engine, workflow_id, "confirm", 0, "deployed by hand")
    proof = {"criteria": [{"criterion": "Do deploy", "evidence": "seen"}]}
    done = advance(engine, workflow_id, 0, outcome="completed", **proof)

    assert [item["rule"] for item in answer["gate"]["items"]] == ["criteria"]
    assert done["status"] == "completed"


@pytest.mark.requirement("A17")
def test_a_warning_is_kept_as_a_follow_up_and_lets_the_work_go_on(engine: Engine) -> None:
    workflow_id = staged(engine, "verification")
    advance(engine, workflow_id)

    answer = advance(engine, workflow_id, 0, outcome="completed")

    assert answer["status"] == "completed"
    (followup,) = engine.load_item(answer["item"]).followups
    assert "success criteria are not shown to be met" in followup["text"]


@pytest.mark.requirement("A17", "A34")
def test_work_done_again_from_review_counts_as_a_retry_and_is_told_why(
    engine: Engine, ledger: Store
) -> None:
    workflow_id = staged(engine)
    for attempt in (1, 2, 3):
        answer = update(engine, workflow_id, "stage-0", "in_progress")
        assert answer["attempt"] == attempt
        advance(engine, workflow_id, 0, outcome="completed")

    with pytest.raises(RetriesUsedUp):
        start(engine, workflow_id, "stage-0")
    assert "0 artifacts are recorded" in answer["prompt"]
    with ledger.read() as tx:
        assert get_task(tx, workflow_id, "stage-0").failures == 2


@pytest.mark.requirement("S86", "S104", "A34")
def test_the_third_attempt_is_told_what_was_held_against_the_first(engine: Engine) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="completed")
    start(engine, workflow_id, "stage-0")
    advance(engine, workflow_id, 0, outcome="failed", reason="the disk is full")

    prompt = update(engine, workflow_id, "stage-0", "in_progress")["prompt"]

    gate = "0 artifacts are recorded, 1 needed; record the artifacts that were made"
    assert 0 < prompt.index(gate) < prompt.index("the disk is full")


@pytest.mark.requirement("S86")
def test_work_that_fails_in_review_is_told_with_its_error_and_its_objections(
    engine: Engine,
) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="completed")
    advance(engine, workflow_id, 0, outcome="failed", reason="it cannot be shown")

    prompt = update(engine, workflow_id, "stage-0", "in_progress")["prompt"]

    assert "it cannot be shown" in prompt
    assert "0 artifacts are recorded" in prompt


def test_the_prompt_of_a_stage_in_review_names_the_call_that_gives_it_to_a_worker(
    engine: Engine,
) -> None:
    workflow_id = staged(engine)
    told: list[str] = []
    for _ in range(3):
        start(engine, workflow_id, "stage-0")
        advance(engine, workflow_id, 0, outcome="completed")
        shown = engine.render_prompt(workflow_id=workflow_id, task_id="stage-0")
        told.append(shown["next"])

    again = "update_task(task_id='stage-0', status='in_progress') starts another attempt with it"
    assert told[:2] == [again, again]
    assert told[2].startswith("no retry is left: resolve(workflow_id)")


def test_a_stage_that_an_answer_starts_is_not_named_as_ready_by_it(engine: Engine) -> None:
    workflow_id = staged(engine, hooks="advisory")

    answer = finish_first(engine, workflow_id)

    assert answer["current"]["task_id"] == "stage-1"
    assert "ready" not in answer


@pytest.mark.requirement("A21")
def test_what_a_workers_result_carries_is_recorded_and_judged(engine: Engine) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    data = {
        "files": [{"path": "src/a.py", "change": "Added refresh()."}],
        "tests": [{"name": "t", "status": "pass", "proves": "Build refresh token endpoint"}],
        "decisions": [{"decision": "once", "why": "safer"}],
        "findings": ["It logs the token."],
    }

    answer = update(engine, workflow_id, "stage-0", "completed", output=result(data))

    item = engine.load_item(answer["item"])
    assert answer["status"] == "completed"
    assert item.artifacts == ({"path": "src/a.py", "description": "Added refresh()."},)
    assert [test["status"] for test in item.tests] == ["passed"]
    assert [finding["text"] for finding in item.findings] == ["It logs the token."]
    assert [hook["skill"] for hook in answer["hooks"]] == HOOKS_WITH_FINDINGS
    advance(engine, workflow_id, 0, hooks_run=HOOKS_WITH_FINDINGS)
    prompt = advance(engine, workflow_id)["current"]["prompt"]
    assert "src/a.py" in prompt
    assert "It logs the token" not in prompt  # the contract does not pass findings on


def test_what_the_gate_asks_for_stands_in_the_prompt(engine: Engine) -> None:
    args = {"done_criteria": ["GET /bills.csv answers 200"], "scope": "src/"}
    stage = {"capability": "implement", "goal": "Add CSV export", "args": args}
    workflow_id = staged(engine, stages=[stage | {"done": ["The header row is in German"]}])

    prompt = advance(engine, workflow_id)["current"]["prompt"]
    answer = advance(engine, workflow_id, 0, outcome="completed", artifacts=["src/a.py"])

    missing = next(item for item in answer["gate"]["items"] if item["rule"] == "criteria")
    assert "'The header row is in German'" in missing["what"]
    assert "- The header row is in German\nProve each" in prompt
    assert "  - GET /bills.csv answers 200" in prompt


def test_a_testing_stage_that_finds_a_defect_and_obeys_its_prompt_passes(engine: Engine) -> None:
    args = {"sources": [{"path": "a.py", "content": "x"}], "framework": "pytest"}
    stage = {"capability": "testing", "goal": "Test the export", "args": args}
    workflow_id = staged(engine, stages=[stage])
    prompt = advance(engine, workflow_id)["current"]["prompt"]
    skipped = {"name": "t_quote", "status": "skip", "evidence": "a quote is lost"}
    data = {
        "files": [{"path": "test_a.py", "text": ""}],
        "tests": [{"name": "t", "status": "pass", "evidence": "1 passed"}, skipped],
        "coverage": 80,
        "run_command": "pytest",
    }

    answer = advance(engine, workflow_id, 0, outcome="completed", output=result(data))

    assert "skip tests that show defects" in prompt
    assert answer["status"] == "completed"


def test_another_session_does_not_replace_the_result_in_review(engine: Engine) -> None:
    workflow_id = staged(engine, "verification", hooks=[])
    advance(engine, workflow_id, session_key="new")
    bad = {"criteria": [{"text": "Do verification", "verdict": "proven", "evidence": "TODO: look"}]}
    update(engine, workflow_id, "stage-0", "completed", output=result(bad, summary="TODO: x"))

    with pytest.raises(StaleClaim):
        update(engine, workflow_id, "stage-0", "completed", session_key="old", output=result("x"))


def test_a_corrected_result_takes_the_place_of_the_one_in_review(engine: Engine) -> None:
    workflow_id = staged(engine, "verification", hooks=[])
    advance(engine, workflow_id)
    bad = {"criteria": [{"text": "Do verification", "verdict": "proven", "evidence": "TODO: look"}]}
    good = {"criteria": [{"text": "Do verification", "verdict": "proven", "evidence": "200 OK"}]}

    first = advance(
        engine, workflow_id, 0, outcome="completed", output=result(bad, summary="TODO: x")
    )
    second = update(engine, workflow_id, "stage-0", "completed", output=result(good))
    again = advance(engine, workflow_id, 0, outcome="completed", output=result(good))

    assert first["status"] == "review"
    assert second["status"] == "completed"
    assert again["repeated"] is True


def test_what_was_handed_in_before_a_stage_failed_is_read_with_its_error(engine: Engine) -> None:
    workflow_id = staged(engine, "verification", "implement", hooks=[])
    advance(engine, workflow_id)
    bad = {"criteria": [{"text": "Do verification", "verdict": "proven", "evidence": "TODO: look"}]}
    advance(engine, workflow_id, 0, outcome="completed", output=result(bad, summary="TODO: x"))

    advance(engine, workflow_id, 0, outcome="failed", reason="it cannot be shown")

    read = engine.read(f"ledger://workflows/{workflow_id}/tasks/stage-0/result")["text"]
    kept = json.loads(read)
    assert (kept["status"], kept["error"]["message"]) == ("error", "it cannot be shown")
    assert kept["data"] == bad


@pytest.mark.requirement("A28")
def test_a_task_that_is_no_stage_passes_no_gate(engine: Engine) -> None:
    made = engine.create_workflow(
        "supervisor", tasks=[{"id": "a", "label": "A", "template": "piece"}]
    )
    start(engine, made["workflow_id"], "a")

    answer = complete(engine, made["workflow_id"], "a", {"TODO": "x"})

    assert answer["status"] == "completed"
    assert "hooks" not in answer


def test_what_is_not_in_review_is_not_waived(engine: Engine) -> None:
    workflow_id = staged(engine, hooks=[])
    finish_first(engine, workflow_id)

    with pytest.raises(AlreadyOver):
        resolve(engine, workflow_id, "waive", 0, "done already")
    with pytest.raises(Blocked):
        resolve(engine, workflow_id, "waive", 1, "it runs")


def test_what_a_stage_in_review_lacks_is_named_wherever_the_workflow_is_taken_up(
    engine: Engine,
) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    answer = advance(engine, workflow_id, 0, outcome="completed", tests=PROOF[0]["tests"])

    shown = [engine.show_workflow(workflow_id, detail=d)["next"] for d in ("concise", "resume")]
    waiting = engine.open_decisions(workflow_id)
    with pytest.raises(InReview) as blocked:
        start(engine, workflow_id, "stage-1")

    assert answer["next"] == (
        "advance_stage(stage=0, outcome='completed', …) with new evidence, "
        "update_task(task_id='stage-0', status='in_progress') to redo it, or "
        "resolve(decision='waive', task_id='stage-0', reason); "
        "its gate says: 0 artifacts are recorded, 1 needed"
    )
    assert {*shown, waiting["next"], blocked.value.next} == {answer["next"]}
    assert refused(InReview, engine, workflow_id).next == answer["next"]
    assert "Stage 0 is in review" in engine.claim_task(workflow_id)["reason"]
    assert "confirm" not in str(waiting)


@pytest.mark.parametrize(
    "proof",
    [
        ({"criteria": [{"criterion": "Do deploy", "evidence": "seen"}]}),
        ({}),
    ],
)
def test_confirm_and_decline_are_named_where_the_parent_has_to_act(
    engine: Engine, proof: dict[str, Any]
) -> None:
    workflow_id = staged(engine, "deploy")
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="completed", **proof)

    waiting = engine.open_decisions(workflow_id)

    assert waiting["open"][0]["decisions"] == ["confirm", "waive"]
    assert waiting["next"] == engine.show_workflow(workflow_id)["next"]
    assert all(f"decision='{each}'" in waiting["next"] for each in ("confirm", "waive"))
