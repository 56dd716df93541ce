"""What a panel decided: verdicts, sides, quorum and outcome. Knows no measure of agreement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from math import ceil
from statistics import fmean, median
from typing import Any

from relaybook.errors import InvalidArguments

#: The fewest votes that can decide anything, whatever the size of the panel.
LEAST_QUORUM = 2
#: The most that anything weighs.
HEAVIEST = 1000


class Verdict(IntEnum):
    """The one scale of every panel."""

    STRONG_REJECT = 1
    REJECT = 2
    NEUTRAL = 3
    APPROVE = 4
    STRONG_APPROVE = 5


#: The words of the scale, best first.
_SCALE = tuple((value.name.lower(), value) for value in reversed(Verdict))


class Side(StrEnum):
    APPROVE = "approve"
    NEUTRAL = "neutral"
    REJECT = "reject"


class PanelOutcome(StrEnum):
    """What the votes amount to; the first that holds."""

    #: An expert raised a blocking objection; one suffices.
    BLOCKED = "blocked"
    #: Fewer votes than the quorum, or all on one side and no more than half of the panel.
    INSUFFICIENT = "insufficient"
    #: The whole panel voted, all on one side.
    CONSENSUS = "consensus"
    #: More than half of the panel, the silent ones included, stands on one side.
    MAJORITY = "majority"
    #: Votes on several sides, none of which holds more than half of the panel.
    SPLIT = "split"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one expert answered."""

    expert: str
    verdict: Verdict
    reason: str = ""
    blockers: tuple[str, ...] = ()
    #: Score of each criterion, on the scale of verdicts.
    scores: Mapping[str, Verdict] = field(default_factory=dict[str, Verdict])
    #: How much each criterion decides, where the plan says so.
    weights: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each expert counts, 1 where nothing is said.

    Set by the orchestrator for relevance to the domain, never from the stated confidence of
    a worker: that is overconfident (arXiv 2306.13063).
    """

    experts: Mapping[str, float] = field(default_factory=dict[str, float])
    #: For one criterion, the experts whose weight differs there.
    criteria: Mapping[str, Mapping[str, float]] = field(
        default_factory=dict[str, Mapping[str, float]]
    )

    def __post_init__(self) -> None:
        tables = [self.experts, *self.criteria.values()]
        if any(not 0 < weight <= HEAVIEST for table in tables for weight in table.values()):
            raise InvalidArguments(
                "A weight is outside its range.",
                allowed=f"numbers above 0, up to {HEAVIEST}",
                next="leave an expert out of the panel rather than weigh it 0",
            )

    def __bool__(self) -> bool:
        return bool(self.experts or self.criteria)

    def of(self, expert: str, criterion: str | None = None) -> float:
        usual = self.experts.get(expert, 1.0)
        return usual if criterion is None else self.criteria.get(criterion, {}).get(expert, usual)


@dataclass(frozen=True, slots=True)
class Decided:
    """An outcome, the side that carries it (None if no side does) and the mean score."""

    outcome: PanelOutcome
    side: Side | None
    mean: float | None

    def as_dict(self) -> dict[str, Any]:
        mean = None if self.mean is None else round(self.mean, 4)
        return {"outcome": self.outcome, "side": self.side, "mean": mean}


def verdict(given: object) -> Verdict:
    """The verdict that a word ("strong approve") or a number from 1 to 5 means.

    Raises:
        InvalidArguments: it is neither.
    """
    if isinstance(given, str):
        name = given[:40].strip().upper().replace(" ", "_").replace("-", "_")
        if name in Verdict.__members__:
            return Verdict[name]
    elif isinstance(given, int | float) and not isinstance(given, bool) and given in set(Verdict):
        return Verdict(int(given))
    raise InvalidArguments(
        f"{str(given)[:40]!r} is no verdict.",
        allowed=", ".join(f"{name} ({value})" for name, value in _SCALE),
        next="send the verdict as one of these words",
    )


def word(score: Verdict) -> str:
    return score.name.lower()


def side_of(score: Verdict) -> Side:
    if score >= Verdict.APPROVE:
        return Side.APPROVE
    return Side.REJECT if score <= Verdict.REJECT else Side.NEUTRAL


def default_quorum(panel: int) -> int:
    """Two thirds of the panel, at least two."""
    return max(LEAST_QUORUM, ceil(2 * panel / 3))


def verdict_counts(opinions: Sequence[Opinion]) -> dict[str, int]:
    """How many gave each verdict, best first, those that nobody gave included."""
    return {name: sum(opinion.verdict == value for opinion in opinions) for name, value in _SCALE}


def median_verdict(opinions: Sequence[Opinion]) -> float | None:
    return median(opinion.verdict for opinion in opinions) if opinions else None


def decide(
    opinions: Sequence[Opinion], missing: Sequence[str], quorum: int, weights: Weights
) -> Decided:
    """What `opinions` amount to on a panel whose experts `missing` have not answered.

    A missing vote counts on neither side and stays in the total, so it never makes an
    outcome firmer. The quorum counts heads, whatever their weights.
    """
    carried = _carried(opinions, missing, weights)
    mean = _mean(opinions, weights)
    if any(opinion.blockers for opinion in opinions):
        return Decided(PanelOutcome.BLOCKED, carried, mean)
    if len(opinions) < quorum:
        return Decided(PanelOutcome.INSUFFICIENT, None, mean)
    sides = {side_of(opinion.verdict) for opinion in opinions}
    if len(sides) == 1 and not missing:
        return Decided(PanelOutcome.CONSENSUS, sides.pop(), mean)
    if carried:
        return Decided(PanelOutcome.MAJORITY, carried, mean)
    return Decided(PanelOutcome.INSUFFICIENT if len(sides) == 1 else PanelOutcome.SPLIT, None, mean)


def _carried(opinions: Sequence[Opinion], missing: Sequence[str], weights: Weights) -> Side | None:
    """The side that holds more than half of the weight of the panel."""
    cast = [(side_of(opinion.verdict), weights.of(opinion.expert)) for opinion in opinions]
    total = sum(weight for _, weight in cast) + sum(weights.of(name) for name in missing)
    for side in Side:
        if 2 * sum(weight for stood, weight in cast if stood is side) > total:
            return side
    return None


def _mean(opinions: Sequence[Opinion], weights: Weights) -> float | None:
    if not opinions:
        return None
    return fmean(
        [opinion.verdict for opinion in opinions],
        [weights.of(opinion.expert) for opinion in opinions],
    )


def dissent(opinions: Sequence[Opinion], side: Side | None) -> list[dict[str, Any]]:
    """Who does not stand on `side`, or objects, each with the reason.

    If no side carries, all whose votes differ; votes on one side are no dissent, however few.
    """
    sides = {side_of(opinion.verdict) for opinion in opinions}
    if side is None and len(sides) == 1:
        (side,) = sides
    return [
        {
            "expert": opinion.expert,
            "verdict": word(opinion.verdict),
            "reason": opinion.reason or "no reason given",
        }
        | ({"blockers": list(opinion.blockers)} if opinion.blockers else {})
        for opinion in opinions
        if opinion.blockers or side is None or side_of(opinion.verdict) is not side
    ]
