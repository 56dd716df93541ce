"""resolve: the decisions that belong to the user, recorded and carried out."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relaybook.core.names import SHOWN, Names
from relaybook.core.policy import REASON_LIMIT
from relaybook.core.result.evidence import of_attempt
from relaybook.core.task.case import Case
from relaybook.core.task.close import refuse_decided, refuse_unfailed
from relaybook.core.task.command import (
    Answer,
    Cancel,
    Close,
    Command,
    Decide,
    Note,
    Reconsider,
    RetryFailed,
    SettleHooks,
)
from relaybook.core.task.decision import APPLICABLE
from relaybook.core.task.machine import decide
from relaybook.core.task.status import workflow_status
from relaybook.core.text import compact, storable
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.judge import intake, judge_draft
from relaybook.engine.prompts.prompt import task_prompt
from relaybook.engine.request import Resolution
from relaybook.engine.tasks.gate import gated
from relaybook.engine.tasks.gate_answer import gate_answer
from relaybook.engine.verdict import INTAKE
from relaybook.engine.view.advice import CHANGE, progress
from relaybook.engine.view.open_decisions import condition_of
from relaybook.engine.view.unsettled import next_now
from relaybook.engine.view.waiting import all_questions
from relaybook.errors import InvalidArguments, clip, nearest
from relaybook.model import Decision, Event, EventType, Status, Task
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow, load_case, load_edges, load_workflow_case
from relaybook.store.events import read_task_events
from relaybook.store.ledger import apply
from relaybook.store.lessons import LESSON_DECISIONS, get_lesson
from relaybook.store.tables import TASKS

ANSWER_LIMIT = 4_000


def resolve(desk: Desk, resolution: Resolution) -> dict[str, Any]:
    """Record a decision and carry it out; repeated, it changes nothing.

    Raises:
        InvalidArguments: there is no such decision, or it lacks what it needs.
        Refusal: the decision is not open.
    """
    read = _DECISIONS.get(resolution.decision)
    if read is None:
        raise InvalidArguments(
            f"There is no decision {resolution.decision[:80]!r}.",
            allowed=nearest(resolution.decision, list(_DECISIONS), most=len(_DECISIONS)),
            next="call resolve without a decision for what is open",
        )
    with desk.store.transaction() as tx:
        case, command = read(desk, tx, resolution)
        events = decide(case, command)
        after = apply(tx, case, events) if events else case
        known = resolution.task_id in after.tasks
        said = gate_answer(desk, tx, after, resolution.task_id) if known else {}
        call = next_now(tx, after.workflow, desk.clock())
    workflow = after.workflow
    answer = {
        "workflow_id": workflow.id,
        "seq": workflow.seq,
        "decision": resolution.decision,
        "status": str(workflow_status(workflow)),
        "progress": progress(workflow),
        "next": CHANGE if resolution.decision == "adjust" else call,
    } | said
    if reopened := _reopened(events):
        answer["reopened"] = reopened
    return answer if events else answer | {"repeated": True}


def _reopened(events: Sequence[Event]) -> list[str]:
    """The tasks that may be tried again, the first of them by name."""
    names = [str(event.task_id) for event in events if event.type is EventType.TASK_REOPENED]
    return Names(names[:SHOWN], len(names)).shown()


def _retry_failed(desk: Desk, tx: Tx, r: Resolution) -> tuple[Case, Command]:
    command = RetryFailed(task_id=r.task_id, reason=_reason(r), **_by(desk, r))
    if r.task_id:
        return load_case(tx, r.workflow_id, r.task_id), command
    workflow = get_workflow(tx, r.workflow_id, lock=True)
    where = "WHERE workflow_id = :id AND status = 'failed' ORDER BY position"
    tasks = {task.id: task for task in TASKS.find(tx, where, id=workflow.id)}
    edges = load_edges(tx, workflow.id, tasks)
    return Case(workflow=workflow, tasks=tasks, edges=edges), command


def _adjust(desk: Desk, tx: Tx, r: Resolution) -> tuple[Case, Command]:
    """The decision goes on record; the change itself is `change_plan`."""
    case = load_workflow_case(tx, r.workflow_id)
    refuse_decided(case.workflow)
    refuse_unfailed(case.workflow, "adjust")
    said = {"decision": "adjust", "reason": _reason(r)}
    return case, Note(task_id=None, notes=[(EventType.DECISION_RECORDED, said)], **_by(desk, r))


def _close_as(decision: Decision) -> "_Reader":
    def read(desk: Desk, tx: Tx, r: Resolution) -> tuple[Case, Command]:
        return load_workflow_case(tx, r.workflow_id), Close(
            decision=decision, reason=_reason(r), **_by(desk, r)
        )

    return read


def _answer(desk: Desk, tx: Tx, r: Resolution) -> tuple[Case, Command]:
    case = load_case(tx, r.workflow_id, _task_id(r))
    if not r.answers or any(len(text) > ANSWER_LIMIT for text in r.answers):
        raise InvalidArguments(
            "decision 'answer' needs the answers, in the order of the questions.",
            allowed=f"answers=[text, …], each at most {ANSWER_LIMIT} characters",
            next="call get_workflow for the questions",
        )
    _refuse_uneven(tx, case.tasks[r.task_id], len(r.answers))
    if not all(text.strip() for text in r.answers):
        raise InvalidArguments(
            "An answer is empty; the question stays open.",
            allowed=f"for each question a text of 1 to {ANSWER_LIMIT} characters",
            next="give an answer to each question",
        )
    return case, Answer(
        task_id=r.task_id, answer=compact([storable(text) for text in r.answers]), **_by(desk, r)
    )


def _refuse_uneven(tx: Tx, task: Task, answers: int) -> None:
    """Refuse too few or too many answers to the open questions of a task."""
    if task.status is not Status.INPUT_REQUIRED:
        return
    questions = all_questions(tx, task)
    if questions and len(questions) != answers:
        listed = [f"{n}. {clip(text, 300)!r}" for n, text in enumerate(questions, 1)]
        raise InvalidArguments(
            f"Task {task.id!r} asks {len(questions)} question(s); {answers} answer(s) came.",
            allowed="one answer for each, in this order: " + "; ".join(listed),
            next="call again with as many answers as questions",
        )


def _condition(desk: Desk, tx: Tx, r: Resolution) -> tuple[Case, Command]:
    case = load_case(tx, r.workflow_id, _task_id(r))
    said = {"task_id": r.task_id, "when": condition_of(desk, tx, case.tasks[r.task_id])}
    holds = r.decision == APPLICABLE
    return case, Decide(holds=holds, reason=_reason(r), **said, **_by(desk, r))


def _cancel(desk: Desk, tx: Tx, r: Resolution) -> tuple[Case, Command]:
    if not r.task_id:
        return _close_as(Decision.CANCELLED)(desk, tx, r)
    case = load_case(tx, r.workflow_id, r.task_id)
    return case, Cancel(task_id=r.task_id, reason=_reason(r) or "cancelled", **_by(desk, r))


def _waive(desk: Desk, tx: Tx, r: Resolution) -> tuple[Case, Command]:
    """Let a stage start as it is or go on without its hooks, or a task pass from review as it is.

    What its plan leaves to the parent is declined by that, unless it was confirmed before.
    """
    case = load_case(tx, r.workflow_id, _task_id(r))
    task = case.tasks[r.task_id]
    reason = _required_reason(r)
    if _is_on_record(tx, task, ("waived", "declined"), reason):
        return case, _nothing(desk, r)
    if task.slug is not None and task.status is Status.PENDING:
        return case, _waive_intake(desk, tx, case, task, r)
    if task.status in (Status.COMPLETED, Status.FAILED) and task.hooks_due is not None:
        hooks = json.loads(task.hooks_due)
        said = {"task_id": task.id, "hooks": hooks, "waived": True, "reason": reason}
        return case, SettleHooks(**said, **_by(desk, r))
    command = Reconsider(task_id=task.id, decision="waived", reason=reason, **_by(desk, r))
    return case, gated(desk, tx, case, command, None)


def _waive_intake(desk: Desk, tx: Tx, case: Case, task: Task, r: Resolution) -> Command:
    """Let a stage start although its INTAKE gate fails; what fails then, later, still holds it."""
    draft = task_prompt(desk, tx, case.workflow, task)
    findings = judge_draft(desk, tx, case.workflow, task, draft).findings
    verdict = intake(desk, tx, case.workflow, task, draft, findings)
    rules = sorted({item.rule for item in verdict.items if item.verdict == "fail"})
    if not rules:
        raise InvalidArguments(
            f"Nothing of task {task.id!r} is there to waive: its intake gate says "
            f"{verdict.verdict}.",
            next="call advance_stage to start it when its turn comes",
        )
    said = {"decision": "waive", "gate": INTAKE, "findings": rules, "waived": _reason(r)}
    return Note(task_id=task.id, notes=[(EventType.DECISION_RECORDED, said)], **_by(desk, r))


def _confirm(desk: Desk, tx: Tx, r: Resolution) -> tuple[Case, Command]:
    """Say that the parent did what the task prepared."""
    case = load_case(tx, r.workflow_id, _task_id(r))
    task = case.tasks[r.task_id]
    reason = _required_reason(r)
    if not desk.spec(tx, r.workflow_id, task.spec).parent_actions:
        raise InvalidArguments(
            f"Task {task.id!r} has no parent action to confirm.",
            allowed="tasks whose plan or contract names parent actions",
            next="call resolve without a decision for what is open",
        )
    if _is_on_record(tx, task, ("confirmed",), reason):
        return case, _nothing(desk, r)
    command = Reconsider(task_id=task.id, decision="confirmed", reason=reason, **_by(desk, r))
    return case, gated(desk, tx, case, command, None)


def _is_on_record(tx: Tx, task: Task, words: Sequence[str], reason: str) -> bool:
    """Whether the same decision about the attempt is recorded already, with the same reason."""
    events = of_attempt(read_task_events(tx, task.workflow_id, task.id))
    return any(event.data.get(word) == reason for event in events for word in words)


def _lesson(desk: Desk, tx: Tx, r: Resolution) -> tuple[Case, Command]:
    """Accept or reject a proposed lesson; the workflow named keeps the decision."""
    kept = get_lesson(tx, r.lesson)
    case = load_workflow_case(tx, r.workflow_id or kept.workflow_id)
    if kept.status is LESSON_DECISIONS[r.decision]:
        return case, _nothing(desk, r)
    said = {"decision": r.decision, "lesson": kept.id, "reason": _reason(r)}
    return case, Note(task_id=None, notes=[(EventType.DECISION_RECORDED, said)], **_by(desk, r))


def _nothing(desk: Desk, r: Resolution) -> Command:
    return Note(task_id=None, notes=(), **_by(desk, r))


def _required_reason(r: Resolution) -> str:
    if r.reason.strip():
        return _reason(r)
    raise InvalidArguments(
        f"decision {r.decision!r} needs a reason, which is kept with its author.",
        next="call again with reason",
    )


def _task_id(r: Resolution) -> str:
    if r.task_id:
        return r.task_id
    raise InvalidArguments(
        f"decision {r.decision!r} needs a task_id.",
        next="call resolve without a decision for what is open",
    )


def _reason(r: Resolution) -> str:
    return clip(storable(r.reason), REASON_LIMIT)


def _by(desk: Desk, r: Resolution) -> dict[str, Any]:
    return {"at": desk.clock(), "actor": r.actor}


_Reader = Callable[[Desk, Tx, Resolution], tuple[Case, Command]]

_DECISIONS: Mapping[str, _Reader] = {
    "retry_failed": _retry_failed,
    "adjust": _adjust,
    "accept_partial": _close_as(Decision.PARTIAL),
    "answer": _answer,
    APPLICABLE: _condition,
    "not_applicable": _condition,
    "finish": _close_as(Decision.FINISHED),
    "cancel": _cancel,
    "waive": _waive,
    "confirm": _confirm,
    "accept_lesson": _lesson,
    "reject_lesson": _lesson,
}
