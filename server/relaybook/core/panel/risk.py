"""Risk by domain: a matrix of colours, the worst of them, and where two domains disagree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from relaybook.core.merge.likeness import same


class Colour(StrEnum):
    """How risky a domain is, from best to worst.

    Grey is a domain that did not answer: it may hide a red, so it is worse than yellow and
    never counts as green.
    """

    GREEN = "green"
    YELLOW = "yellow"
    GREY = "grey"
    RED = "red"


_ORDER = tuple(Colour)
_WORDS = {
    name: shown
    for shown in (Colour.GREEN, Colour.YELLOW, Colour.RED)
    for name in (shown.value, shown.value[0])
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainReport:
    """What one domain found; `facts` are what it asserts, by field."""

    domain: str
    colour: Colour
    why: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskMatrix:
    overall: Colour
    #: The worst colour that a domain really gave; None if none answered.
    worst_known: Colour | None
    domains: tuple[DomainReport, ...]
    #: Two domains or more assert different things about one field.
    conflicts: tuple[dict[str, Any], ...]

    @property
    def missing(self) -> list[str]:
        return [report.domain for report in self.domains if report.colour is Colour.GREY]

    def as_dict(self) -> dict[str, Any]:
        return {
            "overall": self.overall,
            "worst_known": self.worst_known,
            "domains": [
                {"domain": report.domain, "colour": report.colour, "why": report.why}
                for report in self.domains
            ],
            "missing": self.missing,
            "conflicts": list(self.conflicts),
        }


def colour(given: object) -> Colour | None:
    """The colour that "G", "Y", "R" or a word for it means; None for anything else."""
    return _WORDS.get(given[:10].strip().lower()) if isinstance(given, str) else None


def risk_matrix(reports: Sequence[DomainReport], missing: Mapping[str, str]) -> RiskMatrix:
    """The matrix of `reports` and of the domains `missing`, each with why it is.

    Overall is the worst colour; with no domain at all nothing is known, so it is grey.
    """
    absent = (
        DomainReport(domain=name, colour=Colour.GREY, why=why) for name, why in missing.items()
    )
    domains = (*reports, *absent)
    known = [report.colour for report in domains if report.colour is not Colour.GREY]
    return RiskMatrix(
        overall=worst([report.colour for report in domains]) or Colour.GREY,
        worst_known=worst(known),
        domains=domains,
        conflicts=tuple(_conflicts(reports)),
    )


def worst(colours: Sequence[Colour]) -> Colour | None:
    return max(colours, key=_ORDER.index, default=None)


def _conflicts(reports: Sequence[DomainReport]) -> list[dict[str, Any]]:
    said: dict[str, dict[str, tuple[Any, list[str]]]] = {}
    for report in reports:
        for name, value in report.facts.items():
            values = said.setdefault(name, {})
            values.setdefault(same(value), (value, []))[1].append(report.domain)
    return [
        {
            "field": name,
            "values": [{"value": value, "sources": who} for value, who in values.values()],
        }
        for name, values in said.items()
        if len(values) > 1
    ]
