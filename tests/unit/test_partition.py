"""Items into partitions, partitions into waves."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.plan.partition import Balance, Item, balance, partition, suggest_parts, waves
from relaybook.errors import InvalidPlan


def numbered(count: int, weights: Sequence[float] = (1.0,)) -> list[Item]:
    return [Item(str(n), n, weights[n % len(weights)]) for n in range(count)]


def ids(parts: Sequence[Sequence[Item]]) -> list[list[str]]:
    return [[item.id for item in part] for part in parts]


@st.composite
def item_lists(draw: st.DrawFn) -> list[Item]:
    facts = st.tuples(st.integers(0, 50), st.sampled_from([None, None, "red", "blue"]))
    drawn = draw(st.lists(facts, min_size=1, max_size=40))
    return [Item(str(n), n, float(weight), group) for n, (weight, group) in enumerate(drawn)]


@pytest.mark.requirement("S12")
def test_thirty_items_over_five_workers_give_five_batches_of_six():
    assert balance(partition(numbered(30), 5)) == Balance((6,) * 5, (6.0,) * 5, 1.0)


@pytest.mark.requirement("S37")
@given(st.integers(1, 200), st.integers(1, 40))
def test_sizes_by_count_differ_by_at_most_one_and_order_is_kept(count: int, parts: int):
    items = numbered(count)

    found = partition(items, parts)

    sizes = [len(part) for part in found]
    assert len(found) == min(parts, count)
    assert max(sizes) - min(sizes) <= 1
    assert [item for part in found for item in part] == items


@pytest.mark.requirement("S38")
@given(item_lists(), st.integers(1, 12))
def test_every_item_lands_in_exactly_one_partition_in_order(items: list[Item], parts: int):
    found = partition(items, parts)

    assert all(found)
    assert sorted((i for part in found for i in part), key=lambda item: item.value) == items
    assert all(list(part) == sorted(part, key=lambda item: item.value) for part in found)


@given(item_lists(), st.integers(1, 12))
def test_a_group_is_never_split(items: list[Item], parts: int):
    found = partition(items, parts)

    for group in ("red", "blue"):
        assert sum(any(item.group == group for item in part) for part in found) <= 1


@pytest.mark.requirement("S37")
def test_by_weight_the_heaviest_goes_first_to_the_lightest_partition():
    weights = {"a": 1, "b": 2, "c": 3, "d": 7, "e": 5, "f": 6}
    items = [Item(name, name, weight) for name, weight in weights.items()]

    found = partition(items, 3)

    assert ids(found) == [["a", "d"], ["b", "f"], ["c", "e"]]
    assert balance(found) == Balance((2, 2, 2), (8.0, 8.0, 8.0), 1.0)


@pytest.mark.requirement("S37")
@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 12))
def test_by_weight_no_partition_is_heavier_than_the_mean_and_one_item(
    weights: list[int], parts: int
):
    items = [Item(str(n), n, float(weight)) for n, weight in enumerate(weights)]

    heaviest = max(balance(partition(items, parts)).weights)

    assert heaviest <= sum(weights) / min(parts, len(items)) + max(weights)


def test_more_partitions_than_items_gives_one_item_each():
    assert ids(partition(numbered(3), 10)) == [["0"], ["1"], ["2"]]


def test_items_that_weigh_nothing_are_still_spread():
    assert ids(partition(numbered(4, [5.0, 0.0, 0.0, 0.0]), 3)) == [["0"], ["1", "3"], ["2"]]


def test_imbalance_is_the_heaviest_over_the_mean():
    parts = partition(numbered(3, [6.0, 2.0, 1.0]), 2)

    assert balance(parts) == Balance((1, 2), (6.0, 3.0), 6 / 4.5)


def test_partitions_that_weigh_nothing_count_as_even():
    assert balance(partition(numbered(2, [0.0]), 2)).imbalance == 1.0


@pytest.mark.parametrize(
    ("items", "parts", "message"),
    [
        ([], 3, "There are no items"),
        (numbered(3), 0, "0 partitions cannot hold 3 items"),
        ([Item("a", 1), Item("a", 2)], 1, "1 item ids are given more than once, first 'a'"),
        ([Item("a", 1, math.nan)], 1, "impossible weight, first 'a'"),
        ([Item("a", 1, -1.0)], 1, "impossible weight, first 'a'"),
    ],
)
def test_what_cannot_be_divided_is_refused(items: list[Item], parts: int, message: str):
    with pytest.raises(InvalidPlan, match=message):
        partition(items, parts)


def test_texts_that_repeat_are_refused_with_the_form_that_works():
    with pytest.raises(InvalidPlan) as refusal:
        partition([Item("good", 1), Item("good", 2)], 1)

    assert "send texts that repeat as {id: 'a1', text: …}" in refusal.value.as_dict()["next"]


def test_the_refusal_of_10_000_repeated_ids_is_short():
    items = [Item(f"{n}" * 100, n) for n in range(10_000)]

    with pytest.raises(InvalidPlan, match="10000 item ids") as refusal:
        partition(items * 2, 5)

    assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize(
    ("items", "minutes", "parts"),
    [
        (30, 2, 6),  # six at once, ten minutes each
        (30, 1, 6),  # six at once, five minutes each
        (12, 1, 2),  # more than two would run under five minutes
        (100, 3, 20),  # fewer than twenty would run over fifteen minutes
        (4, 1, 1),  # four minutes in all
        (5, 20, 5),  # one item alone is over fifteen minutes
        (1, 8, 1),
    ],
)
def test_the_suggested_number_keeps_each_worker_between_5_and_15_minutes(
    items: int, minutes: float, parts: int
):
    assert suggest_parts(items, minutes) == parts


@given(st.integers(1, 10_000), st.floats(1e-300, 15))
def test_no_suggested_partition_runs_over_15_minutes_nor_under_5_without_need(
    items: int, minutes: float
):
    parts = suggest_parts(items, minutes)

    assert math.ceil(items / parts) * minutes <= 15 * (1 + 1e-9)
    assert parts == 1 or (items // parts) * minutes >= 5 * (1 - 1e-9)


@pytest.mark.parametrize(("items", "minutes"), [(0, 5), (5, 0)])
def test_a_suggestion_for_impossible_numbers_is_refused(items: int, minutes: float):
    with pytest.raises(InvalidPlan, match="cannot be divided"):
        suggest_parts(items, minutes)


@pytest.mark.requirement("S42", "A1")
@pytest.mark.parametrize(
    ("workers", "sizes"), [(0, []), (1, [1]), (6, [6]), (10, [6, 4]), (13, [6, 6, 1])]
)
def test_more_workers_than_run_at_once_run_in_waves(workers: int, sizes: list[int]):
    assert waves(workers) == sizes


def test_waves_keep_to_the_width_given():
    assert waves(10, width=4) == [4, 4, 2]
