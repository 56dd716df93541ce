"""The figures kept of a skill, and its breaker."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.learning.skill_stats import (
    Breaker,
    SkillStats,
    admits,
    breaker,
    from_json,
    observe,
    take_back_pass,
    to_json,
)
from relaybook.model import FailureCode, Outcome

OUTCOMES = st.lists(
    st.tuples(
        st.sampled_from(Outcome),
        st.floats(0, 1e6),
        st.none() | st.floats(0, 60),
        st.sampled_from(FailureCode),
    ),
    max_size=60,
)


def after(outcomes: Iterable[tuple[Outcome, float]], stats: SkillStats | None = None) -> SkillStats:
    stats = stats or SkillStats()
    for outcome, at in outcomes:
        stats = observe(stats, outcome, at)
    return stats


def failures(*times: float) -> list[tuple[Outcome, float]]:
    return [(Outcome.FAILED, at) for at in times]


def test_a_pass_that_is_taken_back_leaves_the_others_as_they_were() -> None:
    stats = observe(SkillStats(), Outcome.COMPLETED, 0, minutes=4)
    stats = observe(stats, Outcome.FAILED, 60, code=FailureCode.CRASH)
    both = observe(stats, Outcome.COMPLETED, 120, minutes=9)

    assert take_back_pass(both, 9) == stats
    assert take_back_pass(stats, 4).recent == ("crash",)
    assert take_back_pass(SkillStats(), 1) == SkillStats()


#: Opened at second 40.
OPENED = after(failures(0, 10, 20, 30, 40))
COOLED = 40 + 600


@pytest.mark.requirement("S233")
def test_each_outcome_is_counted_with_its_code_and_its_minutes() -> None:
    stats = observe(SkillStats(), Outcome.COMPLETED, 100, minutes=4)
    stats = observe(stats, Outcome.FAILED, 200, minutes=9, code=FailureCode.CRASH)
    stats = observe(stats, Outcome.EXPIRED, 300, code=FailureCode.TIMEOUT)

    assert stats == SkillStats(
        passed=1,
        failed=2,
        recent=("", "crash", "timeout"),
        minutes=(4,),
        failed_at=(200, 300),
    )


@pytest.mark.parametrize("outcome", [Outcome.RELEASED, Outcome.ASKED, Outcome.CANCELLED])
def test_what_says_nothing_about_the_skill_does_not_count(outcome: Outcome) -> None:
    assert observe(OPENED, outcome, 50) == OPENED


@given(OUTCOMES)
def test_the_figures_stay_small_and_survive_json(
    outcomes: list[tuple[Outcome, float, float | None, FailureCode]],
) -> None:
    stats = SkillStats()
    for outcome, at, minutes, code in outcomes:
        stats = observe(stats, outcome, at, minutes, code)

    assert from_json(to_json(stats)) == stats
    assert len(to_json(stats)) < 2_000
    assert max(len(stats.recent), len(stats.minutes)) <= 20
    assert len(stats.failed_at) <= 5


@pytest.mark.parametrize(
    ("times", "state"),
    [
        ((0, 10, 20, 30), Breaker.CLOSED),
        ((0, 10, 20, 30, 300), Breaker.OPEN),
        ((0, 10, 20, 30, 301), Breaker.CLOSED),
        ((0, 200, 210, 220, 310, 320), Breaker.OPEN),
    ],
)
def test_five_failures_within_300_seconds_open_the_breaker(
    times: tuple[float, ...], state: Breaker
) -> None:
    assert breaker(after(failures(*times)), times[-1]) is state


def test_passes_between_the_failures_do_not_keep_it_closed() -> None:
    mixed = [pair for at in range(5) for pair in (*failures(at), (Outcome.COMPLETED, at))]

    assert breaker(after(mixed), 5) is Breaker.OPEN


@pytest.mark.parametrize(
    ("now", "in_progress", "expected"),
    [
        (41, 0, False),
        (COOLED - 1, 0, False),
        (COOLED, 0, True),
        (COOLED, 1, False),
    ],
)
def test_after_the_cooldown_one_attempt_at_a_time_is_let_in(
    now: float, in_progress: int, expected: bool
) -> None:
    assert admits(OPENED, now, in_progress) is expected


def test_a_closed_breaker_lets_in_any_number() -> None:
    assert admits(SkillStats(), 0, 100)


def test_a_trial_that_passes_closes_the_breaker_and_forgets_the_burst() -> None:
    stats = after([(Outcome.COMPLETED, COOLED)], OPENED)

    assert (stats.opened_at, stats.failed_at) == (None, ())
    assert breaker(after(failures(COOLED + 1), stats), COOLED + 1) is Breaker.CLOSED


def test_a_trial_that_fails_opens_it_for_another_cooldown() -> None:
    stats = after(failures(COOLED), OPENED)

    assert stats.opened_at == COOLED
    assert breaker(stats, COOLED + 599) is Breaker.OPEN


def test_what_ends_while_it_is_open_moves_nothing() -> None:
    stats = after([(Outcome.COMPLETED, 50), *failures(60)], OPENED)

    assert stats.opened_at == OPENED.opened_at
