"""How far raters agree. Knows numbers and labels; no verdict, no expert, no task."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, log2
from statistics import fmean
from typing import Literal

Metric = Literal["nominal", "ordinal", "interval", "ratio"]

#: Lower bounds of the words for pairwise agreement; a convention of relaybook.
AGREEMENT_BANDS = ((0.75, "strong"), (0.5, "moderate"), (0.0, "weak"))
#: Lower bounds of the words for alpha (Krippendorff 2004, Content Analysis, p. 241).
ALPHA_BANDS = ((0.8, "reliable"), (0.667, "tentative"), (-1.0, "unreliable"))

#: From the lowest verdict or score, 1, to the highest, 5.
SCALE = 4


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure from 1 (full agreement) down, or the reason why there is none."""

    value: float | None
    band: str | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, float | str | None]:
        if self.value is None:
            return {"value": None, "reason": self.reason}
        shown: dict[str, float | str | None] = {"value": round(self.value, 4)}
        return shown | ({"band": self.band} if self.band else {})


def band(value: float, bands: tuple[tuple[float, str], ...]) -> str:
    return next((word for bound, word in bands if value >= bound), bands[-1][1])


def pairwise_agreement(scores: Sequence[float]) -> Measure:
    """The mean over all pairs of 1 - |a - b| / 4, the length of the scale."""
    if len(scores) < 2:
        return Measure(None, reason="fewer than two scores")
    value = fmean(1 - abs(a - b) / SCALE for a, b in combinations(scores, 2))
    return Measure(value, band(value, AGREEMENT_BANDS))


def tastle_wierman(scores: Sequence[float]) -> Measure:
    """1 + sum of p(x) log2(1 - |x - mean| / 4): 1 if all agree, 0 if half stand at each end.

    Tastle and Wierman 2007, Consensus and dissention: a measure of ordinal dispersion.
    """
    if len(scores) < 2:
        return Measure(None, reason="fewer than two scores")
    mean = fmean(scores)
    value = 1 + fmean(log2(1 - abs(score - mean) / SCALE) for score in scores)
    return Measure(value)


def krippendorff_alpha(units: Sequence[Sequence[float]], metric: Metric) -> float | None:
    """Alpha over `units`, each the scores that one thing was given; absent scores are left out.

    From the matrix of coincidences, as in Krippendorff 2011, Computing Krippendorff's
    alpha-reliability. None where no two different scores can be compared.
    """
    pairs = _coincidences(units)
    margins: dict[float, float] = {}
    for (score, _), weight in pairs.items():
        margins[score] = margins.get(score, 0) + weight
    distance = {(a, b): _distance(a, b, margins, metric) for a in margins for b in margins}
    observed = sum(weight * distance[pair] for pair, weight in pairs.items())
    expected = sum(margins[a] * margins[b] * distance[a, b] for a, b in distance)
    if expected == 0:
        return None
    return 1 - (sum(margins.values()) - 1) * observed / expected


def _coincidences(units: Sequence[Sequence[float]]) -> dict[tuple[float, float], float]:
    pairs: dict[tuple[float, float], float] = {}
    for unit in units:
        counts = Counter(unit)
        for a in counts:
            for b in counts:
                ordered = counts[a] * (counts[b] - (a == b))
                if ordered:
                    pairs[a, b] = pairs.get((a, b), 0) + ordered / (len(unit) - 1)
    return pairs


def _distance(a: float, b: float, margins: Mapping[float, float], metric: Metric) -> float:
    """The squared difference of two scores on a scale of that kind."""
    if a == b:
        return 0
    match metric:
        case "nominal":
            return 1
        case "interval":
            return (a - b) ** 2
        case "ratio":
            return ((a - b) / (a + b)) ** 2
        case "ordinal":
            between = sum(n for score, n in margins.items() if min(a, b) <= score <= max(a, b))
            return (between - (margins[a] + margins[b]) / 2) ** 2


def criteria_alpha(units: Sequence[Sequence[float]]) -> Measure:
    """Ordinal alpha over the criteria of a panel, each the scores that the experts gave it.

    Only over two criteria or more: over one it says nothing but that scores differ.
    """
    comparable = [unit for unit in units if len(unit) > 1]
    if len(comparable) < 2:
        return Measure(None, reason="needs two criteria that two experts scored")
    value = krippendorff_alpha(comparable, "ordinal")
    if value is None:
        return Measure(None, reason="every score is the same, so there is no chance to correct for")
    return Measure(value, band(value, ALPHA_BANDS))


@dataclass(frozen=True, slots=True)
class Kappa:
    """Fleiss' kappa and its two parts: the agreement observed and the one expected by chance."""

    value: float
    observed: float
    expected: float


def fleiss_kappa(rows: Sequence[Sequence[int]]) -> Kappa | None:
    """Kappa over `rows`: how many raters put one subject into each category.

    Fleiss 1971, Measuring nominal scale agreement among many raters. None unless every
    subject has the same number of raters, two or more, and two categories are used.
    """
    sizes = {sum(row) for row in rows}
    if len(sizes) != 1 or (raters := sizes.pop()) < 2:
        return None
    observed = fmean((sum(n * n for n in row) - raters) / (raters * (raters - 1)) for row in rows)
    shares = [sum(column) / (raters * len(rows)) for column in zip(*rows, strict=True)]
    expected = sum(share * share for share in shares)
    if max(shares) == 1:
        return None
    return Kappa((observed - expected) / (1 - expected), observed, expected)


def label_agreement(labels: Mapping[str, Sequence[str]]) -> Measure:
    """Fleiss' kappa over items, each with the labels that it was given."""
    names = sorted({label for given in labels.values() for label in given})
    rows = [[Counter(given)[name] for name in names] for given in labels.values()]
    kappa = fleiss_kappa(rows)
    if kappa is None:
        why = "needs the same number of labels, two or more, on each item, and two different labels"
        return Measure(None, reason=why)
    return Measure(kappa.value)


def majority_accuracy(each: float, voters: int) -> float:
    """How often a majority of an odd number of independent voters is right, each right so often.

    Condorcet 1785, the jury theorem. Real votes are correlated: an upper bound.
    """
    need = voters // 2 + 1
    return sum(
        comb(voters, n) * each**n * (1 - each) ** (voters - n) for n in range(need, voters + 1)
    )
