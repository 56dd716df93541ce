"""What a skill's figures say: its state, whether it drifts, and the repair it needs.

All is judged over the window of the last outcomes, so a repaired skill becomes healthy again.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from relaybook.core.learning.skill_stats import (
    BREAKER_COOLDOWN,
    WINDOW,
    Breaker,
    SkillStats,
    breaker,
)
from relaybook.model import FailureCode

#: With fewer outcomes than this a skill is not judged by its pass rate.
LEAST_OUTCOMES = 3
#: Pass rates below which a skill is degraded, and failing.
DEGRADED_BELOW, FAILING_BELOW = 0.8, 0.5
#: A skill drifts when its window is full, at least so many outcomes lie before the window, and
#: its pass rate fell by so much. At a true rate of 0.8 that of 20 outcomes strays by about 0.09.
DRIFT_LEAST_BEFORE, DRIFT_FALL = 10, 0.2
#: Failures in the window from which a ticket is HIGH, and MEDIUM.
HIGH_FAILURES, MEDIUM_FAILURES = 10, 5


class State(StrEnum):
    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILING = "failing"


class Priority(StrEnum):
    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The repair that a skill needs."""

    priority: Priority
    cause: str
    evidence: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    state: State
    #: Since the beginning.
    passed: int
    failed: int
    #: Over the window; None without an outcome.
    pass_rate: float | None
    #: How far the pass rate of the window lies below that of the time before, where that is drift.
    drift: float | None
    #: Over the passes that are kept; None without one.
    median_minutes: float | None
    p90_minutes: float | None
    #: Failure code -> how often in the window, the most frequent first.
    codes: dict[str, int]
    breaker: Breaker
    #: From when on a breaker that is not closed lets one attempt in.
    retry_at: float | None
    ticket: Ticket | None


def health(stats: SkillStats, now: float) -> Health:
    """What `stats` say at `now`."""
    figures = _figures(stats, breaker(stats, now))
    return Health(
        state=_state(figures),
        passed=stats.passed,
        failed=stats.failed,
        pass_rate=figures.pass_rate,
        drift=figures.drift,
        median_minutes=_percentile(stats.minutes, 0.5),
        p90_minutes=_percentile(stats.minutes, 0.9),
        codes=dict(figures.codes.most_common()),
        breaker=figures.breaker,
        retry_at=None if stats.opened_at is None else stats.opened_at + BREAKER_COOLDOWN,
        ticket=_ticket(figures),
    )


@dataclass(frozen=True, slots=True)
class _Figures:
    """Of the window."""

    outcomes: int
    failures: int
    pass_rate: float | None
    drift: float | None
    codes: Counter[str]
    breaker: Breaker

    @property
    def judged_rate(self) -> float:
        """The pass rate, or 1 while there are too few outcomes to hold it against the skill."""
        return 1.0 if self.pass_rate is None or self.outcomes < LEAST_OUTCOMES else self.pass_rate


def _figures(stats: SkillStats, state: Breaker) -> _Figures:
    codes = Counter(code for code in stats.recent if code)
    outcomes, failures = len(stats.recent), codes.total()
    rate = (outcomes - failures) / outcomes if outcomes else None
    return _Figures(outcomes, failures, rate, _drift(stats, failures), codes, state)


def _drift(stats: SkillStats, failures: int) -> float | None:
    before = stats.passed + stats.failed - WINDOW
    if before < DRIFT_LEAST_BEFORE:
        return None
    rate_before = 1 - (stats.failed - failures) / before
    fall = round(rate_before - (1 - failures / WINDOW), 3)
    return fall if fall >= DRIFT_FALL else None


def _state(figures: _Figures) -> State:
    if figures.outcomes < LEAST_OUTCOMES:
        return State.UNKNOWN
    if figures.judged_rate < FAILING_BELOW:
        return State.FAILING
    return State.DEGRADED if figures.judged_rate < DEGRADED_BELOW else State.HEALTHY


def _percentile(values: tuple[float, ...], share: float) -> float | None:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else None


#: The first that applies decides the priority and the cause.
TICKETS: tuple[tuple[Priority, Callable[[_Figures], bool], str], ...] = (
    (
        Priority.CRITICAL,
        lambda f: f.breaker is not Breaker.CLOSED,
        "its breaker opened after a burst of failures",
    ),
    (Priority.HIGH, lambda f: f.judged_rate < 0.5, "more than half of its attempts fail"),
    (Priority.HIGH, lambda f: f.failures >= HIGH_FAILURES, "it fails very often"),
    (Priority.MEDIUM, lambda f: f.failures >= MEDIUM_FAILURES, "it fails often"),
    (Priority.LOW, lambda f: f.drift is not None, "it does worse than before"),
    (Priority.LOW, lambda f: f.judged_rate < DEGRADED_BELOW, "it passes too seldom"),
)

_LATE = "give it smaller tasks or a longer time-out, and run fewer at once"
_SHAPE = "show the wanted output by an example in its template, and shorten the schema"
_STRAY = "say the task in one sentence with what not to touch, and split it if it is long"
_PROOF = "let its gate require tests and evidence for each success criterion"
_BOUNDS = "state its role and tier cap first, and have it propose such actions instead"

#: What to try first, by the most frequent failure code.
FIXES = {
    FailureCode.TIMEOUT: _LATE,
    FailureCode.RATE_LIMIT: _LATE,
    FailureCode.LOST_SESSION: _LATE,
    FailureCode.CONVERSATION_RESET: _LATE,
    FailureCode.MALFORMED_OUTPUT: _SHAPE,
    FailureCode.SCHEMA_VIOLATION: _SHAPE,
    FailureCode.INFORMATION_WITHHELD: _SHAPE,
    FailureCode.TASK_SPEC_DISOBEYED: _STRAY,
    FailureCode.STEP_REPETITION: _STRAY,
    FailureCode.DERAILED: _STRAY,
    FailureCode.TERMINATION_UNAWARE: _STRAY,
    FailureCode.PREMATURE_TERMINATION: _PROOF,
    FailureCode.VERIFICATION_MISSING: _PROOF,
    FailureCode.VERIFICATION_INCORRECT: _PROOF,
    FailureCode.REASONING_ACTION_MISMATCH: _PROOF,
    FailureCode.ROLE_DISOBEYED: _BOUNDS,
    FailureCode.TIER_VIOLATION: _BOUNDS,
    FailureCode.HISTORY_LOST: "pass the fields of the stage before that it needs",
    FailureCode.INPUT_IGNORED: "list by id what it must cover",
    FailureCode.CLARIFICATION_NOT_ASKED: "tell it that it may end with questions",
    FailureCode.CRASH: "run a task that crashed again by hand and mend the crash",
    FailureCode.UPSTREAM_FAILED: "repair the skill before it first",
    FailureCode.UNKNOWN: "record an error code with each failure, so that the cause shows",
}


def _ticket(figures: _Figures) -> Ticket | None:
    for priority, applies, cause in TICKETS:
        if applies(figures):
            return Ticket(priority, cause, _evidence(figures), _fix(figures.codes))
    return None


def _evidence(figures: _Figures) -> str:
    codes = ", ".join(f"{code} {count}" for code, count in figures.codes.most_common(3))
    return f"{figures.failures} of the last {figures.outcomes} attempts failed" + (
        f" ({codes})" if codes else ""
    )


def _fix(codes: Counter[str]) -> str:
    most = codes.most_common(1)
    return FIXES[FailureCode(most[0][0]) if most else FailureCode.UNKNOWN]
