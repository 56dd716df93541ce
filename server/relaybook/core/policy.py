"""The numbers of the recovery and width rules, and the times that follow from them."""

import math

from relaybook.model import FailureCode

#: Retries of a task after its first attempt.
MAX_RETRIES = 2
#: Attempts of one task that may end failed or expired; then it has failed for good.
MAX_FAILURES = 1 + MAX_RETRIES
#: Failed tasks of one workflow, at once, that open its breaker; all of them where there are fewer.
BREAKER_FAILURES = 3
#: Workers at once: the sweet spot, whose upper end is also the default limit.
SWEET_SPOT_WIDTH = (3, 6)
DEFAULT_WIDTH = SWEET_SPOT_WIDTH[1]
#: Minutes that one worker should run; both ends belong to the range.
WORKER_MINUTES = (5.0, 15.0)
#: How many times the expected minutes may pass without a start or completion.
STALL_FACTOR = 2
USER_UPDATE_AFTER_SECONDS = 600
#: Reviews in a row without progress after which the plan is to be made anew.
IDLE_REVIEWS_LIMIT = 3
TIMEOUT_BOUNDS_SECONDS = (600, 1800)
#: How long a transient failure waits before it is offered again, by number of failures.
RETRY_DELAYS_SECONDS = (30, 120)
#: How long ended workflows are kept, unless cleanup is told otherwise.
KEPT_DAYS = 7.0
#: How much of the reason for a decision or a change is kept, in characters.
REASON_LIMIT = 1_000
#: How many findings one answer tells.
FINDINGS_SHOWN = 6
#: Instruction words of a prompt when the caller names none: what fits the budget well.
PROMPT_WORDS = 300
#: Failures that the same prompt may well not meet again.
TRANSIENT = frozenset({FailureCode.TIMEOUT, FailureCode.RATE_LIMIT, FailureCode.LOST_SESSION})


def timeout_seconds(expected_minutes: float) -> int:
    """Twice the expected time, at least 600 and at most 1,800 seconds."""
    shortest, longest = TIMEOUT_BOUNDS_SECONDS
    return math.ceil(min(max(2 * expected_minutes * 60, shortest), longest))


def retry_delay(failures: int, code: str | None) -> int:
    """Seconds until a task that has failed `failures` times, last with `code`, is offered again."""
    if code not in TRANSIENT or failures < 1:
        return 0
    return RETRY_DELAYS_SECONDS[min(failures, len(RETRY_DELAYS_SECONDS)) - 1]
