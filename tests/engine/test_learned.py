"""The loop: figures of skills, their breaker, and lessons that come back as input."""

import json
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.errors import InvalidArguments, SkillBreakerOpen, UnknownContract, UnknownLesson
from relaybook.store.base import Store
from tests.helpers import Clock, dump, result, update, workflow
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


OVERTURNED = result(
    {"verdict": "fail", "issues": [{"severity": "fail", "text": "No log.", "evidence": "none"}]}
    | {"followups": []}
)


def overturned(engine: Engine, clock: Clock) -> str:
    """A workflow whose first stage passed its gate after a minute, and failed its sanity check."""
    name = staged(engine, "implement", "deploy")
    advance(engine, name)
    clock.move(60)
    proof = {key: said for key, said in PROOF[0].items() if key != "findings"}
    advance(engine, name, 0, outcome="completed", **proof)
    run = {"hook": "sanity-check", "output": OVERTURNED}
    assert advance(engine, name, 0, hooks_run=[run])["status"] == "review"
    return name


def history(engine: Engine) -> dict[str, Any]:
    return json.loads(engine.read("ledger://health")["text"])["skills"]["python-backend"]


@pytest.mark.requirement("S233")
def test_a_pass_that_a_hook_overturns_is_taken_back_until_the_fate_of_the_attempt_is_known(
    engine: Engine, clock: Clock
) -> None:
    name = overturned(engine, clock)
    held = engine.skill_health()["python-backend"]
    resolve(engine, name, "waive", 0, "the log is lost")

    seen = history(engine)

    assert (held["passed"], held["failed"]) == (0, 0)
    assert (seen["passed"], seen["failed"], seen["minutes"]) == (0, 1, [])
    assert seen["recent"] == ["verification_incorrect"]


@pytest.mark.requirement("S233")
def test_an_overturned_attempt_that_is_done_again_counts_as_one_failure_and_the_next_by_itself(
    engine: Engine, clock: Clock
) -> None:
    name = overturned(engine, clock)

    update(engine, name, "stage-0", "in_progress")
    advance(engine, name, 0, outcome="completed", **PROOF[0])

    seen = history(engine)
    assert seen["recent"] == ["verification_incorrect", "passed"]
    assert (seen["passed"], seen["failed"]) == (1, 1)


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


def test_while_the_breaker_of_a_skill_is_open_nothing_is_called_ready_and_next_names_the_wait(
    engine: Engine, clock: Clock
) -> None:
    burst(engine, clock)
    wait = "in 590 s, from 2027-01-15T08:10:40Z: advance_stage; before then record(kind='handoff') "
    wait += "to a skill that advance_stage names, if it names any"
    made = engine.create_workflow(
        name="late", stages=[{"capability": "implement", "goal": "Do implement"}]
    )
    name = made["workflow_id"]

    seen = engine.show_workflow(name)

    assert (made["ready"], made["next"]) == ([], wait)
    assert (seen["counts"], "ready" in seen) == ({"pending": 1, "held": 1}, False)
    assert seen["held"] == [
        {
            "task_id": "stage-0",
            "skill": "python-backend",
            "breaker": "open",
            "retry_after_seconds": 590,
        }
    ]
    assert seen["standing_still"] == "waiting: for the breaker of skill python-backend"
    assert (seen["next"], engine.open_decisions(name)["next"]) == (wait, wait)
    assert history(engine)["retry_at"] == "2027-01-15T08:10:40Z"
    clock.move(590)
    assert engine.show_workflow(name)["next"] == "advance_stage"


def test_the_stage_after_one_that_completes_is_not_called_ready_while_its_skill_rests(
    engine: Engine, clock: Clock
) -> None:
    name = staged(engine, "verification", "implement", hooks=[])
    advance(engine, name)
    burst(engine, clock)

    ended = update(engine, name, "stage-0", "completed", output="fine", accept_raw=True)

    assert ended["status"] == "completed"
    assert "ready" not in ended
    assert "advance_stage; before then record(kind='handoff')" in ended["next"]


def test_the_handoff_that_an_open_breaker_names_starts_the_stage(
    engine: Engine, clock: Clock
) -> None:
    burst(engine, clock)
    name = staged(engine, "implement", "deploy")
    with pytest.raises(SkillBreakerOpen) as caught:
        advance(engine, name)

    told = engine.record("handoff", [{"to": "web-builder"}], workflow_id=name, task_id="stage-0")

    call = "record(kind='handoff', task_id='stage-0', entries=[{'to': 'web-builder'}])"
    assert call in caught.value.next
    assert told["next"] == "advance_stage"
    assert advance(engine, name)["current"]["skill"] == "web-builder"


def test_the_failure_that_opens_the_breaker_says_when_the_stage_may_start_again(
    engine: Engine, clock: Clock
) -> None:
    burst(engine, clock, 4)
    name = staged(engine, "implement", "deploy", hooks=[])
    advance(engine, name)

    answer = advance(engine, name, 0, outcome="failed", reason="no", error_code="crash")

    assert "it starts stage 0 again, in 600 s" in answer["next"]


@pytest.mark.parametrize("skill", ["no-such-skill", "legal"])
def test_a_handoff_to_a_skill_that_cannot_do_the_stage_is_refused_with_the_nearest(
    engine: Engine, ledger: Store, skill: str
) -> None:
    name = staged(engine, "implement")
    before = dump(ledger)

    with pytest.raises((UnknownContract, InvalidArguments)) as caught:
        engine.record("handoff", [{"to": skill}], workflow_id=name, task_id="stage-0")

    assert repr(skill) in caught.value.message
    assert caught.value.allowed == "web-builder"
    assert dump(ledger) == before


def test_a_task_that_is_no_stage_may_be_handed_to_anybody(engine: Engine) -> None:
    name = workflow(engine, "a")

    engine.record("handoff", [{"to": "ann"}], workflow_id=name, task_id="a")

    assert engine.load_item(f"{name}/a").skill == "ann"


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


CHANCE = "The build was slow today."


def reflected(engine: Engine, *lessons: dict[str, Any], **rejected: str) -> str:
    """A workflow whose first stage found two things, and reflection judged them."""
    name = staged(engine)
    advance(engine, name)
    advance(engine, name, 0, outcome="completed", **PROOF[0] | {"findings": [TEXT, CHANCE]})
    out = [{"id": finding, "why": why} for finding, why in rejected.items()]
    run = {"hook": "reflect", "output": result({"lessons": list(lessons), "rejected": out})}
    advance(engine, name, 0, hooks_run=[run, "sanity-check", "skill-lifecycle"])
    return name


@pytest.mark.requirement("S232")
def test_what_reflection_rejects_is_no_longer_proposed_and_the_digest_says_why(
    engine: Engine,
) -> None:
    name = reflected(engine, f2="by chance")

    found = {each["text"]: each for each in engine.list_lessons()}

    assert {text: each["status"] for text, each in found.items()} == {
        TEXT: "proposed",
        CHANCE: "rejected",
    }
    assert found[CHANCE]["reason"] == "reflection: by chance"
    assert engine.aggregate(name)["decisions"] == [
        {"task_id": "stage-0", "decision": "reject_lesson", "reason": "reflection: by chance"}
    ]


@pytest.mark.requirement("S232")
def test_a_lesson_stands_in_place_of_the_finding_it_was_made_of_and_tells_it_as_evidence(
    engine: Engine,
) -> None:
    text = "Set the clock of staging by NTP."
    lesson = {"text": text, "target": "tools", "confidence": "high", "evidence": ["f1", "f9"]}
    reflected(engine, lesson, f2="by chance")

    found = {each["text"]: each for each in engine.list_lessons()}

    assert {said: each["status"] for said, each in found.items()} == {
        text: "proposed",
        TEXT: "rejected",
        CHANCE: "rejected",
    }
    assert found[text]["evidence"] == f"{TEXT}; f9"
    assert found[TEXT]["reason"] == f"reflection: kept as: {text}"


@pytest.mark.requirement("A22")
def test_lessons_that_wait_are_told_wherever_open_decisions_are(engine: Engine) -> None:
    name = reflected(engine, f2="by chance")
    (lesson,) = engine.list_lessons(status="proposed")

    found = engine.open_decisions(name)
    resumed = engine.show_workflow(name, detail="resume")
    everywhere = json.loads(engine.read("ledger://decisions")["text"])
    mention = engine.aggregate(name)["brief"]["must_mention"]

    line = {"lesson": lesson["id"], "text": TEXT, "target": "skill:python-backend"}
    assert (found["lessons"], resumed["lessons"]) == ([line], [line])
    assert found["summary"] == "nothing waits for the user; 1 lesson(s) wait for theirs"
    assert found["next"].endswith(
        "; for a lesson resolve(decision='accept_lesson' or 'reject_lesson', lesson, reason)"
    )
    assert [each["id"] for each in everywhere["lessons"]] == [lesson["id"]]
    assert "Lessons proposed that nobody has decided (1): resolve lists them." in mention
    decide(engine, name, "accept_lesson", lesson["id"])
    assert "lessons" not in engine.open_decisions(name)
    assert json.loads(engine.read("ledger://decisions")["text"]) == {"decisions": []}
