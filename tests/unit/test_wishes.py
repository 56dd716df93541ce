from typing import Any

import pytest

from relaybook.core.digest.wishes import Wishes, check_wishes, read_wishes
from relaybook.core.panel.votes import Weights
from relaybook.errors import InvalidArguments

WEIGHTS = {"experts": {"security": 2}, "criteria": {"cost": {"finance": 3}}}


def test_wishes_are_read_from_the_metadata_and_the_rest_is_left_alone() -> None:
    said = {"audience": " the board ", "model": "m-1", "quorum": 2, "weights": WEIGHTS}

    assert read_wishes(said | {"ticket": {"id": 7}}) == Wishes(
        audience="the board",
        model="m-1",
        weights=Weights(experts={"security": 2}, criteria={"cost": {"finance": 3}}),
        quorum=2,
    )
    assert read_wishes({}) == Wishes()
    assert read_wishes({"model": {"of": "mine"}}) == Wishes()


@pytest.mark.parametrize(
    "said",
    [
        {"audience": 5},
        {"audience": "x" * 201},
        {"quorum": 0},
        {"quorum": "2"},
        {"weights": [1]},
        {"weights": {"security": 2}},
        {"weights": {"experts": {"security": "high"}}},
        {"weights": {"experts": {"security": True}}},
        {"weights": {"experts": {"security": 0}}},
        {"weights": {"criteria": {"cost": 2}}},
        {"weights": {"criteria": 2}},
    ],
)
def test_a_wish_of_the_wrong_form_is_refused_and_says_which_is_right(said: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments) as caught:
        read_wishes(said)

    assert caught.value.allowed


@pytest.mark.parametrize(
    ("said", "experts", "what"),
    [
        ({"weights": {"experts": {"securty": 2}}}, {"security", "cost"}, "'securty'"),
        ({"weights": {"criteria": {"risk": {"legal": 2}}}}, {"security"}, "'legal'"),
        ({"weights": {"experts": {"security": 2}}}, (), "'security'"),
        ({"quorum": 3}, {"security", "cost"}, "quorum"),
    ],
)
def test_a_wish_must_fit_the_panel(said: dict[str, Any], experts: Any, what: str) -> None:
    with pytest.raises(InvalidArguments, match=what):
        check_wishes(read_wishes(said), experts)


def test_a_wish_that_fits_the_panel_passes() -> None:
    wishes = read_wishes({"weights": WEIGHTS, "quorum": 2})

    assert check_wishes(wishes, {"security", "finance"}) is None
