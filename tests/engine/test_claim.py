"""Claims and leases: what is offered, to whom, for how long, and who takes over."""

import re
from dataclasses import replace
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import AlreadyInProgress, InvalidArguments, StaleClaim
from relaybook.store.base import Store
from relaybook.store.tables import ATTEMPTS
from tests.helpers import Clock, complete, dump, fail, result, start, status, task, update, workflow


def attempts(ledger: Store, workflow_id: str) -> list[tuple[str, str | None]]:
    with ledger.read() as tx:
        found = ATTEMPTS.find(
            tx, "WHERE workflow_id = :id ORDER BY task_id, number", id=workflow_id
        )
    return [(each.task_id, each.outcome) for each in found]


@pytest.mark.requirement("S10", "S118")
def test_all_tasks_of_a_fan_out_can_be_started_at_once(engine: Engine) -> None:
    name = workflow(engine, "a", "b", "c")

    for each in ("a", "b", "c"):
        start(engine, name, each, session_key=f"session {each}")

    seen = engine.show_workflow(name)["tasks"]
    assert [(each["status"], each["session_key"]) for each in seen] == [
        ("in_progress", "session a"),
        ("in_progress", "session b"),
        ("in_progress", "session c"),
    ]


def test_a_claim_offers_expired_tasks_then_failed_ones_then_the_longest_chain(
    engine: Engine, clock: Clock
) -> None:
    short, long = task("short", expected_minutes=2), task("long", expected_minutes=14)
    name = workflow(engine, short, long, task("retry"), task("lost"), max_parallel=4)
    start(engine, name, "lost", lease_seconds=5)
    start(engine, name, "retry")
    fail(engine, name, "retry", error_code="crash")
    clock.move(6)

    claimed = [engine.claim_task(name)["task_id"] for _ in range(4)]

    assert claimed == ["lost", "retry", "long", "short"]


def test_a_claim_of_the_oldest_workflow_comes_first_and_a_full_one_is_passed_over(
    engine: Engine, clock: Clock
) -> None:
    first = workflow(engine, "a", "b", max_parallel=1)
    clock.move(1)
    second = workflow(engine, "c")

    assert [engine.claim_task()["workflow_id"] for _ in range(2)] == [first, second]
    assert engine.claim_task(project="other")["claimed"] is False


def test_no_workflow_starves_behind_many_that_have_nothing_to_offer(
    engine: Engine, clock: Clock
) -> None:
    for number in range(60):
        full = workflow(engine, "a", "b", max_parallel=1)
        start(engine, full, "a")
        workflow(engine, task(f"c{number}", capability="another"))
        clock.move(1)
    last = workflow(engine, task("z", capability="mine"))

    claimed = engine.claim_task(capabilities=["mine"])
    nothing = engine.claim_task(capabilities=["mine"])

    assert claimed["workflow_id"] == last
    assert not nothing["claimed"]
    assert "are in progress" in nothing["reason"]


def test_no_workflow_starves_behind_many_whose_tasks_are_held(engine: Engine, clock: Clock) -> None:
    start(engine, workflow(engine, task("a", writes=["src/"])), "a")
    for _ in range(101):
        workflow(engine, task("held", writes=["src/x"]))
        clock.move(1)
    last = workflow(engine, "z")

    assert engine.claim_task()["workflow_id"] == last


def block(engine: Engine, name: str) -> None:
    start(engine, name, "a")
    update(engine, name, "a", "input_required", output="which one?")


def trip(engine: Engine, name: str) -> None:
    for each in ("a", "b", "c"):
        start(engine, name, each)
        fail(engine, name, each)


def take_four(engine: Engine, name: str) -> None:
    for each in ("a", "b", "c", "d"):
        start(engine, name, each)


def leave(engine: Engine, name: str) -> None:
    """Nothing happens before the claim."""


def end(engine: Engine, name: str) -> None:
    for each in ("a", "b", "c", "d"):
        start(engine, name, each)
        complete(engine, name, each)


@pytest.mark.parametrize(
    ("prepare", "plan", "reason", "seconds"),
    [
        (block, ["a", task("b", "a")], "wait for an answer: resolve(", 30),
        (trip, ["a", "b", "c", "d"], "breaker", 60),
        (take_four, list("abcdef"), "all taken", 30),
        (leave, [task("a", capability="deploy")], "another capability", 30),
        (end, ["a", "b", "c", "d"], "is completed", None),
    ],
    ids=["blocked", "breaker", "taken", "capability", "ended"],
)
def test_a_claim_that_finds_nothing_says_why_and_when_to_ask_again(
    engine: Engine, prepare: Any, plan: list[Any], reason: str, seconds: float | None
) -> None:
    name = workflow(engine, *plan, max_parallel=4)
    prepare(engine, name)

    answer = engine.claim_task(name, capabilities=["review"])

    assert answer["claimed"] is False
    assert reason in answer["reason"]
    assert answer.get("retry_after_seconds") == seconds


def test_a_transient_failure_is_offered_again_after_30_seconds_then_120(
    engine: Engine, clock: Clock
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "b")

    for seconds in (30, 120):
        start(engine, name, "a")
        fail(engine, name, "a", error_code="rate_limit")
        waiting = engine.claim_task(name)
        assert (waiting["claimed"], waiting["retry_after_seconds"]) == (False, min(seconds, 30))
        clock.move(seconds)
    assert engine.claim_task(name)["task_id"] == "a"


@pytest.mark.parametrize("seconds", [-1, 0, 4, 1e9])
def test_a_lease_outside_its_bounds_is_refused(engine: Engine, seconds: float) -> None:
    name = workflow(engine, "a")

    with pytest.raises(InvalidArguments):
        engine.claim_task(name, lease_seconds=seconds)
    with pytest.raises(InvalidArguments):
        start(engine, name, "a", lease_seconds=seconds)


@pytest.mark.requirement("S117", "A12")
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({}, 600),
        ({"expected_minutes": 1}, 600),
        ({"expected_minutes": 12}, 1440),
        ({"expected_minutes": 29}, 1800),
        ({"timeout_seconds": 77}, 77),
    ],
)
def test_the_timeout_is_twice_the_expected_time_within_bounds(
    engine: Engine, said: dict[str, Any], seconds: int
) -> None:
    answer = engine.claim_task(workflow(engine, task("a", **said)))

    assert (answer["spawn"]["timeout_seconds"], answer["lease_seconds"]) == (seconds, seconds)


@pytest.mark.requirement("S117", "A12")
@pytest.mark.parametrize(
    ("pattern", "plan"),
    [
        ("fan_out", {"tasks": [{"id": "t1", "label": "Review auth"}]}),
        ("pipeline", {"tasks": [{"id": "t1", "label": "Review auth"}]}),
        ("supervisor", {"tasks": [{"id": "t1", "label": "Review auth"}]}),
        ("map_reduce", {"items": ["a", "b"], "args": {"instruction": "Rate it."}}),
        (
            "expert_panel",
            {
                "tasks": [
                    {
                        "id": "t1",
                        "label": "Review auth",
                        "expert_role": "security",
                        "args": {
                            "proposal": "Keep it.",
                            "criteria": [{"name": "risk", "question": "Is it?", "weight": 1}],
                        },
                    }
                ]
            },
        ),
    ],
)
def test_a_task_that_says_neither_time_nor_template_has_600_seconds(
    engine: Engine, pattern: str, plan: dict[str, Any]
) -> None:
    made = engine.create_workflow(pattern, **plan)

    assert engine.claim_task(made["workflow_id"])["spawn"]["timeout_seconds"] == 600


@pytest.mark.requirement("S115", "S116", "A11")
def test_the_spawn_label_names_workflow_task_and_what_to_do_in_64_characters(
    engine: Engine,
) -> None:
    name = workflow(engine, task("T.1", label="Review: the AUTH (again)"), task("x" * 100))

    labels = [engine.claim_task(name)["spawn"]["label"] for _ in range(2)]

    assert labels[0] == f"{name}_t-1_review-the-auth-again"
    assert re.fullmatch(r"wf_[a-z0-9_-]{61}", labels[1])


def test_a_late_finish_is_accepted_until_the_task_is_taken_over(
    engine: Engine, clock: Clock
) -> None:
    name = workflow(engine, "a", "b")
    first, second = (engine.claim_task(name, lease_seconds=10)["claim"] for _ in range(2))
    clock.move(11)

    assert complete(engine, name, "a", claim=first)["status"] == "completed"
    taken = engine.claim_task(name)
    with pytest.raises(StaleClaim, match="do not redo"):
        complete(engine, name, "b", claim=second)
    assert complete(engine, name, "b", claim=taken["claim"])["workflow_status"] == "completed"


@pytest.mark.requirement("S87", "S88", "A8")
def test_the_third_expiry_fails_the_task_for_good(
    engine: Engine, clock: Clock, ledger: Store
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "b")

    for _ in range(3):
        assert engine.claim_task(name, lease_seconds=10)["task_id"] == "a"
        clock.move(11)
    answer = engine.claim_task(name)

    assert answer["claimed"] is False
    assert attempts(ledger, name)[:3] == [("a", "expired"), ("a", "expired"), ("a", "failed")]
    assert engine.show_workflow(name)["failed"][0]["retries_left"] == 0


def test_a_sign_of_life_renews_the_lease_and_is_no_event(
    engine: Engine, clock: Clock, ledger: Store
) -> None:
    name = workflow(engine, "a")
    claim = engine.claim_task(name, lease_seconds=10)["claim"]
    before = dump(ledger)["events"]

    clock.move(9)
    answer = update(engine, name, "a", "in_progress", claim=claim, lease_seconds=10)
    clock.move(9)

    assert "repeated" not in answer
    assert engine.claim_task(name)["claimed"] is False
    assert dump(ledger)["events"] == before


def test_no_sign_of_life_is_taken_after_the_end(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a", "b")
    claim = start(engine, name, "a")
    fail(engine, name, "a")
    before = dump(ledger)

    with pytest.raises(StaleClaim):
        update(engine, name, "a", "in_progress", claim=claim)
    assert dump(ledger) == before


def test_a_start_takes_over_an_expired_attempt_but_not_a_live_one(
    engine: Engine, clock: Clock, ledger: Store
) -> None:
    name = workflow(engine, "a", "b")
    old = start(engine, name, "a", session_key="one", lease_seconds=10)
    with pytest.raises(AlreadyInProgress):
        start(engine, name, "a", session_key="two")
    clock.move(11)

    new = start(engine, name, "a", session_key="two")

    assert new != old
    assert attempts(ledger, name) == [("a", "expired"), ("a", None)]


@pytest.mark.parametrize(
    "late",
    [
        {"status": "failed", "error": "late"},
        {"status": "completed", "output": result("old")},
        {"status": "completed", "output": "no block"},
        {"status": "input_required", "output": "which one?"},
        {"status": "pending"},
    ],
    ids=["failed", "completed", "malformed", "asked", "given back"],
)
def test_the_late_report_of_an_earlier_session_leaves_the_one_at_work_alone(
    engine: Engine, ledger: Store, late: dict[str, str]
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a", session_key="old")
    update(engine, name, "a", "pending")
    start(engine, name, "a", session_key="new")
    before = dump(ledger)

    with pytest.raises(StaleClaim):
        update(engine, name, "a", session_key="old", **late)

    assert dump(ledger) == before
    update(engine, name, "a", "completed", session_key="new", output=result("good"))
    assert status(engine, name)["a"] == "completed"


def test_a_claim_is_good_for_its_own_task_only(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, "a", "b")
    claim, _ = start(engine, name, "a"), start(engine, name, "b")
    before = dump(ledger)

    wrong = Update(status="completed", output=result(1), claim=claim, task_id="b")
    for each in (wrong, replace(wrong, workflow_id=name)):
        with pytest.raises(StaleClaim):
            engine.update_task(each)
    assert dump(ledger) == before
    engine.update_task(Update(status="completed", output=result(1), claim=claim))
    assert status(engine, name) == {"a": "completed", "b": "in_progress"}
