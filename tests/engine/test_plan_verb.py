"""plan on a ledger: expected times from its own history, partitions, cost."""

from typing import Any

import pytest

from relaybook.core.text import compact
from relaybook.engine import Engine
from relaybook.errors import InvalidArguments
from relaybook.store.base import Store
from tests.helpers import Clock, complete, dump, start, workflow

JOB: dict[str, Any] = {"minutes": 60, "independent": True}


def run(engine: Engine, clock: Clock, minutes: float) -> None:
    name = workflow(engine, "a")
    start(engine, name, "a")
    clock.move(minutes * 60)
    complete(engine, name, "a")


@pytest.mark.parametrize(
    ("runs", "minutes", "source"),
    [
        ([], 5, "default; 0 of 5 runs needed are in this ledger"),
        ([8, 9, 10, 11], 5, "default; 4 of 5 runs needed are in this ledger"),
        ([8, 9, 10, 11, 500], 10, "median of 5 runs in this ledger"),
    ],
)
def test_expected_times_come_from_the_ledger_once_it_has_enough_runs(
    engine: Engine, clock: Clock, runs: list[float], minutes: float, source: str
) -> None:
    for each in runs:
        run(engine, clock, each)

    expected = engine.plan(JOB, template="piece")["expected"]

    assert expected == {
        "template": "piece",
        "minutes": minutes,
        "source": source,
        "timeout_seconds": max(600, minutes * 120),
    }
    assert engine.plan(JOB, template="counted")["expected"]["minutes"] == 5


@pytest.mark.requirement("S63", "S12")
def test_items_are_partitioned_by_the_time_that_each_takes(engine: Engine) -> None:
    thirty = [f"skill{n}" for n in range(30)]

    five = engine.plan(JOB, items=thirty, batches=5, words=500)
    open_ = engine.plan({"minutes": 150, "dataset": True}, items=thirty)
    long = engine.plan({"minutes": 2, "dataset": True}, items=thirty)

    assert five["batches"]["sizes"] == (6, 6, 6, 6, 6)
    assert (five["cost"]["words"], five["waves"]) == (2_500, [5])
    assert open_["batches"]["sizes"] == (3,) * 10
    assert open_["waves"] == [6, 4]
    assert long["batches"]["sizes"] == (30,)


def test_what_batches_were_asked_for_is_what_the_whole_advice_is_about(engine: Engine) -> None:
    thirty = [f"skill{n}" for n in range(30)]

    two = engine.plan({"minutes": 60, "dataset": True}, items=thirty, batches=2, words=500)

    assert two["workers"] == {"tasks": 2, "at_once": 2}
    assert (two["cost"]["workers"], two["cost"]["words"], two["waves"]) == (2, 1_000, [2])
    assert {finding["rule"] for finding in two["warnings"]} == {"below_sweet_spot", "too_long"}


def test_groups_that_stay_together_make_fewer_batches_than_were_asked_for(engine: Engine) -> None:
    items = [{"id": f"i{n}", "group": "ab"[n % 2]} for n in range(10)]

    told = engine.plan({"minutes": 20, "dataset": True}, items=items, batches=5)

    assert told["batches"]["sizes"] == (5, 5)
    assert told["workers"]["tasks"] == told["cost"]["workers"] == 2
    assert "batches=2" in told["next"]
    assert "5 batches were asked for, and there are 2" in str(told["warnings"])


@pytest.mark.parametrize(
    ("facts", "said", "following"),
    [
        ({"minutes": 3}, {}, "do it yourself"),
        ({"dataset": True}, {"items": ["a", "b", "c"]}, "pattern='map_reduce', items=[…], batches"),
        ({"dataset": True, "subtasks": 9}, {}, "pattern='map_reduce', items=[…], batches="),
        ({"independent": True}, {"items": ["a", "b", "c"]}, "pattern='fan_out', items=[…], batch"),
        ({"independent": True}, {}, "pattern='fan_out', tasks=[{id, label, done}, …]"),
        (
            {"opinions": True},
            {},
            "expert_role, args: {proposal, criteria: [{name, question}]}}, …]",
        ),
        ({"sequential": True}, {}, "pattern='pipeline', tasks=[{id, label, done}, …]"),
        ({"stages": True}, {}, "create_workflow(stages=[{capability, goal}, …])"),
        ({"adaptive": True}, {}, "pattern='supervisor', tasks=[{id, label, done}, …]"),
    ],
)
def test_the_next_call_has_the_arguments_that_the_pattern_needs(
    engine: Engine, facts: dict[str, Any], said: dict[str, Any], following: str
) -> None:
    assert following in engine.plan({"minutes": 40} | facts, **said)["next"]


def test_the_expected_time_is_told_of_the_template_that_the_pattern_takes(engine: Engine) -> None:
    assert engine.plan({"minutes": 40, "dataset": True})["expected"]["template"] == "map_partition"
    assert "expected" not in engine.plan({"minutes": 3})


@pytest.mark.requirement("S51", "A5")
def test_the_literal_order_of_the_playbook_is_there_for_who_asks(engine: Engine) -> None:
    facts = {"minutes": 60, "independent": True, "opinions": True}

    told = [engine.plan(facts, order=order) for order in ("specific", "playbook")]

    assert [each["pattern"] for each in told] == ["expert_panel", "fan_out"]
    assert [each["order"] for each in told] == ["specific", "playbook"]


def test_a_plan_writes_nothing(engine: Engine, ledger: Store) -> None:
    before = dump(ledger)
    engine.plan(JOB, items=["a", "b"], template="piece", other_workers=[2], other_words=[900])

    assert dump(ledger) == before


@pytest.mark.parametrize(
    "facts", [{}, {"minutes": 0}, {"minutes": 5, "adaptiv": True}, {"minutes": 9, "subtasks": 0}]
)
def test_facts_that_cannot_be_are_refused(engine: Engine, facts: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments):
        engine.plan(facts)


@pytest.mark.requirement("S13")
@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"independent": True, "subtasks": 2}, [3, 6]),
        ({"independent": True, "subtasks": 4}, [3, 6]),
        ({"dataset": True}, [3, 6]),
        ({"sequential": True}, None),
    ],
)
def test_the_sweet_spot_of_workers_is_told_with_every_plan_for_several_at_once(
    engine: Engine, facts: dict[str, Any], told: list[int] | None
) -> None:
    answer = engine.plan({"minutes": 30} | facts)

    assert answer.get("sweet_spot") == told
    two = [each["what"] for each in answer["warnings"] if each["rule"] == "below_sweet_spot"]
    assert two == (
        ["2 workers are below the sweet spot of 3 to 6"] if facts.get("subtasks") == 2 else []
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"minutes": 30, "subtasks": 2**63},
        {"minutes": 30, "questions": 2**70},
        {"minutes": 30, "subtasks": "many"},
        {"minutes": 30, "subtasks": True},
        {"minutes": 10**400},
        {"minutes": 30, "independent": "yes"},
    ],
)
def test_a_fact_that_cannot_be_is_refused(engine: Engine, facts: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments):
        engine.plan(facts)


def test_many_batches_are_told_in_few_words(engine: Engine) -> None:
    items = [f"i{n}" for n in range(10_000)]
    told = engine.plan({"minutes": 1_000_000, "dataset": True}, items=items, batches=5_000)

    assert told["batches"]["parts"] == 5_000
    assert len(compact(told)) < 4_000


@pytest.mark.parametrize("minutes", [float("nan"), float("inf")])
def test_a_length_that_is_no_number_is_refused(engine: Engine, minutes: float) -> None:
    with pytest.raises(InvalidArguments, match="the fact 'minutes' is"):
        engine.plan({"minutes": minutes})
