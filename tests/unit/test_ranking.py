import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.panel.ranking import TIE_RULE, Ballot, rank, self_consistency


def ballots(*orders: str) -> list[Ballot]:
    return [Ballot(f"v{number}", tuple(order)) for number, order in enumerate(orders)]


def test_borda_and_condorcet_beside_each_other() -> None:
    assert rank(ballots("abc", "acb", "bca")).as_dict() == {
        "borda": [
            {"option": "a", "points": 4.0},
            {"option": "b", "points": 3.0},
            {"option": "c", "points": 2.0},
        ],
        "condorcet_winner": "a",
        "agree": True,
        "ballots": 3,
        "tie_rule": TIE_RULE,
    }


def test_the_winner_of_every_duel_may_lose_on_points() -> None:
    ranking = rank(ballots("abc", "abc", "abc", "bca", "bca"))

    assert (ranking.standings[0].option, ranking.condorcet_winner, ranking.agree) == (
        "b",
        "a",
        False,
    )


def test_a_circle_of_duels_has_no_winner() -> None:
    assert rank(ballots("abc", "bca", "cab")).condorcet_winner is None


def test_equal_points_go_by_first_places_then_by_name() -> None:
    by_first_places = rank(ballots("bac", "bac", "acb"))
    by_name = rank(ballots("yx", "xy"))

    assert [(s.option, s.points, s.first_places) for s in by_first_places.standings] == [
        ("b", 4, 2),
        ("a", 4, 1),
        ("c", 1, 0),
    ]
    assert [standing.option for standing in by_name.standings] == ["x", "y"]


def test_options_left_out_share_the_points_that_are_left() -> None:
    ranking = rank([Ballot("v", ("a",)), Ballot("w", ("b", "c", "a"))])

    assert {s.option: s.points for s in ranking.standings} == {"a": 2.0, "b": 2.5, "c": 1.5}


def test_an_option_that_nobody_ranks_shares_the_points_that_are_left() -> None:
    ranking = rank([Ballot("v", ("b", "a"))], ["a", "b", "c", "d"])

    assert {s.option: s.points for s in ranking.standings} == {"b": 3, "a": 2, "c": 0.5, "d": 0.5}


def test_a_weight_multiplies_the_points_and_the_duels() -> None:
    ranking = rank([Ballot("v", ("a", "b"), 3.0), *ballots("ba", "ba")])

    assert (ranking.standings[0].option, ranking.standings[0].points) == ("a", 3.0)
    assert ranking.condorcet_winner == "a"


def test_a_name_given_twice_counts_where_it_first_stands() -> None:
    assert rank(ballots("aba")) == rank(ballots("ab"))


def test_no_ballot_ranks_nothing() -> None:
    ranking = rank([])

    assert (ranking.standings, ranking.condorcet_winner, ranking.agree) == ((), None, False)


@given(st.lists(st.permutations("abcd").map("".join), min_size=1, max_size=7))
def test_a_condorcet_winner_beats_each_option_in_a_majority(orders: list[str]) -> None:
    winner = rank(ballots(*orders)).condorcet_winner

    def beats(one: str, other: str) -> bool:
        return 2 * sum(order.index(one) < order.index(other) for order in orders) > len(orders)

    winners = [one for one in "abcd" if all(beats(one, other) for other in "abcd" if other != one)]
    assert winner == (winners[0] if winners else None)


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        (["42", "42", "41"], {"mode": "42", "share": 0.6667, "tied": [], "answers": 3}),
        (["42", "41"], {"mode": None, "share": 0.5, "tied": ["41", "42"], "answers": 2}),
        ([], {"mode": None, "share": None, "tied": [], "answers": 0}),
    ],
)
def test_self_consistency_is_the_mode_and_its_share(
    answers: list[str], found: dict[str, object]
) -> None:
    assert self_consistency(answers) == found
