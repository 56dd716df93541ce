"""Write scopes: two tasks that write the same place are never in progress at once."""

from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.errors import Held, StaleClaim, WorkflowEnded
from tests.helpers import Clock, complete, fail, result, start, task, update, workflow


def writer(name: str, *writes: str, **said: Any) -> dict[str, Any]:
    return task(name, writes=list(writes), **said)


def rules(answer: dict[str, Any]) -> set[str]:
    return {finding["rule"] for finding in answer.get("findings", ())}


@pytest.mark.parametrize(
    ("one", "other", "held"),
    [
        ("src/a.py", "src/a.py", True),
        ("src/", "src/deep/a.py", True),
        ("src/deep/a.py", "src/", True),
        ("src/", "src/deep/", True),
        ("./src/a.py", "src/a.py", True),
        ("src/auth/", "./src//auth/login.py", True),
        ("src//auth/login.py", "src/auth/./login.py", True),
        ("docs", "docs/", True),
        ("docs/", "docs", True),
        ("src", "src/deep/", True),
        ("src/deep/", "src", True),
        ("src", "src/a.py", True),
        ("src/deep/a.py", "src", True),
        ("database", "database", True),
        ("src/a.py", "src/b.py", False),
        ("src/", "src2/a.py", False),
        ("src/a", "src/a.py", False),
        ("src", "src2/a.py", False),
        ("/srv/a", "/etc/a", False),
    ],
)
def test_a_task_is_held_while_another_writes_the_same_or_a_folder_around_it(
    engine: Engine, one: str, other: str, held: bool
) -> None:
    name = workflow(engine, writer("a", one, expected_minutes=9), writer("b", other))
    start(engine, name, "a")

    if held:
        with pytest.raises(Held, match=f"'a' of workflow '{name}' is writing"):
            start(engine, name, "b")
    else:
        start(engine, name, "b")


@pytest.mark.requirement("S7")
def test_a_held_task_is_named_with_its_holder_and_offered_when_the_scope_is_free(
    engine: Engine,
) -> None:
    name = workflow(engine, writer("a", "src/"), writer("b", "src/b.py"), "c")
    claimed = engine.claim_task(name)
    engine.claim_task(name)

    nothing, seen = engine.claim_task(name), engine.show_workflow(name)

    assert claimed["task_id"] == "a"
    assert nothing["claimed"] is False
    assert nothing["reason"] == (
        f"b: Task 'b' is held: task 'a' of workflow '{name}' is writing 'src/'; "
        f"none of 1 ready task(s) of '{name}' may start now"
    )
    assert seen["held"] == [
        {"task_id": "b", "path": "src/", "by": {"workflow_id": name, "task_id": "a"}}
    ]
    assert "ready" not in seen
    assert seen["next"].startswith(f"get_workflow(workflow_id='{name}', since=")
    complete(engine, name, "a")
    assert engine.show_workflow(name)["ready"] == ["b"]
    assert engine.claim_task(name)["task_id"] == "b"


@pytest.mark.parametrize("end", ["failed", "pending", "cancelled", "input_required"])
def test_a_scope_is_free_however_its_task_ends(engine: Engine, end: str) -> None:
    name = workflow(engine, writer("a", "x"), writer("b", "x"), "c", "d")
    start(engine, name, "a")

    update(engine, name, "a", end, error="why?")

    start(engine, name, "b")


def test_scopes_hold_across_the_workflows_of_a_project_only(engine: Engine) -> None:
    one = workflow(engine, writer("a", "x"))
    other = workflow(engine, writer("b", "x"))
    elsewhere = workflow(engine, writer("c", "x"), project="elsewhere")
    start(engine, one, "a")

    with pytest.raises(Held, match=one):
        start(engine, other, "b")
    assert engine.show_workflow(other)["standing_still"].startswith("waiting: for the writers")
    start(engine, elsewhere, "c")


@pytest.mark.parametrize(
    ("decision", "status", "then"),
    [("cancel", "cancelled", "nothing is left to do"), ("accept_partial", "partial", "aggregate")],
)
def test_a_closed_workflow_says_who_still_writes_and_how_that_becomes_free(
    engine: Engine, decision: str, status: str, then: str
) -> None:
    one = workflow(engine, writer("a", "x"), "b")
    other = workflow(engine, writer("c", "x"))
    claim = start(engine, one, "a", lease_seconds=60)
    start(engine, one, "b")
    fail(engine, one, "b")
    free = "update_task(status='pending', task_id, claim) frees what it writes"

    closed = engine.resolve(Resolution(workflow_id=one, decision=decision))

    assert closed["next"].startswith("stop the workers of a; once its worker has stopped, ")
    assert free in closed["next"]
    assert closed["next"].endswith(f"(the last lease ends at 2027-01-15T08:01:00Z); then {then}")
    assert engine.show_workflow(one)["next"] == closed["next"]
    for end, output in (("completed", result(1)), ("failed", result(1)), ("cancelled", "")):
        with pytest.raises(WorkflowEnded) as ended:
            update(engine, one, "a", end, output=output, claim=claim)
        assert free in ended.value.next
    with pytest.raises(Held, match=f"That workflow is {status}: once its worker") as held:
        start(engine, other, "c")
    assert free in held.value.message
    assert free in engine.claim_task(other)["reason"]
    assert free in engine.show_workflow(other)["held"][0]["free"]

    update(engine, one, "a", "pending", claim=claim)

    assert engine.show_workflow(one)["next"] == then
    start(engine, other, "c")


def test_an_update_does_not_advise_to_start_what_is_held(engine: Engine) -> None:
    one = workflow(engine, writer("a", "x"))
    other = workflow(engine, "b", writer("c", "x"))
    start(engine, one, "a")
    start(engine, other, "b")

    answer = complete(engine, other, "b")
    seen = engine.show_workflow(other)

    wait = f"get_workflow(workflow_id={other!r}, since={answer['seq']}, wait_seconds=45)"
    assert (answer["next"], seen["next"]) == (wait, wait)
    assert seen["counts"] == {"pending": 1, "completed": 1, "held": 1}
    complete(engine, one, "a")
    assert engine.show_workflow(other)["next"].startswith("start the next")


def test_a_start_does_not_advise_to_start_what_it_holds(engine: Engine) -> None:
    name = workflow(engine, writer("a", "x"), writer("b", "x"))

    answer = update(engine, name, "a", "in_progress")

    assert answer["next"].startswith("get_workflow(workflow_id=")


def test_no_answer_about_a_plan_advises_to_start_what_is_held(engine: Engine) -> None:
    start(engine, workflow(engine, writer("a", "x")), "a")

    made = engine.create_workflow("fan_out", tasks=[writer("b", "x")])
    changed = engine.change_plan(made["workflow_id"], add=[writer("c", "x")])
    digest = engine.aggregate(made["workflow_id"])

    answers = (made, changed, digest)
    assert {each["next"].split("(")[0] for each in answers} == {"get_workflow"}


def test_a_claim_passes_over_any_number_of_held_tasks(engine: Engine) -> None:
    plan = [writer(f"w{n:02}", "x", expected_minutes=10) for n in range(40)]
    name = workflow(engine, *plan, task("free", expected_minutes=5))
    engine.claim_task(name)

    assert engine.claim_task(name)["task_id"] == "free"


def test_a_holder_whose_lease_is_over_holds_nothing(engine: Engine, clock: Clock) -> None:
    one, other = workflow(engine, writer("a", "x")), workflow(engine, writer("b", "x"))
    lost = engine.claim_task(one, lease_seconds=10)
    clock.move(11)

    assert "held" not in engine.show_workflow(other)
    assert engine.claim_task(other)["task_id"] == "b"

    assert engine.show_workflow(one)["counts"] == {"pending": 1, "held": 1}
    with pytest.raises(StaleClaim):
        complete(engine, one, "a", claim=lost["claim"])
    with pytest.raises(Held):
        start(engine, one, "a")


def test_a_task_taken_over_from_a_lost_worker_is_not_in_its_own_way(
    engine: Engine, clock: Clock
) -> None:
    name = workflow(engine, writer("a", "x"), writer("b", "x/"))
    engine.claim_task(name, lease_seconds=10)
    clock.move(11)

    assert engine.claim_task(name)["task_id"] == "a"
    complete(engine, name, "a")
    assert engine.claim_task(name)["task_id"] == "b"


@pytest.mark.parametrize(
    ("plan", "flagged"),
    [
        ([writer("a", "x"), writer("b", "x")], True),
        ([writer("a", "docs/"), writer("b", "docs/b.md")], True),
        ([writer("a", "x"), task("b", "a", writes=["x"])], False),
        ([writer("a", "x"), "b", task("c", "b", writes=["x"])], True),
        ([writer("a", "x"), writer("b", "y")], False),
    ],
    ids=["same", "folder", "in turn", "other branch", "apart"],
)
def test_overlaps_are_shown_when_the_plan_is_made(
    engine: Engine, plan: list[Any], flagged: bool
) -> None:
    tasks = [task(each) if isinstance(each, str) else each for each in plan]
    ordered = any("depends_on" in each for each in tasks)

    answer = engine.create_workflow("supervisor" if ordered else "fan_out", tasks=tasks)

    assert ("writes_overlap" in rules(answer)) == flagged


def test_an_overlap_with_what_is_there_is_shown_when_the_plan_changes(engine: Engine) -> None:
    name = workflow(engine, writer("a", "x"), writer("b", "y"), pattern="supervisor")

    beside = engine.change_plan(name, add=[writer("c", "x")])
    after = engine.change_plan(name, add=[task("d", "b", writes=["y"])])

    assert ("writes_overlap" in rules(beside), "monolith" in rules(beside)) == (True, False)
    overlaps = [each for each in after["findings"] if each["rule"] == "writes_overlap"]
    assert all("'d'" not in finding["what"] for finding in overlaps)


def test_a_retry_may_be_held_too(engine: Engine) -> None:
    name = workflow(engine, writer("a", "x"), writer("b", "x"), "c")
    start(engine, name, "a")
    fail(engine, name, "a")
    start(engine, name, "b")

    assert [line["task_id"] for line in engine.show_workflow(name)["held"]] == ["a"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_plan_is_told_what_others_of_its_project_write_now(engine: Engine, dry_run: bool) -> None:
    first = workflow(engine, task("a", writes=["src/auth/"]))
    start(engine, first, "a")
    plan = [task("b", writes=["src/auth/login.py"]), task("c", writes=["docs/"])]

    made = engine.create_workflow("fan_out", tasks=plan, dry_run=dry_run)
    elsewhere = engine.create_workflow("fan_out", tasks=plan, project="other")

    (told,) = [each for each in made["findings"] if each["rule"] == "scope_held"]
    assert told["what"] == (
        f"task 'b' would write what task 'a' of workflow {first!r} is writing: src/auth/"
    )
    assert "scope_held" not in str(elsewhere)
    assert (made["ready"], elsewhere["ready"]) == (["c"], ["b", "c"])
    assert "2 task(s), 1 ready, 1 may run at once" in made["summary"]
