import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.panel.votes import (
    Decided,
    Opinion,
    PanelOutcome,
    Side,
    Verdict,
    Weights,
    decide,
    default_quorum,
    dissent,
    median_verdict,
    verdict,
    verdict_counts,
)
from relaybook.errors import InvalidArguments

FIRMNESS = [
    PanelOutcome.INSUFFICIENT,
    PanelOutcome.SPLIT,
    PanelOutcome.MAJORITY,
    PanelOutcome.CONSENSUS,
]


def opinions(*scores: int, blocked: int | None = None) -> list[Opinion]:
    """Experts e0, e1 …; the one numbered `blocked` raises an objection."""
    return [
        Opinion(
            expert=f"e{number}",
            verdict=Verdict(score),
            blockers=("no rollback",) if number == blocked else (),
        )
        for number, score in enumerate(scores)
    ]


@pytest.mark.requirement("A32")
@pytest.mark.parametrize(
    ("word", "score"),
    [
        ("strong_approve", 5),
        ("approve", 4),
        ("neutral", 3),
        ("reject", 2),
        ("strong_reject", 1),
        ("Strong approve", 5),
        ("strong-reject", 1),
        (5, 5),
        (1.0, 1),
    ],
)
def test_a_verdict_is_a_word_or_a_number_of_the_five_point_scale(word: object, score: int) -> None:
    assert verdict(word) == score


@pytest.mark.requirement("A32")
@pytest.mark.parametrize("wrong", ["yes", "", "3", 0, 6, 2.5, True, None, [], float("nan")])
def test_anything_else_is_refused_with_the_scale(wrong: object) -> None:
    with pytest.raises(InvalidArguments) as refusal:
        verdict(wrong)

    assert refusal.value.allowed == (
        "strong_approve (5), approve (4), neutral (3), reject (2), strong_reject (1)"
    )


@pytest.mark.parametrize(("panel", "quorum"), [(1, 2), (2, 2), (3, 2), (4, 3), (6, 4), (7, 5)])
def test_the_quorum_is_two_thirds_and_at_least_two(panel: int, quorum: int) -> None:
    assert default_quorum(panel) == quorum


def test_counts_name_every_verdict_and_the_median_is_theirs() -> None:
    votes = opinions(5, 4, 4, 1)

    assert verdict_counts(votes) == {
        "strong_approve": 1,
        "approve": 2,
        "neutral": 0,
        "reject": 0,
        "strong_reject": 1,
    }
    assert (median_verdict(votes), median_verdict([])) == (4, None)


@pytest.mark.parametrize(
    ("scores", "missing", "outcome", "side"),
    [
        ([5, 4, 4], [], "consensus", "approve"),
        ([1, 2, 2], [], "consensus", "reject"),
        ([3, 3, 3], [], "consensus", "neutral"),
        ([5, 4, 1], [], "majority", "approve"),
        ([1, 2, 5], [], "majority", "reject"),
        ([3, 3, 5], [], "majority", "neutral"),
        ([3, 3], ["legal", "sales"], "insufficient", None),
        ([5, 3, 1], [], "split", None),
        ([5, 5, 1, 1], [], "split", None),
        ([5, 4], ["legal"], "majority", "approve"),
        ([4, 4, 2], ["legal"], "split", None),
        ([5], ["legal", "sales"], "insufficient", None),
        ([5], [], "insufficient", None),
        ([], ["legal", "sales"], "insufficient", None),
    ],
)
def test_the_outcome_of_a_panel(
    scores: list[int], missing: list[str], outcome: str, side: str | None
) -> None:
    votes = opinions(*scores)

    decided = decide(votes, missing, default_quorum(len(scores) + len(missing)), Weights())

    assert (decided.outcome, decided.side) == (outcome, side)


def test_one_objection_blocks_whatever_the_majority_and_the_quorum() -> None:
    everyone = decide(opinions(5, 5, 4, blocked=2), [], 2, Weights())
    alone = decide(opinions(5, blocked=0), ["a", "b"], 2, Weights())

    assert everyone == Decided(PanelOutcome.BLOCKED, Side.APPROVE, 14 / 3)
    assert alone == Decided(PanelOutcome.BLOCKED, None, 5)


def test_a_weight_can_turn_a_split_into_a_majority() -> None:
    votes = opinions(5, 1)

    assert decide(votes, [], 2, Weights()) == Decided(PanelOutcome.SPLIT, None, 3)
    assert decide(votes, [], 2, Weights(experts={"e0": 3})) == Decided(
        PanelOutcome.MAJORITY, Side.APPROVE, 4
    )


@pytest.mark.parametrize("weight", [0, -1, 1001, float("nan"), float("inf")])
def test_a_weight_out_of_range_is_refused(weight: float) -> None:
    with pytest.raises(InvalidArguments):
        Weights(criteria={"safety": {"e0": weight}})


def test_dissent_is_whoever_stands_elsewhere_or_objects_with_the_reason() -> None:
    votes = [
        Opinion(expert="security", verdict=Verdict.REJECT, reason="tokens never expire"),
        Opinion(expert="cost", verdict=Verdict.APPROVE, blockers=("no budget",)),
        Opinion(expert="performance", verdict=Verdict.STRONG_APPROVE),
    ]
    security = {"expert": "security", "verdict": "reject", "reason": "tokens never expire"}
    cost = {
        "expert": "cost",
        "verdict": "approve",
        "reason": "no reason given",
        "blockers": ["no budget"],
    }
    performance = {
        "expert": "performance",
        "verdict": "strong_approve",
        "reason": "no reason given",
    }

    assert dissent(votes, Side.APPROVE) == [security, cost]
    assert dissent(votes, None) == [security, cost, performance]


@pytest.mark.parametrize(("scores", "count"), [((4,), 0), ((4, 5), 0), ((3, 3), 0), ((4, 3), 2)])
def test_where_no_side_carries_votes_on_one_side_are_no_dissent(
    scores: tuple[int, ...], count: int
) -> None:
    assert len(dissent(opinions(*scores), None)) == count


def test_an_objection_is_told_even_if_all_votes_are_on_one_side() -> None:
    assert [entry["expert"] for entry in dissent(opinions(4, 4, blocked=1), None)] == ["e1"]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.integers(0, 7))
def test_a_missing_vote_never_makes_an_outcome_firmer(scores: list[int], gone: int) -> None:
    votes = opinions(*scores)
    quorum = default_quorum(len(votes))
    kept = [vote for number, vote in enumerate(votes) if number != gone % len(votes)]

    before = decide(votes, [], quorum, Weights())
    after = decide(kept, ["gone"], quorum, Weights())

    assert FIRMNESS.index(after.outcome) <= FIRMNESS.index(before.outcome)


@given(st.permutations(opinions(5, 4, 2, 1, 3)))
def test_the_order_of_votes_decides_nothing(votes: list[Opinion]) -> None:
    assert decide(votes, [], 4, Weights()) == Decided(PanelOutcome.SPLIT, None, 3)
