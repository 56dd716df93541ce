"""The health of a skill."""

import pytest

from relaybook.core.learning.health import FIXES, Priority, State, Ticket, health
from relaybook.core.learning.skill_stats import Breaker, SkillStats, observe
from relaybook.model import FailureCode, Outcome

#: Seconds between outcomes, so that the breaker stays closed.
APART = 1_000.0


def history(marks: str, code: FailureCode = FailureCode.CRASH) -> SkillStats:
    """The figures after one outcome for each mark, "." a pass and "x" a failure."""
    stats = SkillStats()
    for n, mark in enumerate(marks):
        outcome = Outcome.COMPLETED if mark == "." else Outcome.FAILED
        stats = observe(stats, outcome, n * APART, minutes=n, code=code)
    return stats


def ticket(marks: str) -> Priority | None:
    found = health(history(marks), now=len(marks) * APART).ticket
    return found.priority if found else None


@pytest.mark.parametrize(
    ("marks", "state"),
    [
        ("", State.UNKNOWN),
        ("xx", State.UNKNOWN),
        ("...", State.HEALTHY),
        ("....x", State.HEALTHY),
        ("...x", State.DEGRADED),
        (".x.x", State.DEGRADED),
        ("..xxx", State.FAILING),
        ("x" * 30 + "." * 20, State.HEALTHY),
    ],
)
@pytest.mark.requirement("S233")
def test_the_state_follows_the_pass_rate_of_the_window(marks: str, state: State) -> None:
    assert health(history(marks), now=0).state is state


@pytest.mark.parametrize(
    ("marks", "drift"),
    [
        ("." * 10 + "." * 16 + "x" * 4, 0.2),
        ("." * 10 + "." * 17 + "x" * 3, None),
        ("." * 9 + "." * 10 + "x" * 10, None),
        ("x" * 10 + "." * 20, None),
        ("....x" * 10 + ".." * 7 + "x" * 6, None),
        ("....x" * 10 + ".." * 6 + "x" * 8, 0.2),
    ],
)
@pytest.mark.requirement("S234")
def test_a_skill_drifts_when_its_window_is_clearly_worse_than_the_time_before(
    marks: str, drift: float | None
) -> None:
    assert health(history(marks), now=0).drift == drift


@pytest.mark.requirement("S234")
@pytest.mark.parametrize(
    ("marks", "priority"),
    [
        ("." * 20, None),
        ("xx", None),
        ("....x", None),
        ("...x", Priority.LOW),
        ("." * 10 + "." * 16 + "x" * 4, Priority.LOW),
        ("." * 15 + "x" * 5, Priority.MEDIUM),
        ("." * 10 + "x" * 10, Priority.HIGH),
        (".xxx", Priority.HIGH),
        (".." + "xx", Priority.LOW),
    ],
)
def test_the_ticket_is_as_urgent_as_the_failures_are_many(
    marks: str, priority: Priority | None
) -> None:
    assert ticket(marks) == priority


@pytest.mark.requirement("S234")
def test_an_open_breaker_is_critical_and_the_ticket_says_why_and_what_to_do() -> None:
    stats = SkillStats()
    for at in range(5):
        code = FailureCode.TIMEOUT if at else FailureCode.CRASH
        stats = observe(stats, Outcome.FAILED, at, code=code)

    found = health(stats, now=10)

    assert (found.breaker, found.retry_at) == (Breaker.OPEN, 604)
    assert found.codes == {"timeout": 4, "crash": 1}
    assert found.ticket == Ticket(
        Priority.CRITICAL,
        "its breaker opened after a burst of failures",
        "5 of the last 5 attempts failed (timeout 4, crash 1)",
        "give it smaller tasks or a longer time-out, and run fewer at once",
    )


def test_durations_are_those_of_the_passes() -> None:
    found = health(history("." * 10 + "x"), now=0)

    assert (found.median_minutes, found.p90_minutes) == (4, 8)


def test_without_an_outcome_nothing_is_claimed() -> None:
    found = health(SkillStats(), now=0)

    assert (found.pass_rate, found.median_minutes, found.p90_minutes) == (None, None, None)
    assert (found.codes, found.breaker, found.retry_at) == ({}, Breaker.CLOSED, None)


def test_every_failure_code_has_a_fix() -> None:
    assert set(FIXES) == set(FailureCode)
