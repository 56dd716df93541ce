"""Stages: routed by capability, gated, followed by hooks, one after the other."""

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
    HooksPending,
    InReview,
    InvalidArguments,
    InvalidPlan,
    NotStarted,
    QuestionsOpen,
    Refusal,
    RetriesUsedUp,
    StaleClaim,
    UnknownCapability,
    UnknownContract,
    WorkflowEnded,
)
from relaybook.model import EventType
from relaybook.store.base import Store
from relaybook.store.cases import get_task, get_workflow, needs_of
from relaybook.store.events import read_events
from relaybook.store.ledger import apply
from tests.helpers import Clock, complete, dump, fail, open_ledger, result, start, update
from tests.stages import (
    HOOKS,
    HOOKS_WITH_FINDINGS,
    NAME,
    PROOF,
    STAGES,
    SUMMARY,
    advance,
    finish_first,
    resolve,
    staged,
)
from tests.store.test_laws import whole_case


def refused(kind: type[Refusal], engine: Engine, *args: Any, **said: Any) -> Refusal:
    with pytest.raises(kind) as caught:
        advance(engine, *args, **said)
    return caught.value


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


@pytest.mark.requirement("S195", "S196", "S202", "A17")
def test_a_stage_with_proof_completes_and_its_hooks_hold_the_next(engine: Engine) -> None:
    workflow_id = staged(engine)

    answer = finish_first(engine, workflow_id)

    assert (answer["status"], answer["item_status"]) == ("completed", "done")
    assert [hook["skill"] for hook in answer["hooks"]] == HOOKS_WITH_FINDINGS
    assert (answer["blocked"]["code"], answer["blocked"]["hooks"]) == (
        "hooks_pending",
        HOOKS_WITH_FINDINGS,
    )
    refusal = refused(HooksPending, engine, workflow_id)
    assert refusal.data["hooks"] == HOOKS_WITH_FINDINGS
    answer = advance(engine, workflow_id, 0, hooks_run=HOOKS_WITH_FINDINGS)
    assert answer["current"]["stage"] == 1


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


@pytest.mark.requirement("S202", "A17")
def test_hooks_are_waived_for_a_reason(engine: Engine) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)

    answer = resolve(engine, workflow_id, "waive", 0, "no time")

    assert "hooks" not in answer
    assert advance(engine, workflow_id)["current"]["stage"] == 1


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


def test_hooks_that_come_with_an_end_that_the_gate_refuses_are_told_as_not_recorded(
    engine: Engine,
) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)

    answer = advance(engine, workflow_id, 0, outcome="completed", hooks_run=HOOKS)

    assert answer["status"] == "review"
    assert answer["not_recorded"].startswith("hooks_run: the stage has status 'review'")
    done = advance(
        engine, workflow_id, 0, outcome="completed", hooks_run=HOOKS_WITH_FINDINGS, **PROOF[0]
    )
    assert (done["status"], "not_recorded" in done) == ("completed", False)


@pytest.mark.requirement("S237")
def test_a_failed_stage_has_hooks_that_hold_nothing(engine: Engine) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)

    answer = advance(
        engine, workflow_id, 0, outcome="failed", reason="no", findings=["The port is taken."]
    )

    assert [hook["skill"] for hook in answer["hooks"]] == HOOKS_WITH_FINDINGS
    assert answer["hooks"][0]["by_rule"] == {
        "gate": "output",
        "verdict": "pass",
        "judged": "the failure alone: its reason and what was written; no result is asked for",
    }
    assert "gate" not in answer
    assert answer["next"].endswith(
        f"advance_stage(stage=0, hooks_run={json.dumps(HOOKS_WITH_FINDINGS)}); then advance_stage "
        "without an outcome: it starts stage 0 again"
    )
    assert advance(engine, workflow_id)["current"]["attempt"] == 2


def test_a_failed_stage_that_may_not_start_again_names_its_hooks_and_the_decision(
    engine: Engine,
) -> None:
    workflow_id = staged(engine, "implement")
    advance(engine, workflow_id)

    answer = advance(engine, workflow_id, 0, outcome="failed", reason="no")

    assert f"hooks_run={json.dumps(HOOKS)}); then ask the user" in answer["next"]


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


@pytest.mark.requirement("S189", "A17")
@pytest.mark.parametrize(
    ("hooks", "names", "held"),
    [
        (None, HOOKS_WITH_FINDINGS, True),
        ([], [], False),
        (["reflect"], ["reflect"], True),
        ("advisory", HOOKS_WITH_FINDINGS, False),
    ],
)
def test_hooks_are_chosen_for_a_workflow(
    engine: Engine, hooks: Any, names: list[str], held: bool
) -> None:
    workflow_id = staged(engine, hooks=hooks)

    answer = finish_first(engine, workflow_id)

    assert [hook["skill"] for hook in answer.get("hooks", [])] == names
    assert ("blocked" in answer) is held
    assert (answer.get("current", {}).get("stage") == 1) is not held


@pytest.mark.parametrize("hooks", ["none", [1], {"a": 1}, [""], ["x"] * 13])
def test_hooks_of_another_form_are_refused(engine: Engine, hooks: Any) -> None:
    with pytest.raises(InvalidArguments, match="hooks"):
        staged(engine, hooks=hooks)


@pytest.mark.requirement("S199", "S200", "S228", "A11", "A26")
def test_hooks_come_ready_to_spawn_with_the_servers_part_done(engine: Engine) -> None:
    workflow_id = staged(engine)

    hooks = {hook["skill"]: hook for hook in finish_first(engine, workflow_id)["hooks"]}

    assert hooks["reflect"]["label"] == "hook_reflect"
    bare = workflow_id.removeprefix("wf_")
    assert hooks["reflect"]["label_full"] == f"hook_{bare}_0_reflect"
    assert hooks["sanity-check"]["by_rule"] == {"gate": "output", "verdict": "pass"}
    assert hooks["skill-lifecycle"]["by_rule"]["passed"] == 1
    prompt = engine.render_prompt(
        workflow_id=workflow_id, task_id="stage-0", template="hook_reflect"
    )["prompt"]
    assert "The staging clock runs two minutes late." in prompt
    assert "## Output Interface" in prompt


@pytest.mark.requirement("S201")
def test_hooks_that_were_run_are_on_record_and_repeating_is_harmless(
    engine: Engine, ledger: Store
) -> None:
    workflow_id = staged(engine)
    item = finish_first(engine, workflow_id)["item"]

    with pytest.raises(InvalidArguments, match="'sanity'"):
        advance(engine, workflow_id, 0, hooks_run=["sanity"])
    advance(engine, workflow_id, 0, hooks_run=["reflect"])
    part = engine.load_item(item)
    advance(engine, workflow_id, 0, hooks_run=HOOKS)
    before = dump(ledger)
    advance(engine, workflow_id, 0, hooks_run=HOOKS)

    assert (part.hooks_settled, part.hooks_due) == (("reflect",), tuple(HOOKS))
    assert engine.load_item(item).hooks_settled == ("reflect", *HOOKS)
    assert dump(ledger) == before


@pytest.mark.requirement("S230", "S229")
def test_a_sanity_check_that_fails_takes_the_completion_back(engine: Engine) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    issue = {"severity": "fail", "text": "The test proves nothing.", "evidence": "assert True"}
    message = result({"verdict": "fail", "issues": [issue], "followups": ["Test logout."]})

    run = {"hook": "sanity-check", "output": message}
    answer = advance(engine, workflow_id, 0, hooks_run=[run, "reflect", "skill-lifecycle"])

    assert answer["status"] == "review"
    assert answer["gate"]["items"][0]["what"] == "The test proves nothing."
    assert engine.load_item(answer["item"]).followups[-1]["text"] == "Test logout."
    refused(InReview, engine, workflow_id)


@pytest.mark.requirement("S235")
def test_a_hook_without_a_contract_is_named_with_its_problem(engine: Engine) -> None:
    made = engine.create_workflow(stages=STAGES, hooks=["polish"])
    workflow_id = made["workflow_id"]

    (hook,) = finish_first(engine, workflow_id)["hooks"]

    assert [each["what"].split(";")[0] for each in made["findings"]] == [
        "no contract 'polish' for this hook"
    ]
    assert (hook["skill"], "no contract 'polish'" in hook["problem"]) == ("polish", True)


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


def test_a_corrected_result_takes_the_place_of_the_one_in_review(engine: Engine) -> None:
    workflow_id = staged(engine, "verification", hooks=[])
    advance(engine, workflow_id)
    bad = {"criteria": [{"text": "Do verification", "verdict": "proven", "evidence": "TODO: look"}]}
    good = {"criteria": [{"text": "Do verification", "verdict": "proven", "evidence": "200 OK"}]}

    first = advance(
        engine, workflow_id, 0, outcome="completed", output=result(bad, summary="TODO: x")
    )
    second = update(engine, workflow_id, "stage-0", "completed", output=result(good))

    assert first["status"] == "review"
    assert second["status"] == "completed"


def test_another_session_does_not_replace_the_result_in_review(engine: Engine) -> None:
    workflow_id = staged(engine, "verification", hooks=[])
    advance(engine, workflow_id, session_key="new")
    bad = {"criteria": [{"text": "Do verification", "verdict": "proven", "evidence": "TODO: look"}]}
    update(engine, workflow_id, "stage-0", "completed", output=result(bad, summary="TODO: x"))

    with pytest.raises(StaleClaim):
        update(engine, workflow_id, "stage-0", "completed", session_key="old", output=result("x"))


@pytest.mark.requirement("A28")
def test_a_task_that_is_no_stage_passes_no_gate(engine: Engine) -> None:
    made = engine.create_workflow(
        "supervisor", tasks=[{"id": "a", "label": "A", "template": "piece"}]
    )
    start(engine, made["workflow_id"], "a")

    answer = complete(engine, made["workflow_id"], "a", {"TODO": "x"})

    assert answer["status"] == "completed"
    assert "hooks" not in answer


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


def test_what_is_not_in_review_is_not_waived(engine: Engine) -> None:
    workflow_id = staged(engine, hooks=[])
    finish_first(engine, workflow_id)

    with pytest.raises(AlreadyOver):
        resolve(engine, workflow_id, "waive", 0, "done already")
    with pytest.raises(Blocked):
        resolve(engine, workflow_id, "waive", 1, "it runs")


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


def test_hooks_that_are_due_are_named_wherever_the_workflow_is_taken_up(engine: Engine) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    call = (
        f"run its hooks, then advance_stage(stage=0, hooks_run={json.dumps(HOOKS_WITH_FINDINGS)}), "
        "or resolve(decision='waive', task_id='stage-0', reason)"
    )

    shown = [engine.show_workflow(workflow_id, detail=d) for d in ("concise", "detailed", "resume")]
    waiting = engine.open_decisions(workflow_id)
    idle = engine.claim_task(workflow_id)
    with pytest.raises(HooksPending) as blocked:
        start(engine, workflow_id, "stage-1")

    due = [{"task_id": "stage-0", "hooks": HOOKS_WITH_FINDINGS}]
    assert [(each["hooks_due"], each["next"]) for each in shown] == [(due, call)] * 3
    assert [(each["task_id"], each["decisions"]) for each in waiting["open"]] == [
        ("stage-0", ["waive"])
    ]
    assert waiting["open"] == shown[2]["waiting_for_user"]
    assert waiting["next"] == blocked.value.next == call
    assert "Stage 0 is completed, and its hooks wait" in idle["reason"]
    assert refused(HooksPending, engine, workflow_id).next == call
    advance(engine, workflow_id, 0, hooks_run=HOOKS_WITH_FINDINGS)
    assert engine.open_decisions(workflow_id)["open"] == []


def test_hooks_of_the_last_stage_hold_nothing_back(engine: Engine) -> None:
    workflow_id = staged(engine, "implement")
    finish_first(engine, workflow_id)
    resolve(engine, workflow_id, "waive", 0, "a spike")

    shown = engine.show_workflow(workflow_id)

    assert (shown["status"], shown["next"]) == ("completed", "aggregate")
    assert engine.open_decisions(workflow_id)["open"] == []


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
        "advance_stage(stage=0, outcome='completed', …), or resolve(decision='waive', "
        "task_id='stage-0', reason); its gate says: 0 artifacts are recorded, 1 needed"
    )
    assert {*shown, waiting["next"], blocked.value.next} == {answer["next"]}
    assert refused(InReview, engine, workflow_id).next == answer["next"]
    assert "Stage 0 is in review" in engine.claim_task(workflow_id)["reason"]
    assert "confirm" not in str(waiting)


@pytest.mark.parametrize(
    ("proof", "decisions"),
    [
        ({"criteria": [{"criterion": "Do deploy", "evidence": "seen"}]}, ["confirm"]),
        ({}, ["waive", "confirm"]),
    ],
)
def test_confirm_is_named_where_the_parent_has_to_act(
    engine: Engine, proof: dict[str, Any], decisions: list[str]
) -> None:
    workflow_id = staged(engine, "deploy")
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="completed", **proof)

    waiting = engine.open_decisions(workflow_id)

    assert waiting["open"][0]["decisions"] == decisions
    assert waiting["next"] == engine.show_workflow(workflow_id)["next"]
    assert all(f"decision='{each}'" in waiting["next"] for each in decisions)


def test_hooks_of_a_stage_that_went_back_to_review_are_not_told_as_due(engine: Engine) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    issue = {"severity": "fail", "text": "The test proves nothing.", "evidence": "assert True"}
    message = result({"verdict": "fail", "issues": [issue], "followups": []})
    advance(engine, workflow_id, 0, hooks_run=[{"hook": "sanity-check", "output": message}])

    shown = engine.show_workflow(workflow_id)
    waiting = engine.open_decisions(workflow_id)

    assert "hooks_due" not in shown
    assert shown["next"].endswith("its gate says: The test proves nothing.")
    assert [each["decisions"] for each in waiting["open"]] == [["waive"]]
