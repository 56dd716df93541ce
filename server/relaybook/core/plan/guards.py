"""What is wrong with the width and the run time of a plan: pattern, why it hurts, fix.

A finding is advice; only the severity `error` stands in the way of a plan.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from relaybook.core.names import few
from relaybook.core.plan.partition import waves
from relaybook.core.policy import DEFAULT_WIDTH, SWEET_SPOT_WIDTH, WORKER_MINUTES
from relaybook.core.severity import Severity
from relaybook.model import Pattern

#: Patterns whose tasks wait for none of each other.
PARALLEL = frozenset({Pattern.FAN_OUT, Pattern.EXPERT_PANEL, Pattern.MAP_REDUCE})
#: Minutes from which one task is a monolith, whatever it does.
MONOLITH_MINUTES = 30.0
#: How many tasks a finding names.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that makes a plan likely to fail."""

    severity: Severity
    rule: str
    #: The pattern that was found, and where.
    what: str
    #: Why it hurts.
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class _Band:
    """A range of expected minutes that a task should not be in."""

    rule: str
    severity: Severity
    holds: Callable[[float], bool]
    text: str
    why: str
    fix: str


_LONG_WHY = "a long task is slower and less reliable than several focused ones"
_LONG_FIX = "decompose further, into tasks of 5 to 15 minutes"
_BANDS = (
    _Band(
        "too_short",
        Severity.WARN,
        lambda minutes: minutes < WORKER_MINUTES[0],
        "under 5 minutes",
        "starting and checking a worker takes longer than the work",
        "do it inline, or join it with another task",
    ),
    _Band(
        "too_long",
        Severity.WARN,
        lambda minutes: WORKER_MINUTES[1] < minutes < MONOLITH_MINUTES,
        "over 15 minutes",
        _LONG_WHY,
        _LONG_FIX,
    ),
    _Band(
        "too_long",
        Severity.ERROR,
        lambda minutes: minutes >= MONOLITH_MINUTES,
        "30 minutes or more",
        _LONG_WHY,
        _LONG_FIX,
    ),
)

_TOO_WIDE = "more than 6 at once brings resource contention and monitoring overhead"


def check_minutes(minutes: Iterable[tuple[str, float]]) -> list[Finding]:
    """Of tasks, each with its expected minutes: outside 5 to 15, and from 30 up an error."""
    minutes = list(minutes)
    found: list[Finding] = []
    for band in _BANDS:
        tasks = [task for task, expected in minutes if band.holds(expected)]
        if tasks:
            what = f"expected to take {band.text}: {named(tasks)}"
            found.append(Finding(band.severity, band.rule, what, band.why, band.fix))
    return found


def check_width(pattern: Pattern, tasks: int, width: int, limit: int) -> list[Finding]:
    """Of a plan of `tasks`, `width` of which wait for nothing together, `limit` run at once."""
    found: list[Finding] = []
    if tasks == 1:
        found.append(_monolith(pattern))
    if width == 2 and pattern in PARALLEL:
        found.append(_below_sweet_spot())
    if width > DEFAULT_WIDTH:
        found.append(_waves(width, limit))
    if limit > DEFAULT_WIDTH:
        found.append(_too_wide(limit))
    return found


def check_batches(parts: int, wanted: int | None) -> list[Finding]:
    """Of items in `parts` partitions, where `wanted` were asked for."""
    if wanted is None or parts == wanted:
        return []
    return [
        Finding(
            Severity.INFO,
            "batches",
            f"{wanted} batches were asked for, and there are {parts}",
            "items are what is divided: each batch has at least one, and a group stays in one",
            "leave it so, or send more items, or smaller groups",
        )
    ]


def named(tasks: Sequence[str]) -> str:
    """Tasks to read, such as `'a', 'b' and 7 more`; never long."""
    return few([repr(task[:40]) for task in tasks[:NAMED]], len(tasks))


def _monolith(pattern: Pattern) -> Finding:
    return Finding(
        # The plan of a supervisor grows while it runs.
        Severity.INFO if pattern is Pattern.SUPERVISOR else Severity.WARN,
        "monolith",
        "the whole workflow is one task",
        "one worker gains nothing from parallel work and is a single point of failure",
        "do it inline, or split it into tasks with one clear deliverable each",
    )


def _below_sweet_spot() -> Finding:
    low, high = SWEET_SPOT_WIDTH
    return Finding(
        Severity.INFO,
        "below_sweet_spot",
        f"2 workers are below the sweet spot of {low} to {high}",
        "the gain over one session is small",
        "keep it if the two are truly separate; otherwise split further or do it inline",
    )


def _waves(width: int, limit: int) -> Finding:
    return Finding(
        Severity.WARN,
        "waves",
        f"{width} tasks could run at once, {limit} may: {len(waves(width, limit))} waves",
        _TOO_WIDE,
        "keep the waves, or put several items into one task of 5 to 15 minutes",
    )


def _too_wide(limit: int) -> Finding:
    return Finding(
        Severity.WARN,
        "too_wide",
        f"max_parallel is {limit}",
        _TOO_WIDE,
        f"set max_parallel to {DEFAULT_WIDTH} or less, or hold it against what the host allows: "
        "OpenClaw stops at 5 children of a session and 8 in all",
    )
