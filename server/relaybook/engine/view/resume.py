"""Resuming: one answer from which an orchestrator that lost its memory can go on."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

from relaybook.core.task.status import ready_now
from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.view.attention import Needs, failures, hooks_waiting, is_overdue
from relaybook.engine.view.open_decisions import open_questions, waiting_lessons
from relaybook.engine.view.waiting import answers_in
from relaybook.errors import clip
from relaybook.model import Event, EventType, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_decisions
from relaybook.store.reads import read_up_to

#: What each list may take of an answer that stays under 20 kB, in bytes of JSON.
ROOM = {
    "shared_decisions": 1_200,
    "decisions": 2_500,
    "done": 5_500,
    "running": 2_600,
    "failed": 1_600,
    "ready": 1_400,
    "held": 800,
    "hooks_due": 900,
    "lessons": 1_000,
    "waiting_for_user": 2_400,
}
TOLD = (
    EventType.DECISION_RECORDED,
    EventType.REVIEW_RECORDED,
    EventType.PLAN_CHANGED,
    EventType.TASK_ASKED,
    EventType.TASK_ANSWERED,
)
#: How many completed tasks are read for one answer; more never fit.
ROWS_READ = 200
QUESTION_SHOWN = 160
#: How much of a decision is shown, of an answer that the user gave, and of what it answers.
DECISION_SHOWN, ANSWER_SHOWN, ANSWERED_SHOWN = 200, 160, 80


def resume(desk: Desk, tx: Tx, workflow: Workflow, needs: Needs) -> dict[str, Any]:
    """Goal, decisions, what is done in a line each, what runs, what may start, what waits.

    `cut` says of each list that is not whole how much of it is shown.
    """
    metadata, options = json.loads(workflow.metadata), json.loads(workflow.options)
    decisions = list(_decisions(tx, workflow))
    lists: dict[str, tuple[Iterable[Any], int]] = {
        "shared_decisions": _whole(options.get("shared_decisions", ())),
        "decisions": _whole(decisions),
        "done": (_done(tx, workflow), workflow.completed),
        "running": _whole([_running(task, desk.clock()) for task in needs.running]),
        "failed": (failures(tx, workflow, needs.failed), workflow.failed),
        "ready": (needs.free, ready_now(workflow) - len(needs.ready) + len(needs.free)),
        "held": _whole(needs.held),
        "hooks_due": _whole(hooks_waiting(tx, workflow)),
        "lessons": _whole(waiting_lessons(tx, workflow)),
        "waiting_for_user": _whole([_short(each) for each in open_questions(desk, tx, workflow)]),
    }
    said: dict[str, Any] = {"goal": _goal(workflow, metadata)}
    if metadata:
        said["metadata"] = clip(compact(metadata), 600)
    cut: dict[str, str] = {}
    for name, (lines, total) in lists.items():
        shown = _fitting(lines, ROOM[name])
        if shown:
            said[name] = shown
        if len(shown) < total:
            cut[name] = f"{len(shown)} of {total} shown"
    return said | ({"cut": cut} if cut else {})


def _goal(workflow: Workflow, metadata: dict[str, Any]) -> str:
    return clip(str(metadata.get("goal") or metadata.get("request") or workflow.name), 600)


def _whole(lines: Sequence[Any]) -> tuple[Iterable[Any], int]:
    return lines, len(lines)


def _fitting(lines: Iterable[Any], room: int) -> list[Any]:
    shown: list[Any] = []
    for line in lines:
        room -= len(compact(line).encode()) + 1
        if room < 0:
            break
        shown.append(line)
    return shown


def _decisions(tx: Tx, workflow: Workflow) -> Iterator[str]:
    """What was decided and why, and what the user answered, the latest first."""
    lines: list[str] = []
    asked: dict[str | None, Sequence[str]] = {}
    for event in read_decisions(tx, workflow.id, TOLD):
        if event.type is EventType.TASK_ASKED:
            asked[event.task_id] = json.loads(event.data["questions"])
        elif event.type is EventType.TASK_ANSWERED:
            lines += _answers(event, asked.get(event.task_id, ()))
        else:
            lines.append(_decision(event))
    return reversed(lines)


def _decision(event: Event) -> str:
    what = event.data.get("decision") or "plan changed"
    task_id = event.task_id or event.data.get("reviewed")
    what += f", {task_id}" if task_id is not None else ""
    why = event.data.get("reason") or event.data.get("instruction") or ""
    return clip(f"{event.seq}: {what}" + (f" ({why})" if why else ""), DECISION_SHOWN)


def _answers(event: Event, questions: Sequence[str]) -> Iterator[str]:
    """A line for each answer, with the question that it was given to."""
    given = answers_in(event)
    for question, answer in zip_longest(questions[: len(given)], given, fillvalue=""):
        said = clip(" ".join(answer.split()), ANSWER_SHOWN)
        asked = clip(" ".join(question.split()), ANSWERED_SHOWN)
        yield f"{event.seq}: answer, {event.task_id}: {said}" + (f" (to: {asked})" if asked else "")


def _done(tx: Tx, workflow: Workflow) -> Iterator[dict[str, Any]]:
    """Completed tasks, first those whose result was in no digest yet, the latest first."""
    unread = (
        "EXISTS (SELECT 1 FROM events WHERE events.workflow_id = :id AND task_id = tasks.id"
        " AND seq > :read AND type = 'task_completed')"
    )
    sql = (
        f"SELECT id, summary, label, {unread} AS unread FROM tasks WHERE workflow_id = :id"
        " AND status = 'completed' ORDER BY unread DESC, ended_at DESC, position LIMIT :limit"
    )
    said = {"id": workflow.id, "read": read_up_to(tx, workflow.id), "limit": ROWS_READ}
    for name, summary, label, is_unread in tx.rows(sql, said):
        line = {"task_id": name, "summary": clip(summary or label, 120)}
        yield line if is_unread else line | {"read": True}


def _running(task: Task, now: float) -> dict[str, Any]:
    said: dict[str, Any] = {"task_id": task.id, "label": clip(task.label, 80), "claim": task.claim}
    said |= {"overdue": True} if is_overdue(task, now) else {}
    return said | ({"session_key": task.session_key} if task.session_key is not None else {})


def _short(question: dict[str, Any]) -> dict[str, Any]:
    asked = [clip(text, QUESTION_SHOWN) for text in question.get("questions", ())]
    return question | ({"questions": asked} if asked else {})
