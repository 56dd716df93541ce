"""The graph of a plan: cycles, order, layers and chains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.plan.graph import chains, find_cycle, layers, order
from relaybook.errors import InvalidPlan

INCIDENT = {
    "report": ["legal", "trace"],
    "assess": [],
    "contain": ["assess"],
    "trace": ["contain"],
    "legal": ["assess"],
}
INCIDENT_MINUTES = {"report": 5, "assess": 10, "contain": 15, "trace": 12, "legal": 8}


@st.composite
def acyclic_plans(draw: st.DrawFn) -> dict[str, list[str]]:
    """Plans in which a task needs only tasks of lower number, listed in any order."""
    count = draw(st.integers(0, 12))
    needs = {
        str(task): sorted(draw(st.sets(st.integers(0, task - 1)))) if task else []
        for task in range(count)
    }
    tasks = draw(st.permutations(list(needs)))
    return {task: [str(need) for need in needs[task]] for task in tasks}


def test_a_plan_without_a_circle_has_no_cycle():
    assert find_cycle(INCIDENT) == []


@pytest.mark.parametrize(
    ("needs", "cycle"),
    [
        ({"a": ["a"]}, ["a"]),
        ({"a": ["b"], "b": ["a"]}, ["a", "b"]),
        ({"in": ["x"], "x": ["y"], "y": ["z"], "z": ["x"]}, ["x", "y", "z"]),
        ({"a": [], "b": ["a", "c"], "c": ["a", "b"]}, ["b", "c"]),
    ],
)
def test_a_cycle_is_named_without_the_tasks_that_lead_to_it(
    needs: dict[str, list[str]], cycle: list[str]
):
    assert find_cycle(needs) == cycle


def test_a_need_that_is_no_task_is_passed_over():
    assert order({"a": ["missing"]}) == ["a"]
    assert layers({"a": ["missing"]}) == [["a"]]
    assert chains({"a": 5}, {"a": ["missing"]}) == {"a": 5.0}


def test_an_empty_plan_has_empty_answers():
    assert (order({}), layers({}), chains({}, {})) == ([], [], {})


def test_order_puts_what_is_needed_just_before_what_needs_it():
    assert order(INCIDENT) == ["assess", "legal", "contain", "trace", "report"]


@given(acyclic_plans())
def test_order_keeps_every_task_once_and_after_its_needs(needs: dict[str, list[str]]):
    found = order(needs)

    assert sorted(found) == sorted(needs)
    assert all(found.index(need) < found.index(task) for task in needs for need in needs[task])


@given(acyclic_plans())
def test_a_plan_already_in_order_is_left_as_it_is(needs: dict[str, list[str]]):
    plan = {task: needs[task] for task in order(needs)}

    assert order(plan) == list(plan)


def test_a_plan_with_a_circle_is_refused_and_the_circle_is_shown():
    with pytest.raises(InvalidPlan, match="'a' → 'b' → 'a'"):
        order({"a": ["b"], "b": ["a"]})


def test_a_circle_through_the_whole_plan_still_makes_a_short_message():
    needs = {str(task): [str((task + 1) % 100_000)] for task in range(100_000)}

    with pytest.raises(InvalidPlan, match="99994 more → '0'") as refusal:
        order(needs)

    assert len(str(refusal.value)) < 1000


def test_layers_hold_what_may_run_side_by_side():
    assert layers(INCIDENT) == [["assess"], ["contain", "legal"], ["trace"], ["report"]]


def test_a_chain_runs_from_the_start_of_a_task_to_the_end_of_the_longest_path():
    assert chains(INCIDENT_MINUTES, INCIDENT) == {
        "report": 5.0,
        "assess": 42.0,
        "contain": 32.0,
        "trace": 17.0,
        "legal": 13.0,
    }


@given(acyclic_plans(), st.data())
def test_the_chain_of_a_task_is_its_minutes_and_the_longest_chain_that_waits_for_it(
    needs: dict[str, list[str]], data: st.DataObject
):
    minutes = {task: data.draw(st.integers(1, 20)) for task in needs}

    found = chains(minutes, needs)

    assert found == {
        task: minutes[task] + max((found[t] for t in needs if task in needs[t]), default=0.0)
        for task in needs
    }


def test_a_chain_of_100_000_tasks_needs_no_recursion():
    names = [str(task) for task in range(100_000)]
    needs = {task: names[max(0, place - 1) : place] for place, task in enumerate(names)}
    backwards = {task: needs[task] for task in reversed(names)}

    assert order(backwards) == names
    assert chains(dict.fromkeys(names, 1), backwards)["0"] == 100_000.0
    assert len(layers(backwards)) == 100_000
