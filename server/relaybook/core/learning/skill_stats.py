"""The figures kept of one skill, and its breaker.

They are one value of bounded size that each outcome turns into the next, so keeping them costs
the same after ten outcomes as after a million.

The breaker of a skill opens when five attempts fail within 300 s. After a cooldown of 600 s it is
half open and lets one attempt in: if that passes it closes, if it fails it opens again. What
ends while it is open was started before and moves nothing.
"""

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from relaybook.model import FailureCode, Outcome

#: How many outcomes and durations are kept.
WINDOW = 20
#: So many failures within so many seconds open the breaker, for so many seconds.
BREAKER_FAILURES, BREAKER_WITHIN, BREAKER_COOLDOWN = 5, 300.0, 600.0

_T = TypeVar("_T")
FAILED = frozenset({Outcome.FAILED, Outcome.EXPIRED})


class Breaker(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class SkillStats:
    """What is kept of a skill's outcomes."""

    passed: int = 0
    failed: int = 0
    #: The last outcomes, oldest first: "" for a pass, else the failure code.
    recent: tuple[str, ...] = ()
    #: Of the last passes, oldest first.
    minutes: tuple[float, ...] = ()
    #: When the last failures came, oldest first, in epoch seconds.
    failed_at: tuple[float, ...] = ()
    #: When the breaker opened last, if it has not closed since.
    opened_at: float | None = None


def observe(
    stats: SkillStats,
    outcome: Outcome,
    at: float,
    minutes: float | None = None,
    code: FailureCode = FailureCode.UNKNOWN,
) -> SkillStats:
    """`stats` after one more attempt; one given back, asking or cancelled does not count."""
    if outcome is Outcome.COMPLETED:
        return _passed(stats, at, minutes)
    return _failed(stats, at, code) if outcome in FAILED else stats


def take_back_pass(stats: SkillStats, minutes: float | None) -> SkillStats:
    """`stats` without their last pass of so many minutes: it was overturned before it stood.

    A pass that is no longer kept among the last outcomes is one in the count alone.
    """
    return replace(
        stats,
        passed=max(stats.passed - 1, 0),
        recent=_without_last(stats.recent, ""),
        minutes=_without_last(stats.minutes, minutes),
    )


def _without_last(values: tuple[_T, ...], value: object) -> tuple[_T, ...]:
    """`values` without the last that equals `value`, if there is one."""
    for place in range(len(values) - 1, -1, -1):
        if values[place] == value:
            return (*values[:place], *values[place + 1 :])
    return values


def breaker(stats: SkillStats, now: float) -> Breaker:
    if stats.opened_at is None:
        return Breaker.CLOSED
    cooled = now >= stats.opened_at + BREAKER_COOLDOWN
    return Breaker.HALF_OPEN if cooled else Breaker.OPEN


def admits(stats: SkillStats, now: float, in_progress: int) -> bool:
    """Whether the skill may start one more attempt beside those `in_progress`."""
    state = breaker(stats, now)
    return state is Breaker.CLOSED or (state is Breaker.HALF_OPEN and in_progress == 0)


def to_json(stats: SkillStats) -> str:
    return json.dumps(asdict(stats), separators=(",", ":"))


def from_json(text: str) -> SkillStats:
    """The value that `to_json` wrote."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in json.loads(text).items()
    }
    return SkillStats(**values)


def _passed(stats: SkillStats, at: float, minutes: float | None) -> SkillStats:
    after = replace(stats, passed=stats.passed + 1, recent=(*stats.recent, "")[-WINDOW:])
    if minutes is not None:
        after = replace(after, minutes=(*stats.minutes, minutes)[-WINDOW:])
    if breaker(stats, at) is Breaker.HALF_OPEN:
        after = replace(after, failed_at=(), opened_at=None)
    return after


def _failed(stats: SkillStats, at: float, code: FailureCode) -> SkillStats:
    failed_at = (*stats.failed_at, at)[-BREAKER_FAILURES:]
    return replace(
        stats,
        failed=stats.failed + 1,
        recent=(*stats.recent, code.value)[-WINDOW:],
        failed_at=failed_at,
        opened_at=_opened_at(stats, failed_at, at),
    )


def _opened_at(stats: SkillStats, failed_at: tuple[float, ...], at: float) -> float | None:
    match breaker(stats, at):
        case Breaker.OPEN:
            return stats.opened_at
        case Breaker.HALF_OPEN:
            return at
        case Breaker.CLOSED:
            burst = len(failed_at) == BREAKER_FAILURES and at - failed_at[0] <= BREAKER_WITHIN
            return at if burst else None
