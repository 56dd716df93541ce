"""Which stage comes next: one that may start, else the one that runs, else what is in the way."""

import math
from functools import partial
from typing import Any

from relaybook.core.policy import MAX_FAILURES
from relaybook.core.task.close import refuse_decided
from relaybook.core.task.status import breaker_open, is_retryable, workflow_status
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import earlier_attempts, spawn
from relaybook.engine.tasks.claim import start_attempt, started
from relaybook.engine.tasks.expire import past_the_lost, without_expired
from relaybook.engine.tasks.stage import stage_line
from relaybook.engine.view.advice import from_when, progress
from relaybook.engine.view.ahead import settle_failures
from relaybook.engine.view.stage_ids import refuse_without_stages
from relaybook.engine.view.startable import STARTABLE
from relaybook.engine.view.unsettled import why_unsettled
from relaybook.errors import Blocked, BreakerOpen, NotNow, QuestionsOpen, RetriesUsedUp, clip
from relaybook.model import Status, Task, Workflow, WorkflowStatus
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow, load_case
from relaybook.store.tables import TASKS
from relaybook.store.texts import get_text

_OF_WORKFLOW = "WHERE workflow_id = :id AND replaced_by IS NULL AND "


def next_stage(desk: Desk, workflow_id: str, session_key: str | None, actor: str) -> dict[str, Any]:
    """Start the first stage that may start; else answer the one that runs.

    Raises:
        NotNow: nothing runs and nothing can start; it says what is in the way.
        InvalidArguments: the workflow has no stages.
        WorkflowEnded: the user closed the workflow.
    """
    begin = partial(_next_once, desk, workflow_id, session_key, actor)
    return past_the_lost(desk, workflow_id, actor, begin)


def _next_once(desk: Desk, workflow_id: str, session_key: str | None, actor: str) -> dict[str, Any]:
    with desk.store.transaction() as tx:
        workflow = get_workflow(tx, workflow_id, lock=True)
        refuse_without_stages(tx, workflow)
        refuse_decided(workflow)
        if workflow_status(workflow) is WorkflowStatus.COMPLETED:
            return _complete(workflow)
        task = _first(tx, workflow, STARTABLE, now=desk.clock(), most=MAX_FAILURES)
        if task is not None:
            answer = _start(desk, tx, workflow, task, session_key, actor)
            if answer is not None:
                return answer
        running = _first(tx, workflow, "status = 'in_progress'")
        if running is not None and (task is None or running.id != task.id):
            return _running(desk, tx, workflow, running)
        blocker = _blocker(tx, get_workflow(tx, workflow_id), desk.clock())
    raise blocker


def _first(tx: Tx, workflow: Workflow, where: str, **params: Any) -> Task | None:
    found = TASKS.find(
        tx, f"{_OF_WORKFLOW}{where} ORDER BY position LIMIT 1", id=workflow.id, **params
    )
    return found[0] if found else None


def _start(
    desk: Desk, tx: Tx, workflow: Workflow, task: Task, session_key: str | None, actor: str
) -> dict[str, Any] | None:
    """A fresh attempt; None if it turns out that the last one was the last."""
    case = without_expired(desk, tx, load_case(tx, workflow.id, task.id), task.id, actor)
    if case.tasks[task.id].failures >= MAX_FAILURES:
        return None
    begun = start_attempt(desk, tx, case, task.id, session_key=session_key, actor=actor)
    return _answer(begun.case.workflow, begun.task, started(begun)) | {
        "next": "spawn a worker with current.prompt, or do it yourself; then "
        f"advance_stage(stage={task.position}, outcome='completed' or 'failed')",
    }


def _running(desk: Desk, tx: Tx, workflow: Workflow, task: Task) -> dict[str, Any]:
    told: dict[str, Any] = {"attempt": task.attempt, "claim": task.claim, "running": True}
    told["spawn"] = spawn(task, desk.templates.get(task.template))
    attempt = earlier_attempts(tx, task)[-1]
    if attempt.prompt is not None:
        told["prompt"] = get_text(tx, workflow.id, attempt.prompt)
    return _answer(workflow, task, told) | {
        "next": f"when it ends: advance_stage(stage={task.position}, outcome, …)"
    }


def _answer(workflow: Workflow, task: Task, told: dict[str, Any]) -> dict[str, Any]:
    left_out = ("workflow_id", "seq")
    stage = {"stage": task.position, "task_id": task.id, "status": str(task.status)}
    if task.slug is not None:
        stage |= {"item": task.slug, "skill": task.skill}
    return {
        "workflow_id": workflow.id,
        "seq": workflow.seq,
        "progress": progress(workflow),
        "current": stage | {name: said for name, said in told.items() if name not in left_out},
        "summary": stage_line(task),
    }


def _complete(workflow: Workflow) -> dict[str, Any]:
    return {
        "workflow_id": workflow.id,
        "seq": workflow.seq,
        "progress": progress(workflow),
        "complete": True,
        "summary": f"all {workflow.total} stages of {workflow.name!r} are done",
        "next": "aggregate",
    }


def _blocker(tx: Tx, workflow: Workflow, now: float) -> NotNow:
    """The refusal that says what is in the way, the first stage concerned first."""
    if breaker_open(workflow.failed, workflow.total):
        return BreakerOpen(
            f"{workflow.failed} stage(s) of workflow {workflow.id!r} have failed.",
            next=settle_failures(tx, workflow),
        )
    where = (
        "((status = 'completed' AND hooks_due IS NOT NULL)"
        " OR status IN ('review', 'input_required', 'failed', 'cancelled'))"
    )
    task = _first(tx, workflow, where)
    return _in_the_way(tx, workflow, task, now) if task is not None else _nothing(workflow)


def _in_the_way(tx: Tx, workflow: Workflow, task: Task, now: float) -> NotNow:
    stage = f"Stage {task.position}"
    match task.status:
        case Status.COMPLETED | Status.REVIEW:
            return why_unsettled(tx, task)
        case Status.INPUT_REQUIRED:
            return QuestionsOpen(
                f"{stage} waits for answers to its worker's questions.",
                next="answer them with resolve(decision='answer')",
                stage=task.position,
            )
        case Status.FAILED if is_retryable(task) and task.not_before is not None:
            return Blocked(
                f"{stage} failed with {task.error_code}; its retry waits a little.",
                next=f"call advance_stage again {from_when(task.not_before, now)}",
                stage=task.position,
                retry_after_seconds=math.ceil(task.not_before - now),
            )
        case Status.FAILED:
            return RetriesUsedUp(
                f"{stage} failed for good: {clip(task.error or '', 160)}",
                next=settle_failures(tx, workflow),
                stage=task.position,
            )
        case _:
            return Blocked(
                f"{stage} is {task.status}.",
                next="put another task in its place with change_plan",
                stage=task.position,
            )


def _nothing(workflow: Workflow) -> NotNow:
    return Blocked(
        f"Nothing of workflow {workflow.id!r} can start now.",
        next="call get_workflow(detail='detailed') for what holds it back",
    )
