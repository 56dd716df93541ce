"""Timeouts and delays that follow from the policy's numbers."""

import pytest

from relaybook.core.policy import retry_delay, timeout_seconds
from relaybook.model import FailureCode


@pytest.mark.requirement("A12", "S117")
@pytest.mark.parametrize(
    ("minutes", "seconds"),
    [(5.0, 600), (0.5, 600), (7.5, 900), (15, 1800), (60, 1800)],
)
def test_the_timeout_is_twice_the_expected_time_within_its_bounds(minutes: float, seconds: int):
    assert timeout_seconds(minutes) == seconds


@pytest.mark.requirement("A9")
@pytest.mark.parametrize(
    ("failures", "code", "seconds"),
    [
        (0, FailureCode.TIMEOUT, 0),
        (1, FailureCode.TIMEOUT, 30),
        (2, FailureCode.RATE_LIMIT, 120),
        (3, "lost_session", 120),
        (1, FailureCode.SCHEMA_VIOLATION, 0),
        (1, None, 0),
    ],
)
def test_only_a_transient_failure_waits_30_then_120_seconds(
    failures: int, code: str | None, seconds: int
):
    assert retry_delay(failures, code) == seconds
