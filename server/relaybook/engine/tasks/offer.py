"""What a claim offers: which workflows have a task that may start, which tasks, or why none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.core.policy import MAX_FAILURES
from relaybook.core.task.status import all_done, breaker_open, workflow_status
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.oversized import instead
from relaybook.engine.view.startable import EXPIRED, READY, RETRYABLE
from relaybook.engine.view.unsettled import unsettled, why_unsettled
from relaybook.errors import PromptTooLarge, Refusal, clip
from relaybook.model import Workflow
from relaybook.store.base import Tx
from relaybook.store.schema import BUSY, OFFERING
from relaybook.store.tables import WORKFLOWS

#: How many workflows one call reads at a time, oldest first, and how many times.
WORKFLOWS_READ, PAGES = 100, 10
#: Of how many open workflows an answer without a task says why.
REASONS = 10
#: How many tasks of a workflow one call reads at a time, and how many that are expired, held or
#: cannot be rendered it works through.
CANDIDATES, CANDIDATES_LOOKED_AT = 20, 200
#: The soonest and the latest that a worker is told to ask again.
ASK_AGAIN_SECONDS = (1.0, 30.0)
BREAKER_AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why a workflow has nothing to claim, and in how many seconds it may have."""

    reason: str
    seconds: float | None


#: A place among the workflows: when one was made, and its id.
_Place = tuple[float, str]
_START: _Place = (float("-inf"), "")


def offering(desk: Desk, project: str | None, capabilities: Sequence[str]) -> Iterator[str]:
    """The open workflows with a task that may start now, oldest first.

    Those that have none are not looked at, however many they are and however old. A task among
    them may still be held; that is why there are more than one.
    """
    after = _START
    for page in range(PAGES):
        now = desk.clock()
        with desk.store.read() as tx:
            found = _with_waiting(tx, project, capabilities, now, after)
            late = [] if page else _with_expired(tx, project, capabilities, now)
        yield from (name for _, name in sorted({*found, *late}))
        if len(found) < WORKFLOWS_READ:
            return
        after = found[-1]


def _with_waiting(
    tx: Tx, project: str | None, capabilities: Sequence[str], now: float, after: _Place
) -> list[_Place]:
    """Workflows that have room, with a task to retry or a fresh one."""
    wanted, names = _capability_filter(capabilities)
    some = " OR ".join(_has_task(where + wanted) for where in (RETRYABLE, READY))
    sql = (
        f"SELECT created_at, id FROM workflows WHERE {OFFERING} AND ({some})"
        " AND (created_at, id) > (:made_at, :name)"
        f" AND {tx.sight.of_project}"
        + (" AND project = :project" if project is not None else "")
        + f" ORDER BY created_at, id LIMIT {WORKFLOWS_READ}"
    )
    params = {"now": now, "most": MAX_FAILURES, "made_at": after[0], "name": after[1], **names}
    return [(row[0], row[1]) for row in tx.rows(sql, _with_project(params, project))]


def _with_expired(
    tx: Tx, project: str | None, capabilities: Sequence[str], now: float
) -> list[_Place]:
    """Open workflows with a task whose worker is gone."""
    wanted, names = _capability_filter(capabilities)
    sql = (
        f"SELECT created_at, id FROM workflows WHERE {BUSY} AND {_has_task(EXPIRED + wanted)}"
        f" AND {tx.sight.of_project}"
        + (" AND project = :project" if project is not None else "")
        + f" ORDER BY created_at, id LIMIT {WORKFLOWS_READ}"
    )
    found = tx.rows(sql, _with_project({"now": now, **names}, project))
    return [(row[0], row[1]) for row in found]


def _has_task(where: str) -> str:
    return f"EXISTS (SELECT 1 FROM tasks WHERE workflow_id = workflows.id AND {where})"


def _with_project(params: dict[str, Any], project: str | None) -> dict[str, Any]:
    return params if project is None else params | {"project": project}


def idle(desk: Desk, project: str | None) -> list[Nothing]:
    """Why the oldest open workflows that something goes on in have no task to offer.

    If there is none, those that wait for the user's answers: to ask again is no use before.
    """
    with desk.store.read() as tx:
        going_on = _oldest(tx, "ready + retryable + in_progress + undecided > 0", project)
        if going_on:
            return [why_not(tx, workflow, desk.clock()) for workflow in going_on]
        asking = _oldest(tx, "input_required > 0", project)
        return [Nothing(_unanswered(workflow), None) for workflow in asking]


def _oldest(tx: Tx, where: str, project: str | None) -> list[Workflow]:
    mine = tx.sight.of_project + (" AND project = :project" if project is not None else "")
    sql = f"WHERE ended_at IS NULL AND {where} AND {mine} ORDER BY created_at, id LIMIT :limit"
    return WORKFLOWS.find(tx, sql, project=project, limit=REASONS)


def candidates(
    tx: Tx, workflow: Workflow, capabilities: Sequence[str], now: float
) -> Iterator[str]:
    """The ids of tasks to try, best first: those out of time, failed ones, then fresh ones.

    The workflow is locked, and stays as it is until one of them starts.
    """
    wanted, names = _capability_filter(capabilities)
    params = {"workflow_id": workflow.id, "now": now, "most": MAX_FAILURES, **names}
    for where in _offered(workflow):
        for first in range(0, CANDIDATES_LOOKED_AT, CANDIDATES):  # those before could not start
            page = tx.rows(
                f"SELECT id FROM tasks WHERE workflow_id = :workflow_id AND {where}{wanted}"
                f" ORDER BY chain DESC, position LIMIT {CANDIDATES} OFFSET {first}",
                params,
            )
            yield from (row[0] for row in page)
            if len(page) < CANDIDATES:
                break


def _offered(workflow: Workflow) -> Iterator[str]:
    """How to find what may start, as far as the counters say that there is any."""
    if workflow.decision is not None or breaker_open(workflow.failed, workflow.total):
        return
    if workflow.in_progress:
        yield EXPIRED
    if workflow.in_progress < workflow.max_parallel:
        if workflow.retryable:
            yield RETRYABLE
        if workflow.ready:
            yield READY


def _capability_filter(capabilities: Sequence[str]) -> tuple[str, dict[str, str]]:
    if not capabilities:
        return "", {}
    names = {f"can_{place}": name for place, name in enumerate(capabilities)}
    places = ", ".join(f":{name}" for name in names)
    return f" AND (capability IS NULL OR capability IN ({places}))", names


def why_not(tx: Tx, workflow: Workflow, now: float, refused: int = 0) -> Nothing:
    """Why no task of `workflow` can start, and in how many seconds that may change.

    `refused` of its tasks were tried; why they could not start is said of each.
    """
    if workflow.ended_at is not None:
        return Nothing(f"workflow {workflow.id!r} is {workflow_status(workflow)}", None)
    if breaker_open(workflow.failed, workflow.total):
        return Nothing(
            f"breaker: {workflow.failed} tasks of {workflow.id!r} failed; the user decides",
            BREAKER_AGAIN_SECONDS,
        )
    if all_done(workflow):
        reason = f"all tasks of {workflow.id!r} are done; its orchestrator finishes it or adds some"
    elif workflow.in_progress >= workflow.max_parallel:
        reason = f"all taken: {workflow.in_progress} of {workflow.id!r} are in progress, the most"
    elif workflow.ready > refused:
        more = workflow.ready - refused
        reason = f"{more} ready task(s) of {workflow.id!r} need another capability"
    elif workflow.ready:
        reason = f"none of {workflow.ready} ready task(s) of {workflow.id!r} may start now"
    elif workflow.retryable:
        reason = f"{workflow.retryable} failed task(s) of {workflow.id!r} wait to be retried"
    elif workflow.undecided:
        reason = (
            f"{workflow.undecided} task(s) of {workflow.id!r} wait for the decision whether they "
            "apply"
        )
    elif workflow.in_progress:
        reason = f"all taken: {workflow.in_progress} of {workflow.id!r} are in progress"
    else:
        reason = _blocked(tx, workflow)
    return Nothing(reason, _soonest(tx, workflow, now))


def _blocked(tx: Tx, workflow: Workflow) -> str:
    stage = unsettled(tx, workflow)
    if stage is not None:
        return f"workflow {workflow.id!r} waits: {why_unsettled(tx, stage).message}"
    if workflow.input_required:
        return _unanswered(workflow)
    return f"blocked: {workflow.pending} pending of {workflow.id!r}"


def _unanswered(workflow: Workflow) -> str:
    return (
        f"{workflow.input_required} task(s) of {workflow.id!r} wait for an answer: "
        f"resolve(workflow_id={workflow.id!r}) tells their orchestrator what they ask"
    )


def _soonest(tx: Tx, workflow: Workflow, now: float) -> float:
    """Seconds until a retry is due or a lease runs out, within reason."""
    sql = (
        "SELECT min(coalesce(not_before, lease_until)) FROM tasks WHERE workflow_id = :id"
        " AND status IN ('failed', 'in_progress') AND coalesce(not_before, lease_until) > :now"
    )
    at = tx.rows(sql, {"id": workflow.id, "now": now})[0][0]
    low, high = ASK_AGAIN_SECONDS
    return high if at is None else min(max(at - now, low), high)


def nothing(found: Sequence[Nothing], faults: Mapping[str, Refusal]) -> dict[str, Any]:
    """The answer where no task was started; `faults` are why tasks that were tried could not."""
    waits = [each.seconds for each in found if each.seconds is not None]
    tried = [f"{task_id}: {refusal.message}" for task_id, refusal in faults.items()]
    reasons = [reason.rstrip(".") for reason in (*tried, *(each.reason for each in found))]
    answer: dict[str, Any] = {
        "claimed": False,
        "reason": clip("; ".join(reasons) or "no open workflow has anything to do", 600),
    }
    if waits:
        answer["retry_after_seconds"] = round(min(waits))
    answer["next"] = (
        "ask again after retry_after_seconds" if waits else "stop; nothing is left to claim"
    )
    too_large = [name for name, fault in faults.items() if isinstance(fault, PromptTooLarge)]
    if too_large:
        answer["next"] = f"tell the orchestrator: {instead(too_large)}; then {answer['next']}"
    return answer
