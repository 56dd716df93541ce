"""What a task leaves to the parent holds up what follows until it is confirmed or declined."""

import pytest

from relaybook.core.task.case import evolve, opened
from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.errors import AlreadyOver, Blocked, InvalidArguments
from relaybook.model import Status
from relaybook.store.base import Store
from relaybook.store.cases import get_task
from relaybook.store.events import read_events
from tests.helpers import complete, dump, result, start, task, update, workflow
from tests.stages import advance, staged
from tests.stages import resolve as resolve_stage

DEPLOY = {"action": "Deploy it to staging.", "tier": "T3"}
PROPOSED = {"action": "run deploy.sh", "target": "staging", "tier": "T3", "why": "it is built"}


def planned(engine: Engine, pattern: str = "pipeline") -> str:
    """The id of a workflow in which `verify` follows `deploy`, which leaves the deed to the parent."""
    return workflow(
        engine,
        task("deploy", parent_actions=[DEPLOY]),
        task("verify", "deploy", takes=[{"from": "deploy", "fields": ["steps"]}]),
        pattern=pattern,
    )


def prepared(engine: Engine, name: str, **members: object) -> dict[str, object]:
    start(engine, name, "deploy")
    output = result({"steps": "deploy.sh"}, **members)
    return update(engine, name, "deploy", "completed", output=output)


def decide(engine: Engine, name: str, decision: str, reason: str) -> dict[str, object]:
    said = Resolution(
        workflow_id=name, decision=decision, task_id="deploy", reason=reason, actor="mia"
    )
    return engine.resolve(said)


@pytest.mark.requirement("A31", "S174")
@pytest.mark.parametrize("pattern", ["pipeline", "supervisor"])
def test_a_task_with_a_parent_action_waits_for_its_confirmation(
    engine: Engine, pattern: str
) -> None:
    name = planned(engine, pattern)

    answer = prepared(engine, name)

    call = (
        "ask the user; do the parent action, then resolve(decision='confirm', task_id='deploy', "
        "reason); if they decline it, resolve(decision='waive', task_id='deploy', reason)"
    )
    assert (answer["status"], answer["next"]) == ("review", call)
    assert "ready" not in answer
    assert answer["gate"]["items"][0]["what"] == (  # type: ignore[index]
        "parent action to confirm: Deploy it to staging. (T3)"
    )
    with pytest.raises(Blocked) as refused:
        start(engine, name, "verify")
    waiting = engine.open_decisions(name)
    shown = engine.show_workflow(name)
    assert {refused.value.next, waiting["next"], shown["next"]} == {call}
    assert waiting["open"][0]["decisions"] == ["confirm", "waive"]
    assert "in review: its parent action is not decided" in engine.claim_task(name)["reason"]


@pytest.mark.requirement("A31", "A36")
def test_a_confirmed_parent_action_lets_the_next_task_start_and_tells_it_what_was_done(
    engine: Engine,
) -> None:
    name = planned(engine)
    obedient = {**PROPOSED, "action": DEPLOY["action"]}
    prepared(engine, name, proposed_actions=[PROPOSED, obedient])

    answer = decide(engine, name, "confirm", "build 42 is on https://staging.example")
    again = decide(engine, name, "confirm", "build 42 is on https://staging.example")

    assert answer["progress"] == "1/2 complete"
    assert again["repeated"] is True
    prompt = engine.render_prompt(workflow_id=name, task_id="verify")["prompt"]
    assert (
        "The action prepared here was confirmed as done: build 42 is on https://staging.example"
        in prompt
    )
    digest = engine.aggregate(name)
    assert "parent_actions" not in digest
    (entry,) = digest["decisions"]
    assert (entry["decision"], entry["by"], entry["rules"]) == ("confirm", "mia", ["parent_action"])
    assert entry["what"] == (
        "parent action to confirm: Deploy it to staging. (T3); proposed: run deploy.sh"
    )


@pytest.mark.requirement("A31")
def test_a_declined_parent_action_is_told_as_declined_and_not_demanded_again(
    engine: Engine,
) -> None:
    name = planned(engine)
    prepared(engine, name, proposed_actions=[PROPOSED])
    waiting = engine.aggregate(name)

    decide(engine, name, "waive", "not before Monday")

    told = [(each["from"], each["action"]) for each in waiting["parent_actions"]]
    assert told == [("plan", DEPLOY["action"]), ("worker", PROPOSED["action"])]
    digest = engine.aggregate(name)
    assert "parent_actions" not in digest
    (entry,) = digest["decisions"]
    assert (entry["decision"], entry["reason"]) == ("decline", "not before Monday")
    mention = digest["brief"]["must_mention"]
    assert "Parent actions declined (1): not done; the reason in `decisions`." in mention
    assert not [line for line in mention if line.startswith(("Gates", "Actions"))]
    prompt = engine.render_prompt(workflow_id=name, task_id="verify")["prompt"]
    assert "was declined and is not done: not before Monday" in prompt


@pytest.mark.requirement("A31")
def test_a_stage_whose_deed_is_declined_passes_and_counts_for_its_skill(engine: Engine) -> None:
    name = staged(engine, "deploy", hooks=[])
    advance(engine, name)
    proof = {"criteria": [{"criterion": "Do deploy", "evidence": "the plan is listed"}]}
    advance(engine, name, 0, outcome="completed", **proof)

    answer = resolve_stage(engine, name, "waive", 0, "not this week")

    assert (answer["item_status"], "waived" in answer["gate"]) == ("done", False)
    health = engine.read("ledger://health")["text"]
    assert '"passed":1' in health.replace(" ", "")
    assert "parent_actions" not in engine.aggregate(name)


def test_work_done_again_from_review_is_not_told_of_the_action_of_the_parent(
    engine: Engine, ledger: Store
) -> None:
    name = planned(engine)
    prepared(engine, name)

    prompt = update(engine, name, "deploy", "in_progress")["prompt"]

    assert "parent action to confirm" not in prompt
    assert "Earlier Attempts" not in prompt
    with ledger.read() as tx:
        found = get_task(tx, name, "deploy")
    assert (found.status, found.attempt, found.failures) == (Status.IN_PROGRESS, 2, 1)


def test_the_result_of_a_task_in_review_is_handed_in_once(engine: Engine, ledger: Store) -> None:
    name = planned(engine)
    prepared(engine, name)
    before = dump(ledger)

    again = update(engine, name, "deploy", "completed", output=result({"steps": "deploy.sh"}))

    assert (again["status"], again["repeated"]) == ("review", True)
    assert dump(ledger) == before


def test_only_what_waits_for_the_parent_is_confirmed(engine: Engine) -> None:
    name = planned(engine)
    with pytest.raises(Blocked):
        decide(engine, name, "confirm", "too early")
    prepared(engine, name)
    decide(engine, name, "confirm", "done")
    start(engine, name, "verify")

    with pytest.raises(AlreadyOver):
        decide(engine, name, "confirm", "done twice")
    with pytest.raises(InvalidArguments, match="no parent action"):
        engine.resolve(
            Resolution(workflow_id=name, decision="confirm", task_id="verify", reason="x")
        )


def test_other_tasks_go_on_while_one_waits_for_the_parent(engine: Engine) -> None:
    name = workflow(
        engine, task("deploy", parent_actions=[DEPLOY]), task("b"), task("c"), pattern="fan_out"
    )
    prepared(engine, name)
    start(engine, name, "b")

    answer = complete(engine, name, "b")

    assert answer["next"].startswith("ask the user; do the parent action, then resolve(")
    assert answer["next"].endswith(
        "meanwhile start the next: update_task(status='in_progress'), or let workers claim_task"
    )


def test_the_events_of_a_decision_give_the_same_rows(engine: Engine, ledger: Store) -> None:
    name = planned(engine)
    prepared(engine, name)
    decide(engine, name, "waive", "not before Monday")

    with ledger.read() as tx:
        first, *rest = read_events(tx, name)
        found = get_task(tx, name, "deploy")
    replayed = evolve(opened(first), rest).tasks["deploy"]

    assert (replayed.status, replayed.result, replayed.slug) == (
        found.status,
        found.result,
        found.slug,
    )
