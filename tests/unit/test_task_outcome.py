from typing import Any

import pytest

from relaybook.core.digest.task_outcome import Gap, TaskOutcome
from relaybook.model import Status


def outcome(status: Status, **more: Any) -> TaskOutcome:
    return TaskOutcome(task_id="t1", label="Review auth", status=status, position=0, **more)


@pytest.mark.requirement("S102")
@pytest.mark.parametrize(
    ("given", "gap", "reason"),
    [
        (outcome(Status.COMPLETED), None, ""),
        (outcome(Status.NOT_APPLICABLE), None, ""),
        (outcome(Status.COMPLETED, gaps=("no tests", "no docs")), "partial", "no tests; no docs"),
        (outcome(Status.FAILED, error="out of memory"), "failed", "out of memory"),
        (outcome(Status.FAILED), "failed", "no reason recorded"),
        (outcome(Status.PENDING), "not_started", "not started"),
        (outcome(Status.PENDING, error="of an attempt before"), "not_started", "not started"),
        (
            outcome(Status.PENDING, attempts=3, error="the disk is full"),
            "to_be_tried_again",
            "3 attempt(s) without a result, to be tried again; its last error: the disk is full",
        ),
        (outcome(Status.IN_PROGRESS), "running", "no result yet"),
        (
            outcome(Status.IN_PROGRESS, lost=True),
            "unknown",
            "no sign of life since its lease ran out; its session may be lost",
        ),
        (outcome(Status.INPUT_REQUIRED), "asking", "waits for an answer"),
        (outcome(Status.REVIEW), "in_review", "its output gate failed"),
        (outcome(Status.CANCELLED, error="not needed"), "cancelled", "not needed"),
    ],
)
def test_every_state_but_success_leaves_a_gap_with_its_reason(
    given: TaskOutcome, gap: str | None, reason: str
) -> None:
    assert (given.gap, given.reason) == (gap, reason)


def test_every_status_is_either_a_gap_or_needs_nothing() -> None:
    without = {status for status in Status if outcome(status).gap is None}

    assert without == {Status.COMPLETED, Status.NOT_APPLICABLE}
    assert {outcome(status).gap for status in Status} < {*Gap, None}


@pytest.mark.requirement("S175")
def test_actions_above_the_worker_tiers_belong_to_the_parent() -> None:
    actions = tuple({"action": f"a{tier}", "tier": tier} for tier in ("T1", "t2", "T3", "T4"))

    given = outcome(Status.COMPLETED, proposed_actions=(*actions, {"action": "unrated"}))

    assert [action["action"] for action in given.parent_actions] == ["aT3", "aT4", "unrated"]
