"""How much a finding weighs, whatever it is about: a plan, a prompt or a contract."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol, TypeVar


class Severity(StrEnum):
    """An error stands in the way until it is mended or overridden; the others advise."""

    ERROR = "error"
    WARN = "warn"
    INFO = "info"


class Weighed(Protocol):
    @property
    def severity(self) -> Severity: ...


F = TypeVar("F", bound=Weighed)

_ORDER = tuple(Severity)


def worst_first(findings: Iterable[F]) -> list[F]:
    """The findings by how much they weigh, those of one severity as they came."""
    return sorted(findings, key=lambda finding: _ORDER.index(finding.severity))
