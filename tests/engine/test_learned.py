"""The loop: figures of skills, their breaker, and lessons that come back as input."""

from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.errors import InvalidArguments, SkillBreakerOpen, UnknownLesson
from relaybook.store.base import Store
from tests.helpers import Clock, result, update
from tests.stages import HOOKS_WITH_FINDINGS, PROOF, advance, finish_first, resolve, staged

TEXT = "The staging clock runs two minutes late."


def decide(engine: Engine, workflow_id: str, decision: str, lesson: str) -> dict[str, Any]:
    said = Resolution(
        workflow_id=workflow_id, decision=decision, lesson=lesson, reason="seen twice", actor="mia"
    )
    return engine.resolve(said)


def burst(engine: Engine, clock: Clock, count: int = 5) -> None:
    """Failures of python-backend, ten seconds apart."""
    for place in range(count):
        workflow_id = staged(engine, "implement", "deploy", name=f"w{place}")
        advance(engine, workflow_id)
        advance(engine, workflow_id, 0, outcome="failed", reason="no", error_code="crash")
        clock.move(10)


@pytest.mark.requirement("S233", "S236")
def test_every_ended_stage_counts_once_for_its_skill(engine: Engine, clock: Clock) -> None:
    workflow_id = staged(engine, "implement", "testing", "verification", hooks=[])
    advance(engine, workflow_id)
    clock.move(120)
    advance(engine, workflow_id, 0, outcome="failed", reason="no", error_code="crash")
    finish_first(engine, workflow_id)
    advance(engine, workflow_id, 1, outcome="completed")
    clock.move(60)
    update(engine, workflow_id, "stage-1", "in_progress")  # done again from review
    clock.move(300)
    advance(engine, workflow_id, 1, outcome="completed", **PROOF[1])

    health = engine.skill_health()["python-backend"]

    assert (health["passed"], health["failed"]) == (2, 2)
    assert health["codes"] == {"crash": 1, "verification_missing": 1}
    assert (health["median_minutes"], health["p90_minutes"]) == (0.0, 5.0)


def test_a_waived_gate_counts_against_the_skill_and_a_confirmed_one_for_it(engine: Engine) -> None:
    workflow_id = staged(engine, "implement", "deploy", hooks=[])
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="completed")
    resolve(engine, workflow_id, "waive", 0, "a spike")
    advance(engine, workflow_id)
    proof = {"criteria": [{"criterion": "Do deploy", "evidence": "ok"}]}
    advance(engine, workflow_id, 1, outcome="completed", **proof)
    resolve(engine, workflow_id, "confirm", 1, "deployed")

    health = engine.skill_health()

    assert health["python-backend"]["codes"] == {"verification_missing": 1}
    assert (health["devops"]["passed"], health["devops"]["failed"]) == (1, 0)


def test_the_breaker_of_a_skill_holds_back_its_stages_until_it_has_cooled(
    engine: Engine, clock: Clock
) -> None:
    burst(engine, clock)
    workflow_id = staged(engine, "implement", "deploy")
    other = staged(engine, "verification")

    with pytest.raises(SkillBreakerOpen) as caught:
        advance(engine, workflow_id)
    assert caught.value.data["retry_after_seconds"] == 590
    assert engine.claim_task(workflow_id)["claimed"] is False
    assert advance(engine, other)["current"]["skill"] == "sanity-check"
    clock.move(590)
    assert advance(engine, workflow_id)["current"]["stage"] == 0
    with pytest.raises(SkillBreakerOpen):  # half open: one at a time
        advance(engine, staged(engine, "implement", "deploy"))
    advance(engine, workflow_id, 0, outcome="completed", **PROOF[0])
    assert engine.skill_health()["python-backend"]["breaker"] == "closed"


@pytest.mark.requirement("S234")
def test_a_skill_that_fails_in_a_burst_has_a_repair_ticket(engine: Engine, clock: Clock) -> None:
    burst(engine, clock, 3)
    workflow_id = staged(engine, "implement")
    advance(engine, workflow_id)

    answer = advance(engine, workflow_id, 0, outcome="failed", reason="no", error_code="crash")

    hook = next(each for each in answer["hooks"] if each["skill"] == "skill-lifecycle")
    ticket = hook["by_rule"]["ticket"]
    assert (ticket["priority"], ticket["evidence"]) == (
        "HIGH",
        "4 of the last 4 attempts failed (crash 4)",
    )


@pytest.mark.requirement("A22", "S232")
def test_a_finding_is_proposed_as_a_lesson_once(engine: Engine) -> None:
    finish_first(engine, staged(engine))
    finish_first(engine, staged(engine))

    (lesson,) = engine.list_lessons(project="mpmp")

    assert (lesson["text"], lesson["target"]) == (TEXT, "skill:python-backend")
    assert (lesson["status"], lesson["confidence"], lesson["times"]) == ("proposed", "low", 2)
    assert lesson["source"].endswith("/stage-0")
    assert engine.list_lessons(project="other") == []
    with pytest.raises(InvalidArguments):
        engine.list_lessons(status="new")


@pytest.mark.requirement("A22", "S232")
def test_what_reflection_returns_raises_the_confidence_and_adds_lessons(engine: Engine) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    said = [
        {"text": TEXT, "target": "skill", "confidence": "high", "evidence": ["f1"]},
        {"text": "Ask NTP first.", "target": "tools", "confidence": "medium", "evidence": ["f1"]},
    ]
    message = result({"lessons": said, "rejected": []})

    run = {"hook": "reflect", "output": message}
    advance(engine, workflow_id, 0, hooks_run=[run, "sanity-check", "skill-lifecycle"])

    found = {each["text"]: each for each in engine.list_lessons()}
    assert {text: (each["target"], each["confidence"]) for text, each in found.items()} == {
        TEXT: ("skill:python-backend", "high"),
        "Ask NTP first.": ("TOOLS.md", "medium"),
    }


@pytest.mark.requirement("A22", "S232", "S236")
def test_an_accepted_lesson_is_given_to_the_skill_and_exported_as_a_patch(
    engine: Engine, ledger: Store
) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    (lesson,) = engine.list_lessons()
    before = advance(engine, workflow_id, 0, hooks_run=HOOKS_WITH_FINDINGS)["current"]["prompt"]

    decide(engine, workflow_id, "accept_lesson", lesson["id"])
    again = decide(engine, workflow_id, "accept_lesson", lesson["id"])

    after = advance(engine, staged(engine))["current"]["prompt"]
    assert TEXT not in before
    assert f"- Learned before: {TEXT}" in after
    assert TEXT not in advance(engine, staged(engine, "deploy"))["current"]["prompt"]
    assert again["repeated"] is True
    patch = engine.export_lessons("skill:python-backend", project="mpmp")
    assert patch.startswith("--- /dev/null\n+++ b/skills/python-backend/SKILL.md\n")
    assert f"+- {TEXT} [task {workflow_id}/stage-0]" in patch
    (kept,) = engine.list_lessons(status="accepted")
    assert (kept["decided_by"], kept["reason"]) == ("mia", "seen twice")


def test_a_rejected_lesson_is_neither_given_nor_exported(engine: Engine) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    (lesson,) = engine.list_lessons()

    decide(engine, workflow_id, "reject_lesson", lesson["id"])
    with pytest.raises(UnknownLesson) as caught:
        decide(engine, workflow_id, "accept_lesson", "l_none")

    assert TEXT not in advance(engine, staged(engine))["current"]["prompt"]
    assert engine.export_lessons("skill:python-backend", project="mpmp") == ""
    assert caught.value.allowed == "none yet"


@pytest.mark.requirement("S236")
def test_the_loop_is_seen_in_one_view(engine: Engine) -> None:
    workflow_id = staged(engine)
    finish_first(engine, workflow_id)
    (lesson,) = engine.list_lessons()
    decide(engine, workflow_id, "accept_lesson", lesson["id"])

    view = engine.loop_view(project="mpmp")

    assert [(each["item"], each["status"]) for each in view["done"]] == [
        ("wf-implement-auth-refresh-stage-0", "done")
    ]
    assert [each["text"] for each in view["learned"]["lessons"]] == [TEXT]
    assert view["learned"]["health"]["python-backend"]["passed"] == 1
    assert [(each["lesson"], each["status"]) for each in view["changed"]] == [
        (lesson["id"], "accepted")
    ]
    assert engine.loop_view(project="other")["done"] == []


def test_figures_and_lessons_outlive_their_workflow(engine: Engine, clock: Clock) -> None:
    workflow_id = staged(engine, "implement", hooks=[])
    finish_first(engine, workflow_id)
    clock.move(86_400 * 8)

    engine.cleanup(days=7)
    other = staged(engine, "deploy")
    (lesson,) = engine.list_lessons()
    decide(engine, other, "accept_lesson", lesson["id"])

    assert engine.skill_health()["python-backend"]["passed"] == 1
    assert [each["status"] for each in engine.list_lessons()] == ["accepted"]


@pytest.mark.requirement("S223", "A19")
def test_the_database_itself_refuses_a_slug_that_is_taken(engine: Engine, ledger: Store) -> None:
    workflow_id = staged(engine, "implement", "deploy")
    sql = "UPDATE tasks SET slug = 'wf-implement-auth-refresh-stage-0' WHERE id = 'stage-1'"

    with pytest.raises(Exception, match=r"(?i)unique"), ledger.transaction() as tx:
        tx.rows(sql)

    assert engine.load_item(workflow_id=workflow_id, task_id="stage-1").slug.endswith("-stage-1")
