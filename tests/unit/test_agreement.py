from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.panel.agreement import (
    Kappa,
    Measure,
    Metric,
    criteria_alpha,
    fleiss_kappa,
    krippendorff_alpha,
    label_agreement,
    majority_accuracy,
    pairwise_agreement,
    tastle_wierman,
)

# Krippendorff 2011: four observers, twelve units; None where one gave no value.
OBSERVERS: list[list[float | None]] = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
UNITS = [[v for v in unit if v is not None] for unit in zip(*OBSERVERS, strict=True)]
# Fleiss 1971: ten subjects, fourteen raters, five categories.
SUBJECTS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
scores = st.lists(st.integers(1, 5), min_size=2, max_size=9)


@pytest.mark.parametrize(
    ("metric", "alpha"),
    [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107), ("ratio", 0.797403)],
)
def test_alpha_of_the_published_example_on_every_scale(metric: Metric, alpha: float) -> None:
    assert krippendorff_alpha(UNITS, metric) == pytest.approx(alpha, abs=5e-7)


@pytest.mark.parametrize(
    ("units", "alpha"),
    [
        ([[5, 4, 5], [4, 4, 3], [4, 5, 4], [2, 2, 1]], 0.6962),
        ([[5, 1, 3]], 0.0),
        ([[4, 4, 4], [4, 4]], None),
        ([[4], [2]], None),
        ([], None),
    ],
)
def test_ordinal_alpha_of_small_panels(units: list[list[float]], alpha: float | None) -> None:
    found = krippendorff_alpha(units, "ordinal")

    assert (found if found is None else round(found, 4)) == alpha


@pytest.mark.parametrize(
    ("units", "shown"),
    [
        (
            [[5, 4, 5], [4, 4, 3], [4, 5, 4], [2, 2, 1]],
            {"value": 0.6962, "band": "tentative"},
        ),
        ([[5, 5], [1, 1]], {"value": 1.0, "band": "reliable"}),
        ([[5, 1], [1, 5]], {"value": -0.5, "band": "unreliable"}),
        ([[5, 1, 3]], {"value": None, "reason": "needs two criteria that two experts scored"}),
        ([[5, 1], [3]], {"value": None, "reason": "needs two criteria that two experts scored"}),
        (
            [[4, 4], [4, 4]],
            {
                "value": None,
                "reason": "every score is the same, so there is no chance to correct for",
            },
        ),
    ],
)
def test_alpha_over_criteria_is_a_banded_figure_or_a_reason(
    units: list[list[float]], shown: dict[str, object]
) -> None:
    assert criteria_alpha(units).as_dict() == shown


@pytest.mark.parametrize(
    ("given_scores", "value", "word"),
    [
        ([5, 4, 4], 0.8333, "strong"),
        ([5, 1, 3], 0.3333, "weak"),
        ([5, 1, 1], 0.3333, "weak"),
        ([5, 4], 0.75, "strong"),
        ([5, 3], 0.5, "moderate"),
    ],
)
def test_pairwise_agreement_and_its_band(given_scores: list[int], value: float, word: str) -> None:
    assert pairwise_agreement(given_scores).as_dict() == {"value": value, "band": word}


@pytest.mark.parametrize(
    ("given_scores", "value"),
    [([5, 4, 4], 0.8286), ([5, 1, 3], 0.3333), ([5, 5, 1, 1], 0.0), ([3, 3, 3], 1.0)],
)
def test_tastle_wierman_consensus(given_scores: list[int], value: float) -> None:
    assert tastle_wierman(given_scores).as_dict() == {"value": value}


def test_one_score_agrees_with_nothing() -> None:
    nothing = Measure(None, reason="fewer than two scores")

    assert (pairwise_agreement([5]), tastle_wierman([5])) == (nothing, nothing)


def test_kappa_of_the_published_example() -> None:
    kappa = fleiss_kappa(SUBJECTS)

    assert kappa is not None
    assert Kappa(round(kappa.value, 4), round(kappa.observed, 3), round(kappa.expected, 4)) == (
        Kappa(0.2099, 0.378, 0.2128)
    )


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="nothing"),
        pytest.param([[1, 0], [0, 1]], id="one rater"),
        pytest.param([[2, 0], [1, 2]], id="unequal raters"),
        pytest.param([[3, 0], [3, 0]], id="one category"),
    ],
)
def test_kappa_is_none_where_it_is_undefined(rows: list[list[int]]) -> None:
    assert fleiss_kappa(rows) is None


def test_label_agreement_is_kappa_over_the_labels_of_each_item() -> None:
    labels = {"a": ["bug", "bug"], "b": ["idea", "idea"], "c": ["bug", "idea"]}

    assert label_agreement(labels).as_dict() == {"value": 0.3333}


def test_label_agreement_says_why_there_is_none() -> None:
    assert label_agreement({"a": ["bug", "bug"], "b": ["idea"]}) == Measure(
        None,
        reason="needs the same number of labels, two or more, on each item, and two different "
        "labels",
    )


@pytest.mark.parametrize(
    ("each", "voters", "right"),
    [
        (0.7, 3, 0.784),
        (0.7, 5, 0.8369),
        (0.7, 7, 0.874),
        (0.8, 3, 0.896),
        (0.8, 5, 0.9421),
        (0.8, 7, 0.9667),
    ],
)
def test_how_often_a_majority_of_independent_voters_is_right(
    each: float, voters: int, right: float
) -> None:
    assert round(majority_accuracy(each, voters), 4) == right


@given(scores)
def test_both_measures_lie_between_0_and_1_and_are_1_only_in_unison(votes: list[int]) -> None:
    found = [pairwise_agreement(votes).value, tastle_wierman(votes).value]

    assert all(value is not None and -1e-9 <= value <= 1 + 1e-9 for value in found)
    assert [value == pytest.approx(1) for value in found] == [len(set(votes)) == 1] * 2


@given(st.lists(scores, min_size=2, max_size=5))
def test_the_order_of_raters_and_units_changes_no_alpha(
    units: list[Sequence[float]],
) -> None:
    turned = [list(reversed(unit)) for unit in reversed(units)]

    before, after = krippendorff_alpha(units, "ordinal"), krippendorff_alpha(turned, "ordinal")

    assert after == (None if before is None else pytest.approx(before))
