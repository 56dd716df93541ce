"""Reconciliation: what the ledger says is in progress against the sessions that really run."""

import math
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from relaybook.core.task.status import breaker_open, is_expired
from relaybook.engine.view.advice import timestamp
from relaybook.model import Task, Workflow


class Verdict(StrEnum):
    """What to think of a task in progress, or of a workflow that does not move."""

    #: Its session runs: wait.
    SLOW = "slow"
    #: Its session has ended and no result came: the ledger is stale for it.
    LOST = "lost"
    #: No session is recorded for it, so nothing can be said.
    UNKNOWN = "unknown"
    #: Tasks may start and nobody starts them.
    STARVED = "starved"
    #: It waits for the user: answers, a decision, a gate.
    WAITING = "waiting"


_ADVICE = {
    Verdict.SLOW: "slow, not stuck: wait longer",
    Verdict.LOST: "session ended without a result, so the ledger is stale: update_task("
    "status='failed', error_code='lost_session'), then start it again",
    Verdict.UNKNOWN: "no session on record: find its worker, or wait for its lease to run out",
}
#: Of a task without a session, when waiting for its lease is over.
_LEASE_OVER = (
    "no session on record, and its lease ran out: start it again with "
    "update_task(status='in_progress'), unless you know its worker to be at it"
)


def reconcile(
    running: Sequence[Task], sessions: Collection[str], now: float
) -> list[dict[str, Any]]:
    """A verdict on each task in progress, given the keys of all sessions that still run."""
    found: list[dict[str, Any]] = []
    for task in running:
        verdict, lease_over = _verdict(task, sessions), is_expired(task, now)
        gone = lease_over and verdict is Verdict.UNKNOWN
        found.append(
            {
                "task_id": task.id,
                "verdict": str(verdict),
                "running_seconds": round(now - (task.started_at or now)),
                "lease_over": lease_over,
                "advice": _LEASE_OVER if gone else _ADVICE[verdict],
            }
        )
    return found


def _verdict(task: Task, sessions: Collection[str]) -> Verdict:
    if task.session_key is None:
        return Verdict.UNKNOWN
    return Verdict.SLOW if task.session_key in sessions else Verdict.LOST


def standing_still(
    workflow: Workflow,
    held: Sequence[Mapping[str, Any]],
    *,
    adjusting: bool,
    too_large: int,
    retries: tuple[int, float],
) -> str | None:
    """Why a workflow with nothing in progress does not move, in a line; None if it does.

    The tasks `held` could start, did others not write what they write, or their skill fail too
    often. `adjusting` says
    that the user decided after failures to adjust the plan. `too_large` of those that could start
    have a prompt that is too large; `retries` of them wait until a time before they are tried again.
    """
    if workflow.ended_at is not None or workflow.in_progress:
        return None
    asks = workflow.input_required or workflow.review
    stopped = breaker_open(workflow.failed, workflow.total)
    free = (
        0 if stopped else workflow.ready + workflow.retryable - len(held) - too_large - retries[0]
    )
    if free > 0:
        others = "; others wait for answers or a gate" if asks else ""
        return f"{Verdict.STARVED}: {free} task(s) may start and nobody starts them{others}"
    if asks:
        return f"{Verdict.WAITING}: for answers or a gate"
    if adjusting:
        return f"{Verdict.WAITING}: for the plan to be changed, as the user decided"
    if stopped:
        return f"{Verdict.WAITING}: for the user's decision after {workflow.failed} failures"
    if too_large:
        return f"{Verdict.WAITING}: for the plan to be changed, {too_large} prompt(s) are too large"
    if retries[0]:
        return f"{Verdict.WAITING}: {retries[0]} retry(s), the first from {timestamp(math.ceil(retries[1]))}"
    if skills := {line["skill"] for line in held if "skill" in line}:
        return f"{Verdict.WAITING}: for the breaker of skill {', '.join(sorted(skills))}"
    if held:
        return f"{Verdict.WAITING}: for the writers that hold {len(held)} task(s)"
    return f"{Verdict.WAITING}: nothing can start"
