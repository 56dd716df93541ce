from relaybook.core.panel.agreement import Measure
from relaybook.core.panel.consensus import CONVENTION, classification, independence, panel
from relaybook.core.panel.votes import Opinion, Verdict, Weights


def opinion(expert: str, score: int, *criteria: int) -> Opinion:
    return Opinion(
        expert=expert,
        verdict=Verdict(score),
        reason=f"{expert} has reasons",
        scores={f"c{number}": Verdict(given) for number, given in enumerate(criteria)},
    )


def test_the_report_of_a_panel_holds_every_figure_and_the_dissent() -> None:
    report = panel(
        [opinion("security", 2, 5, 4), opinion("performance", 4, 4, 4), opinion("cost", 5, 5, 3)],
        ["legal"],
    )

    assert report.as_dict() == {
        "outcome": "split",
        "side": None,
        "mean": 3.6667,
        "median": 4,
        "counts": {
            "strong_approve": 1,
            "approve": 1,
            "neutral": 0,
            "reject": 1,
            "strong_reject": 0,
        },
        "votes": {"security": "reject", "performance": "approve", "cost": "strong_approve"},
        "missing": ["legal"],
        "quorum": {"needed": 3, "cast": 3},
        "dissent": [
            {"expert": "security", "verdict": "reject", "reason": "security has reasons"},
            {"expert": "performance", "verdict": "approve", "reason": "performance has reasons"},
            {"expert": "cost", "verdict": "strong_approve", "reason": "cost has reasons"},
        ],
        "agreement": {"value": 0.5, "band": "moderate"},
        "tastle_wierman": {"value": 0.504},
        "alpha": {"value": 0.4306, "band": "unreliable"},
        "criteria": [
            {"criterion": "c0", "mean": 4.6667, "experts": 3},
            {"criterion": "c1", "mean": 3.6667, "experts": 3},
        ],
        "independence": (
            "metadata.model does not say which model voted: take the votes as correlated. "
            "3 independent voters, each right 70 %, would be right 78 %."
        ),
        "convention": CONVENTION,
    }


def test_weights_stand_beside_the_plain_figures_and_a_difference_is_flagged() -> None:
    report = panel(
        [opinion("security", 1, 1), opinion("cost", 5, 5)],
        weights=Weights(experts={"security": 3}, criteria={"c0": {"cost": 3}}),
    ).as_dict()

    assert (report["outcome"], report["weighted"], report["criteria"]) == (
        "split",
        {"outcome": "majority", "side": "reject", "mean": 2.0, "differs": True},
        [{"criterion": "c0", "mean": 3.0, "experts": 2, "weighted": 3.0}],
    )


def test_weights_that_change_nothing_are_not_flagged() -> None:
    report = panel([opinion("a", 5), opinion("b", 4)], weights=Weights(experts={"a": 2}))

    assert (report.weights_change_it, panel([opinion("a", 5)]).weights_change_it) == (False, False)


def test_votes_of_one_model_are_called_correlated() -> None:
    assert independence(3, "m-1").startswith("All experts ran on 'm-1': votes are correlated.")


def test_a_single_vote_is_called_no_panel() -> None:
    assert independence(1) == "Fewer than two votes are no panel."


def test_labels_of_the_same_items_are_compared_beyond_chance() -> None:
    same = {"one": {"i1": "bug", "i2": "idea"}, "two": {"i1": "bug", "i2": "idea"}}

    assert classification(same) == Measure(1.0)
