"""Prompt cost and expected minutes."""

import pytest

from relaybook.core.cost import Comparison, Cost, compare, expected_minutes_from, prompt_cost
from relaybook.errors import InvalidArguments


@pytest.mark.requirement("S63", "S155", "A25")
@pytest.mark.parametrize(
    ("words", "workers", "cost"),
    [
        (500, 5, Cost(5, 2_500, 3_334)),
        (2_000, 10, Cost(10, 20_000, 26_667)),
        ([500, 100, 0], 3, Cost(3, 600, 800)),
        (500, 0, Cost(0, 0, 0)),
    ],
)
def test_the_cost_is_prompt_words_times_workers_and_tokens_are_estimated(
    words: int | list[int], workers: int, cost: Cost
):
    assert prompt_cost(words, workers) == cost


@pytest.mark.parametrize(("words", "workers"), [([500, 500], 3), (-1, 3), (500, -1)])
def test_words_that_do_not_fit_the_workers_are_refused(words: int | list[int], workers: int):
    with pytest.raises(InvalidArguments, match="do not fit"):
        prompt_cost(words, workers)


@pytest.mark.requirement("S153", "S154", "S158")
def test_a_comparison_multiplies_by_workers_and_by_prompt_length():
    assert compare(500, 1, other_workers=[3, 10], other_words=[2_000]) == (
        Comparison(1, 500, 500, 1.0),
        Comparison(3, 500, 1_500, 3.0),
        Comparison(10, 500, 5_000, 10.0),
        Comparison(1, 2_000, 2_000, 4.0),
    )


@pytest.mark.parametrize("other", [0, -3])
def test_a_comparison_with_nothing_is_refused(other: int):
    with pytest.raises(InvalidArguments, match="at least one"):
        compare(500, 5, other_workers=[other], other_words=[])


@pytest.mark.parametrize(
    ("durations", "expected"),
    [
        ([], (5.0, "default; 0 of 5 runs needed are in this ledger")),
        ([9, 9, 9, 9], (5.0, "default; 4 of 5 runs needed are in this ledger")),
        ([9, 7, 8, 7, 90], (8, "median of 5 runs in this ledger")),
    ],
)
def test_expected_minutes_are_the_median_once_there_are_enough_runs(
    durations: list[float], expected: tuple[float, str]
):
    assert expected_minutes_from(durations, default=5.0) == expected
