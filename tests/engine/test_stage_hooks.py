"""The hooks that follow up a stage: which are due, what they hold back, what they find."""

import json
from typing import Any

import pytest

from relaybook.core.prompt_rules.prompt_text import outside_fences
from relaybook.engine import Engine
from relaybook.errors import HooksPending, InReview, InvalidArguments
from relaybook.store.base import Store
from tests.helpers import dump, result, start, update
from tests.stages import (
    HOOKS,
    HOOKS_WITH_FINDINGS,
    PROOF,
    STAGES,
    advance,
    finish_first,
    refused,
    resolve,
    staged,
)


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


@pytest.mark.requirement("S202", "A17")
def test_hooks_are_waived_for_a_reason(engine: Engine) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)

    answer = resolve(engine, workflow_id, "waive", 0, "no time")

    assert answer["gate"] == {"gate": "output", "verdict": "pass"}
    assert "hooks" not in answer
    assert advance(engine, workflow_id)["current"]["stage"] == 1


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


def test_the_prompt_of_an_unknown_hook_is_refused_with_the_hooks(engine: Engine) -> None:
    bare = staged(engine, hooks=[])
    workflow_id = staged(engine)
    for name in (bare, workflow_id):
        finish_first(engine, name)

    with pytest.raises(InvalidArguments) as known:
        engine.render_prompt(workflow_id=workflow_id, task_id="stage-0", template="hook_x")
    with pytest.raises(InvalidArguments) as none:
        engine.render_prompt(workflow_id=bare, task_id="stage-0", template="hook_x")

    assert "reflect" in known.value.allowed
    assert none.value.allowed == "none: no hook of this stage has a prompt"


@pytest.mark.requirement("S199", "S200", "S228", "A11", "A22", "A26")
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
    assert "The staging clock" not in outside_fences(prompt)
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


def test_what_a_hook_says_once_it_is_settled_is_told_as_not_recorded(
    engine: Engine, ledger: Store
) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    lesson = {"text": "Ask NTP.", "target": "tools", "confidence": "low", "evidence": ["f1"]}
    late = {"hook": "reflect", "output": result({"lessons": [lesson], "rejected": []})}
    advance(engine, workflow_id, 0, hooks_run=["reflect"])
    before = dump(ledger)

    alone = advance(engine, workflow_id, 0, hooks_run=[late])
    unchanged = dump(ledger)
    beside = advance(engine, workflow_id, 0, hooks_run=[late, *HOOKS])

    assert (alone["repeated"], unchanged) == (True, before)
    assert alone["not_recorded"] == beside["not_recorded"]
    assert "left out: reflect; what is new" in alone["not_recorded"]
    assert beside["current"]["stage"] == 1
    assert "Ask NTP." not in {each["text"] for each in engine.list_lessons()}


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


@pytest.mark.requirement("S230", "A17")
def test_what_a_sanity_check_holds_against_a_stage_stands_until_something_new_is_shown(
    engine: Engine,
) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    issue = {"severity": "fail", "text": "The test was never run.", "evidence": "no log"}
    message = result({"verdict": "fail", "issues": [issue], "followups": []})
    run = {"hook": "sanity-check", "output": message}
    advance(engine, workflow_id, 0, hooks_run=[run, "reflect", "skill-lifecycle"])

    bare = advance(engine, workflow_id, 0, outcome="completed")
    same = advance(engine, workflow_id, 0, outcome="completed", tests=PROOF[0]["tests"])
    talk = advance(engine, workflow_id, 0, outcome="completed", findings=["It was run."])
    log = {"name": "test_refresh", "status": "passed", "evidence": "log: 1 passed in 0.2 s"}
    shown = advance(engine, workflow_id, 0, outcome="completed", tests=[log])

    for still in (bare, same, talk):
        assert still["status"] == "review"
        assert [item["what"] for item in still["gate"]["items"]] == ["The test was never run."]
    assert shown["status"] == "completed"
    assert "sanity-check" in [hook["skill"] for hook in shown["hooks"]]


@pytest.mark.requirement("A17")
def test_what_a_sanity_check_holds_against_a_stage_is_waived_or_done_again(engine: Engine) -> None:
    waived, again = (staged(engine, "implement") for _ in range(2))
    issue = {"severity": "fail", "text": "The test was never run.", "evidence": "no log"}
    message = result({"verdict": "fail", "issues": [issue], "followups": []})
    proof = PROOF[0] | {"criteria": [{"criterion": "Do implement", "evidence": "seen"}]}
    for name in (waived, again):
        advance(engine, name)
        advance(engine, name, 0, outcome="completed", **proof)
        advance(engine, name, 0, hooks_run=[{"hook": "sanity-check", "output": message}])

    let_go = resolve(engine, waived, "waive", 0, "it runs nightly")
    prompt = update(engine, again, "stage-0", "in_progress")["prompt"]
    done = advance(engine, again, 0, outcome="completed", **proof)

    assert let_go["item_status"] == "done"
    assert "The test was never run; seen: no log" in prompt
    assert done["status"] == "completed"


@pytest.mark.requirement("S235")
def test_a_hook_without_a_contract_is_named_with_its_problem(engine: Engine) -> None:
    made = engine.create_workflow(stages=STAGES, hooks=["polish"])
    workflow_id = made["workflow_id"]

    (hook,) = finish_first(engine, workflow_id)["hooks"]

    assert [each["what"].split(";")[0] for each in made["findings"]] == [
        "no contract 'polish' for this hook"
    ]
    assert (hook["skill"], "no contract 'polish'" in hook["problem"]) == ("polish", True)


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
