"""What waits for the user in a workflow: each open question, and the decisions that answer it."""

from typing import Any

from relaybook.core.digest.account import account
from relaybook.core.names import SHOWN, Names
from relaybook.core.task.decision import APPLICABLE
from relaybook.core.task.status import workflow_status
from relaybook.engine.desk import Desk
from relaybook.engine.verdict import PARENT_ACTION
from relaybook.engine.view.advice import progress
from relaybook.engine.view.ahead import is_adjusting, waits_after_failures
from relaybook.engine.view.handled import handlers
from relaybook.engine.view.handled import told as handled_told
from relaybook.engine.view.review import gate_items
from relaybook.engine.view.unsettled import next_now, unsettled
from relaybook.engine.view.waiting import hooks_left, questions_of, undecided_tasks
from relaybook.errors import clip
from relaybook.model import Pattern, Status, Task, Workflow, WorkflowStatus
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow
from relaybook.store.lessons import proposed_by
from relaybook.store.tables import TASKS

#: How many lessons wait in one answer, and how much of each text it tells.
LESSONS_SHOWN, LESSON_SHOWN = 8, 160
ON_LESSON = "resolve(decision='accept_lesson' or 'reject_lesson', lesson, reason)"
#: What the decisions about a parent action mean.
DEED = ". Confirm says that it was done, waive that it will not be; each with the reason"


def open_decisions(desk: Desk, workflow_id: str) -> dict[str, Any]:
    """What waits for the user in a workflow, and the call that decides each."""
    with desk.store.read() as tx:
        workflow = get_workflow(tx, workflow_id)
        found = open_questions(desk, tx, workflow)
        lessons = waiting_lessons(tx, workflow)
        call = next_now(tx, workflow, desk.clock())
    told = f"{len(found)} decision(s) open" if found else "nothing waits for the user"
    answer = {
        "workflow_id": workflow.id,
        "seq": workflow.seq,
        "open": found,
        "summary": f"{told}; {len(lessons)} lesson(s) wait for theirs" if lessons else told,
        "next": _ask_then(found, call) if found else call,
    }
    if not lessons:
        return answer
    then = answer["next"] if found else f"{call}; for a lesson {ON_LESSON}"
    return answer | {"lessons": lessons[:LESSONS_SHOWN], "next": then}


def waiting_lessons(tx: Tx, workflow: Workflow) -> list[dict[str, Any]]:
    """The lessons that stages of a workflow proposed and nobody has decided, the latest first."""
    if workflow.pattern is not Pattern.PIPELINE:
        return []  # stages alone propose them
    return [
        {"lesson": kept.id, "text": clip(kept.text, LESSON_SHOWN), "target": kept.target}
        | ({"evidence": clip(kept.evidence, LESSON_SHOWN)} if kept.evidence else {})
        for kept in proposed_by(tx, workflow)
    ]


def _ask_then(found: list[dict[str, Any]], call: str) -> str:
    """The call that settles the first of the open questions; of a stage that is `call`."""
    decisions = found[0]["decisions"]
    if "waive" in decisions or "confirm" in decisions:
        return call
    if "answer" in decisions:
        said = "decision='answer', task_id, answers=[one for each question]"
    else:
        said = "decision=<one of its decisions>, task_id if it has one, reason"
    return f"ask the user, then resolve(workflow_id, {said})"


def open_questions(desk: Desk, tx: Tx, workflow: Workflow) -> list[dict[str, Any]]:
    """Each question that only the user can answer, with the decisions that answer it."""
    asked = _questions(tx, workflow) + _reviews(tx, workflow) + _hooks(tx, workflow)
    after = _breaker(tx, workflow) + _cancelled(tx, workflow)
    return after + asked + _conditions(desk, tx, workflow)


def _breaker(tx: Tx, workflow: Workflow) -> list[dict[str, Any]]:
    if workflow.decision is not None or not waits_after_failures(workflow):
        return []
    if is_adjusting(tx, workflow):
        return []
    applicable = workflow.total - workflow.not_applicable
    told = account(
        workflow.completed, applicable, _names(tx, workflow, Status.FAILED, workflow.failed)
    )
    handled = handled_told(handlers(tx, workflow))
    told += f" {handled}." if handled else ""
    return [
        {
            "question": f"{told} Retry the failed tasks, adjust the plan, or accept the partial "
            "results?",
            "decisions": ["retry_failed", "adjust", "accept_partial"],
        }
    ]


def _cancelled(tx: Tx, workflow: Workflow) -> list[dict[str, Any]]:
    """What becomes of a workflow in which nothing failed, and nothing can start after cancels."""
    if workflow.failed or workflow_status(workflow) is not WorkflowStatus.FAILED:
        return []
    names = _names(tx, workflow, Status.CANCELLED, workflow.cancelled)
    told = f"{progress(workflow)}, cancelled: {', '.join(names.shown())}"
    return [
        {
            "question": f"{clip(told, 600)}. Accept the partial results? Or let change_plan put other "
            "tasks in the place of the cancelled ones.",
            "decisions": ["accept_partial"],
        }
    ]


def _names(tx: Tx, workflow: Workflow, status: Status, count: int) -> Names:
    where = (
        "WHERE workflow_id = :id AND status = :status AND replaced_by IS NULL"
        " ORDER BY position LIMIT :limit"
    )
    found = TASKS.find(tx, where, id=workflow.id, status=str(status), limit=SHOWN)
    return Names([task.id for task in found], count)


def _questions(tx: Tx, workflow: Workflow) -> list[dict[str, Any]]:
    if not workflow.input_required:
        return []
    where = "WHERE workflow_id = :id AND status = 'input_required' ORDER BY position LIMIT 10"
    return [
        {"task_id": task.id, "questions": questions_of(tx, task), "decisions": ["answer"]}
        for task in TASKS.find(tx, where, id=workflow.id)
    ]


def _reviews(tx: Tx, workflow: Workflow) -> list[dict[str, Any]]:
    if not workflow.review:
        return []
    where = "WHERE workflow_id = :id AND status = 'review' ORDER BY position LIMIT 10"
    return [_review(tx, task) for task in TASKS.find(tx, where, id=workflow.id)]


def _hooks(tx: Tx, workflow: Workflow) -> list[dict[str, Any]]:
    task = unsettled(tx, workflow)
    if task is None or task.status is not Status.COMPLETED:
        return []
    what = f"The hooks of stage {task.position} are due: {', '.join(hooks_left(task))}"
    return [
        {
            "task_id": task.id,
            "question": clip(f"{what}. Go on without running them?", 400),
            "decisions": ["waive"],
        }
    ]


def _conditions(desk: Desk, tx: Tx, workflow: Workflow) -> list[dict[str, Any]]:
    return [
        {
            "task_id": task.id,
            "question": clip(
                f"Does it hold, for {task.label!r}: {condition_of(desk, tx, task)}", 400
            ),
            "decisions": [APPLICABLE, "not_applicable"],
        }
        for task in undecided_tasks(tx, workflow)
    ]


def condition_of(desk: Desk, tx: Tx, task: Task) -> str:
    """What has to hold for `task` to apply, as its plan says it."""
    return desk.spec(tx, task.workflow_id, task.spec).when


def _review(tx: Tx, task: Task) -> dict[str, Any]:
    items = gate_items(tx, task)
    what = "; ".join(item["what"] for item in items)
    deed = any(item["rule"] == PARENT_ACTION for item in items)
    return {
        "task_id": task.id,
        "question": clip(f"{task.label!r} is in review: {what}", 400) + (DEED if deed else ""),
        "decisions": ["confirm", "waive"] if deed else ["waive"],
    }
