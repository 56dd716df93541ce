"""One report of a panel: outcome, agreement, weights, dissent, and their caveats.

One round, blind, no debate: most of the gain ascribed to debate comes from the vote alone
(arXiv 2508.17536).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from relaybook.core.panel.agreement import (
    Measure,
    criteria_alpha,
    label_agreement,
    majority_accuracy,
    pairwise_agreement,
    tastle_wierman,
)
from relaybook.core.panel.votes import (
    LEAST_QUORUM,
    Decided,
    Opinion,
    Verdict,
    Weights,
    decide,
    default_quorum,
    dissent,
    median_verdict,
    verdict_counts,
    word,
)

#: Who says what counts as strong.
CONVENTION = "the bands of agreement are relaybook's own"


@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaMean:
    """The mean of all scores, and beside it the one with each criterion's weight."""

    mean: float | None = None
    #: None if the plan weighs no criterion.
    weighted: float | None = None

    @property
    def weights_turn_it(self) -> bool:
        """Whether the two stand on different sides of neutral."""
        if self.mean is None or self.weighted is None:
            return False
        return (self.mean - Verdict.NEUTRAL) * (self.weighted - Verdict.NEUTRAL) < 0

    def as_dict(self) -> dict[str, float | None]:
        given = {"mean": self.mean, "weighted": self.weighted}
        return {name: value and round(value, 4) for name, value in given.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelReport:
    """What the experts said together. `missing` are those who gave no vote."""

    opinions: tuple[Opinion, ...]
    missing: tuple[str, ...]
    quorum: int
    decided: Decided
    #: The same with weights; None if the orchestrator set none.
    weighted: Decided | None
    weights: Weights
    pairwise: Measure
    tastle_wierman: Measure
    alpha: Measure
    independence: str

    @property
    def weights_change_it(self) -> bool:
        plain, weighted = self.decided, self.weighted
        return weighted is not None and (
            (plain.outcome, plain.side) != (weighted.outcome, weighted.side)
        )

    @property
    def criteria_mean(self) -> CriteriaMean:
        return _criteria_mean(self.opinions)

    @property
    def dissent(self) -> list[dict[str, Any]]:
        return dissent(self.opinions, self.decided.side)

    def as_dict(self) -> dict[str, Any]:
        shown = self.decided.as_dict() | {
            "median": median_verdict(self.opinions),
            "counts": verdict_counts(self.opinions),
            "votes": {opinion.expert: word(opinion.verdict) for opinion in self.opinions},
            "missing": list(self.missing),
            "quorum": {"needed": self.quorum, "cast": len(self.opinions)},
            "dissent": self.dissent,
            "agreement": self.pairwise.as_dict(),
            "tastle_wierman": self.tastle_wierman.as_dict(),
            "alpha": self.alpha.as_dict(),
            "criteria": _criteria(self.opinions, self.weights),
            "independence": self.independence,
            "convention": CONVENTION,
        }
        if self.weighted:
            shown["weighted"] = self.weighted.as_dict() | {"differs": self.weights_change_it}
        if self.criteria_mean.weighted is not None:
            shown["criteria_mean"] = self.criteria_mean.as_dict()
        return shown


def panel(
    opinions: Sequence[Opinion],
    missing: Sequence[str] = (),
    *,
    weights: Weights | None = None,
    quorum: int | None = None,
    model: str = "",
) -> PanelReport:
    """The report of a panel; `model` is what all experts ran on, if that is known."""
    given = weights or Weights()
    needed = max(LEAST_QUORUM, quorum or default_quorum(len(opinions) + len(missing)))
    scores = [opinion.verdict for opinion in opinions]
    return PanelReport(
        opinions=tuple(opinions),
        missing=tuple(missing),
        quorum=needed,
        decided=decide(opinions, missing, needed, Weights()),
        weighted=decide(opinions, missing, needed, given) if given else None,
        weights=given,
        pairwise=pairwise_agreement(scores),
        tastle_wierman=tastle_wierman(scores),
        alpha=criteria_alpha(list(_scores_by_criterion(opinions).values())),
        independence=independence(len(opinions), model),
    )


def independence(voters: int, model: str = "") -> str:
    """How far votes can be counted as separate; `model` gave them all, if it is known.

    Different models share 60 % of their errors (PMLR 267, kim25e), one model more.
    """
    if voters < 2:
        return "Fewer than two votes are no panel."
    note = "metadata.model does not say which model voted: take the votes as correlated."
    if model:
        note = f"All experts ran on {model!r}: votes are correlated."
    return note + _bound(voters - (1 - voters % 2))


def _bound(voters: int) -> str:
    if voters < 3:
        return ""
    right = round(100 * majority_accuracy(0.7, min(voters, 101)))
    return f" {voters} independent voters, each right 70 %, would be right {right} %."


def classification(labels: Mapping[str, Mapping[str, str]]) -> Measure:
    """Fleiss' kappa over the labels that sources gave to items: source, then item, then label."""
    items: dict[str, list[str]] = {}
    for given in labels.values():
        for item, label in given.items():
            items.setdefault(item, []).append(label)
    return label_agreement(items)


def _scores_by_criterion(opinions: Sequence[Opinion]) -> dict[str, list[float]]:
    scores: dict[str, list[float]] = {}
    for opinion in opinions:
        for name, score in opinion.scores.items():
            scores.setdefault(name, []).append(score)
    return scores


def _criteria(opinions: Sequence[Opinion], weights: Weights) -> list[dict[str, Any]]:
    """The mean score of each criterion and of how many experts, beside it the weighted one."""
    rows: list[dict[str, Any]] = []
    for name, scores in _scores_by_criterion(opinions).items():
        row: dict[str, Any] = {
            "criterion": name,
            "mean": round(fmean(scores), 4),
            "experts": len(scores),
        }
        if weights:
            who = [opinion.expert for opinion in opinions if name in opinion.scores]
            row["weighted"] = round(fmean(scores, [weights.of(one, name) for one in who]), 4)
        rows.append(row)
    return rows


def _criteria_mean(opinions: Sequence[Opinion]) -> CriteriaMean:
    """Over every score of every expert; a criterion that is not weighed beside others counts 1."""
    scored = [(one, name, score) for one in opinions for name, score in one.scores.items()]
    if not scored:
        return CriteriaMean()
    scores = [score for _, _, score in scored]
    weights = [one.weights.get(name, 1.0) for one, name, _ in scored]
    weighted = fmean(scores, weights) if any(one.weights for one, _, _ in scored) else None
    return CriteriaMean(mean=fmean(scores), weighted=weighted)
