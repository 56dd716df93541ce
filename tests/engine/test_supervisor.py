"""A supervisor: its reviews, when it is to plan anew, and how it ends."""

from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import BadInput, Blocked, InvalidArguments, UnknownTask
from tests.helpers import break_, finish, resolve, start, task, workflow


def review(engine: Engine, name: str, **said: Any) -> dict[str, Any]:
    entry = {
        "satisfied": False, "looping": False, "progressing": True, "decision": "next_piece",
        "next_task": "b", "instruction": "go on",
    }  # fmt: skip
    return engine.record("review", [entry | said], workflow_id=name)


@pytest.mark.requirement("S24")
def test_three_reviews_without_progress_advise_a_new_plan_until_there_is_one(
    engine: Engine,
) -> None:
    name = workflow(engine, "a", "b", pattern="supervisor")
    for idle in ({"progressing": False}, {"looping": True}):
        assert "replan" not in review(engine, name, **idle)["next"]
    review(engine, name)  # progress starts the count anew
    answers = [review(engine, name, progressing=False) for _ in range(3)]

    assert ["replan" in answer["next"] for answer in answers] == [False, False, True]
    assert engine.show_workflow(name)["replan"] is True
    engine.change_plan(name, add=[task("c")], reason="the facts are these")
    assert "replan" not in engine.show_workflow(name)


@pytest.mark.requirement("S24")
@pytest.mark.parametrize("decision", ["next_piece", "retry", "reassign", "finish"])
def test_a_review_answers_the_five_questions_and_records_the_decision(
    engine: Engine, decision: str
) -> None:
    name = workflow(engine, "a", "b", pattern="supervisor")

    review(engine, name, decision=decision, reason="because")

    assert decision in engine.show_workflow(name, detail="resume")["decisions"][0]
    for member in ("satisfied", "looping", "progressing", "decision"):
        with pytest.raises(InvalidArguments, match=f"{member}.*is missing"):
            review(engine, name, **{member: None})
    with pytest.raises(InvalidArguments):
        review(engine, name, decision="give_up")


def test_a_review_that_retries_no_task_is_refused_with_the_tasks(engine: Engine) -> None:
    name = workflow(engine, "a", "b", pattern="supervisor")
    before = engine.show_workflow(name)["seq"]

    with pytest.raises(UnknownTask) as refused:
        review(engine, name, decision="retry", next_task="zzz")

    assert "'zzz'" in refused.value.message
    assert set(refused.value.allowed.split(", ")) == {"a", "b"}
    assert engine.show_workflow(name)["seq"] == before


@pytest.mark.requirement("S26")
def test_a_supervisor_ends_by_an_explicit_finish_only(engine: Engine) -> None:
    name = workflow(engine, "a", pattern="supervisor")
    with pytest.raises(Blocked):
        resolve(engine, name, "finish")
    finish(engine, name, "a")
    seen = engine.show_workflow(name)

    assert seen["status"] != "completed"
    assert "resolve(decision='finish')" in seen["next"]
    assert engine.aggregate(name)["next"].startswith("resolve(decision='finish')")
    assert resolve(engine, name, "finish", reason="delivered")["status"] == "completed"
    with pytest.raises(BadInput):
        resolve(engine, workflow(engine, "x"), "finish")


@pytest.mark.requirement("S23", "S26")
def test_a_supervisor_whose_tasks_are_done_is_told_to_finish_or_go_on(engine: Engine) -> None:
    name = workflow(engine, "a", pattern="supervisor")
    finish(engine, name, "a")

    shown, claimed = engine.show_workflow(name), engine.claim_task(name)

    assert (shown["status"], shown["summary"]) == ("pending", "pending, 1/1 complete")
    assert "resolve(decision='finish'); or change_plan" in shown["next"]
    assert "its orchestrator finishes it or adds some" in claimed["reason"]


def reviewed(engine: Engine, name: str, task_id: str, decision: str, **said: Any) -> str:
    """The `next` after a review of a task."""
    entry = {"satisfied": False, "looping": False, "progressing": True, "decision": decision}
    return engine.record("review", [entry | said], workflow_id=name, task_id=task_id)["next"]


@pytest.mark.requirement("S24", "S25")
@pytest.mark.parametrize(
    ("decision", "call"),
    [
        ("next_piece", "change_plan(add=[the next piece])"),
        ("retry", "change_plan(add=[the piece again, with what its review found missing])"),
        (
            "reassign",
            "change_plan(add=[the piece again for another worker, with what its review found missing])",
        ),
        ("finish", "aggregate, then resolve(decision='finish'), as the review decided"),
    ],
)
def test_the_last_review_decides_what_is_next_until_it_is_carried_out(
    engine: Engine, decision: str, call: str
) -> None:
    name = workflow(engine, "a", pattern="supervisor")
    finish(engine, name, "a")

    assert reviewed(engine, name, "a", decision) == call
    assert engine.show_workflow(name)["next"] == call
    engine.change_plan(name, add=[task("b")])
    assert engine.show_workflow(name)["next"].startswith("start the next")


@pytest.mark.requirement("S24", "S25")
def test_a_review_sends_on_to_the_task_that_it_names(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c", pattern="supervisor")
    finish(engine, name, "a")
    break_(engine, name, "b")

    assert reviewed(engine, name, "b", "retry") == (
        "update_task(task_id='b', status='in_progress'), as the review decided"
    )
    assert "task_id='c'" in reviewed(engine, name, "a", "next_piece", next_task="c")
    assert reviewed(engine, name, "b", "reassign") == (
        "change_plan(replaces=['b'], add=[the piece again for another worker])"
    )
    assert "drop it" in reviewed(engine, name, "a", "finish")
    start(engine, name, "c")
    assert "review" not in engine.show_workflow(name)["next"]


@pytest.mark.requirement("S24")
def test_the_digest_names_the_task_that_was_reviewed_and_does_not_deny_the_decision(
    engine: Engine,
) -> None:
    name = workflow(engine, "a", pattern="supervisor")
    finish(engine, name, "a")
    reviewed(engine, name, "a", "finish", satisfied=True)

    open_still = engine.aggregate(name)
    resolve(engine, name, "finish", reason="it is there")
    closed = engine.aggregate(name)

    assert open_still["decisions"][0]["reviewed"] == "a"
    mention = open_still["brief"]["must_mention"]
    assert any(line.startswith("The last review decided to finish") for line in mention)
    assert not any("not finished" in line for line in mention)
    assert not any("decided to finish" in line for line in closed["brief"]["must_mention"])
    assert "finish, a" in engine.show_workflow(name, detail="resume")["decisions"][1]


def test_a_review_of_a_task_that_is_in_no_plan_is_refused(engine: Engine) -> None:
    name = workflow(engine, "a", pattern="supervisor")

    with pytest.raises(UnknownTask):
        reviewed(engine, name, "zzz", "retry")
