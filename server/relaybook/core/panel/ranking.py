"""Which option comes first when voters rank options, or answer the same question many times."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

TIE_RULE = "Equal points: more first places (weighted), then the name in alphabetical order."


@dataclass(frozen=True, slots=True)
class Ballot:
    """One voter's options, best first; options that it leaves out share what is left."""

    voter: str
    order: tuple[str, ...]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    option: str
    points: float
    first_places: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The options, best first, and the one that wins every duel, if there is one."""

    standings: tuple[Standing, ...]
    condorcet_winner: str | None
    ballots: int

    @property
    def agree(self) -> bool:
        """Whether both counts name the same winner."""
        return bool(self.standings) and self.standings[0].option == self.condorcet_winner

    def as_dict(self) -> dict[str, Any]:
        return {
            "borda": [
                {"option": standing.option, "points": round(standing.points, 4)}
                for standing in self.standings
            ],
            "condorcet_winner": self.condorcet_winner,
            "agree": self.agree,
            "ballots": self.ballots,
            "tie_rule": TIE_RULE,
        }


def rank(ballots: Sequence[Ballot], options: Iterable[str] = ()) -> Ranking:
    """Borda's points (1781), weighted, and Condorcet's winner (1785).

    The options are those of the ballots, and `options` besides, which nobody need have ranked.

    Of m options the first of a ballot gets m - 1 points, the last 0; options that the
    ballot leaves out get the mean of the points that are left. A name given twice counts
    where it first stands.
    """
    clean = [Ballot(b.voter, tuple(dict.fromkeys(b.order)), b.weight) for b in ballots]
    options = sorted({*options, *(option for ballot in clean for option in ballot.order)})
    points = dict.fromkeys(options, 0.0)
    firsts = dict.fromkeys(options, 0.0)
    for ballot in clean:
        for option, worth in _points(ballot, options).items():
            points[option] += ballot.weight * worth
        if ballot.order:
            firsts[ballot.order[0]] += ballot.weight
    ordered = sorted(options, key=lambda name: (-points[name], -firsts[name], name))
    standings = tuple(Standing(name, points[name], firsts[name]) for name in ordered)
    return Ranking(standings, _condorcet_winner(clean, options), len(clean))


def _points(ballot: Ballot, options: Sequence[str]) -> dict[str, float]:
    ranked = {option: len(options) - 1 - place for place, option in enumerate(ballot.order)}
    rest = (len(options) - 1 - len(ranked)) / 2
    return {option: ranked.get(option, rest) for option in options}


def _condorcet_winner(ballots: Sequence[Ballot], options: Sequence[str]) -> str | None:
    """The option that more weight puts above than below, against each other one.

    Duels along the list leave one candidate; the second pass proves it.
    """
    places = [
        ({option: place for place, option in enumerate(ballot.order)}, ballot.weight)
        for ballot in ballots
    ]

    def beats(one: str, other: str) -> bool:
        lead = 0.0
        for place, weight in places:
            last = len(place)
            difference = place.get(other, last) - place.get(one, last)
            lead += weight * ((difference > 0) - (difference < 0))
        return lead > 0

    candidate = None
    for option in options:
        if candidate is None or not beats(candidate, option):
            candidate = option
    if candidate is None:
        return None
    duels = (beats(candidate, other) for other in options if other != candidate)
    return candidate if all(duels) else None


def self_consistency(answers: Sequence[str]) -> dict[str, Any]:
    """The answer that the same question got most often, and its share; ties are named."""
    counts = Counter(answers)
    most = max(counts.values(), default=0)
    modes = sorted(answer for answer, count in counts.items() if count == most)
    return {
        "mode": modes[0] if len(modes) == 1 else None,
        "share": round(most / len(answers), 4) if answers else None,
        "tied": modes if len(modes) > 1 else [],
        "answers": len(answers),
    }
