"""The INTAKE gate of a stage: what it must be given, its prompt, and the way past it."""

import pytest

from relaybook.engine import Engine
from relaybook.errors import InvalidArguments, PromptBlocked
from relaybook.model import EventType
from relaybook.store.base import Store
from relaybook.store.events import read_task_events
from tests.helpers import dump, result, update
from tests.stages import PROOF, advance, finish_first, resolve, staged

#: What the worker of a product specification returns.
SPEC = {
    "stage": "spec",
    "features": [{"name": "refresh", "benefit": "no second sign-in"}],
    "audience": ["administrators"],
    "success_metrics": [{"name": "sign-ins", "target": "half", "by": "May"}],
}
DONE = [{"criterion": "Do product_spec", "evidence": "docs/spec.md, agreed by mail"}]
MISSING = {
    "rule": "required_inputs",
    "verdict": "fail",
    "what": "required inputs are missing: 'features', 'audience'",
    "fix": "give each of them a value",
}


def unspecified(engine: Engine) -> str:
    """A workflow whose stage 1 needs features and an audience; stage 0 handed over neither."""
    workflow_id = staged(engine, "product_spec", "campaign_plan", hooks=[])
    advance(engine, workflow_id)
    ended = advance(engine, workflow_id, 0, outcome="completed", criteria=DONE)
    assert ended["blocked"]["code"] == "prompt_blocked"
    return workflow_id


@pytest.mark.requirement("S229", "A17")
def test_a_stage_that_starts_says_what_its_intake_gate_says(engine: Engine) -> None:
    answer = advance(engine, staged(engine))

    gate = answer["current"]["gate"]
    assert (gate["gate"], gate["verdict"]) in {("intake", "pass"), ("intake", "warn")}
    assert all(item["verdict"] == "warn" for item in gate.get("items", []))


@pytest.mark.requirement("A17")
def test_a_stage_without_a_required_input_is_held_and_nothing_is_written(
    engine: Engine, ledger: Store
) -> None:
    workflow_id = unspecified(engine)
    before = dump(ledger)

    with pytest.raises(PromptBlocked) as refusal:
        advance(engine, workflow_id)

    said = refusal.value.as_dict()
    assert said["gate"]["gate"] == "intake"
    assert said["gate"]["verdict"] == "fail"
    assert MISSING in said["gate"]["items"]
    assert "resolve(decision='waive', task_id='stage-1', reason)" in said["next"]
    assert dump(ledger) == before


@pytest.mark.requirement("A17")
def test_a_waiver_with_author_and_reason_lets_it_start_and_stays_on_record(
    engine: Engine, ledger: Store
) -> None:
    workflow_id = unspecified(engine)

    resolve(engine, workflow_id, "waive", 1, "the brief names both")
    gate = advance(engine, workflow_id)["current"]["gate"]

    assert gate["verdict"] == "warn"
    assert MISSING | {"verdict": "warn"} in gate["items"]
    with ledger.read() as tx:
        events = read_task_events(tx, workflow_id, "stage-1")
    (waiver,) = [event for event in events if event.type is EventType.DECISION_RECORDED]
    assert waiver.actor == "mia"
    assert waiver.data == {
        "decision": "waive",
        "gate": "intake",
        "findings": ["required_inputs"],
        "waived": "the brief names both",
    }


def test_a_waiver_repeated_word_for_word_is_recorded_once(engine: Engine) -> None:
    workflow_id = unspecified(engine)
    resolve(engine, workflow_id, "waive", 1, "the brief names both")

    again = resolve(engine, workflow_id, "waive", 1, "the brief names both")

    assert again["repeated"] is True


def test_there_is_nothing_to_waive_where_the_gate_holds_nothing(engine: Engine) -> None:
    with pytest.raises(InvalidArguments, match="Nothing of task 'stage-0' is there to waive"):
        resolve(engine, staged(engine), "waive", 0, "to be sure")


def test_what_the_stage_before_handed_over_is_given(engine: Engine) -> None:
    workflow_id = staged(engine, "product_spec", "campaign_plan", hooks=[])
    advance(engine, workflow_id)
    update(engine, workflow_id, "stage-0", "completed", output=result(SPEC))
    resolve(engine, workflow_id, "waive", 0, "agreed by mail")

    answer = advance(engine, workflow_id)

    assert answer["current"]["stage"] == 1
    assert answer["current"]["gate"]["verdict"] != "fail"


def test_an_error_of_the_prompt_fails_the_gate_too(engine: Engine) -> None:
    stage = {"capability": "implement", "goal": "Build it", "args": {"sources": [{"path": "a.py"}]}}
    workflow_id = staged(engine, stages=[stage])

    with pytest.raises(PromptBlocked, match="breaks rule P06") as refusal:
        advance(engine, workflow_id)

    items = refusal.value.as_dict()["gate"]["items"]
    assert {item["rule"] for item in items if item["verdict"] == "fail"} == {"P06"}


def test_a_prompt_shows_the_verdict_before_anything_starts(engine: Engine) -> None:
    answer = engine.render_prompt(workflow_id=unspecified(engine), task_id="stage-1")

    assert answer["gate"]["verdict"] == "fail"
    assert MISSING in answer["gate"]["items"]
    assert "waive" in answer["next"]


@pytest.mark.requirement("S229", "A17")
def test_a_stage_that_ended_says_what_its_output_gate_says(engine: Engine) -> None:
    assert finish_first(engine, staged(engine))["gate"] == {"gate": "output", "verdict": "pass"}


@pytest.mark.requirement("S230", "A17")
def test_an_output_gate_that_was_waived_still_says_what_failed(engine: Engine) -> None:
    workflow_id = staged(engine)
    advance(engine, workflow_id)
    bare = {name: said for name, said in PROOF[0].items() if name != "artifacts"}
    held = advance(engine, workflow_id, 0, outcome="completed", **bare)

    passed = resolve(engine, workflow_id, "waive", 0, "only a setting changed")

    assert held["status"] == "review"
    assert held["gate"]["gate"] == passed["gate"]["gate"] == "output"
    assert passed["gate"]["items"] == held["gate"]["items"]
    assert passed["gate"]["waived"] == "only a setting changed"
