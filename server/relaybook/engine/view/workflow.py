"""get_workflow with an id: how one workflow stands, bounded in size."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from relaybook.core.task.status import FLAGS, waits_for_decision
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.oversized import instead, oversized
from relaybook.engine.view.advice import has_fresh, timestamp
from relaybook.engine.view.ahead import is_adjusting, retries_waiting
from relaybook.engine.view.attention import Needs, attention, find_needs, lost_of
from relaybook.engine.view.overview import overview
from relaybook.engine.view.paging import ANSWER_BYTES, PAGE, fitting, position, size_of
from relaybook.engine.view.reconcile import Verdict, reconcile, standing_still
from relaybook.engine.view.unsettled import next_of
from relaybook.engine.view.waiting import answers_in
from relaybook.errors import InvalidArguments, clip
from relaybook.model import Event, EventType, Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow
from relaybook.store.events import read_events
from relaybook.store.tables import TASKS

RESUME = "resume"
#: How much each list of tasks that need somebody may take of it.
ATTENTION_BYTES = {"concise": 600, "detailed": 4_000}
LABEL_SHOWN = 60
#: How much of the names of tasks whose sessions are lost a `next` tells.
LOST_SHOWN = 300
#: How many answers of the user the line of an event tells.
ANSWERS_SHOWN = 5


def show_workflow(
    desk: Desk,
    workflow_id: str,
    *,
    detail: str = "concise",
    since: int | None = None,
    running_sessions: Collection[str] | None = None,
    cursor: str = "",
) -> dict[str, Any]:
    """One workflow: its state and its tasks by page, or with `resume` all that is needed to go on.

    With `since` the events after that one; with the sessions that still run (an empty list is
    not the same as none given) a verdict on each task in progress.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    _check_detail(detail)
    now = desk.clock()
    with desk.store.read() as tx:
        workflow = get_workflow(tx, workflow_id)
        needs = find_needs(tx, workflow, now)
        needs = replace(needs, too_large=oversized(desk, tx, workflow, needs.ready))
        lost = lost_of(needs.running, now, running_sessions)
        call = _call(tx, workflow, needs, lost, now)
        answer = _state(workflow, needs, running_sessions, now)
        adjusting = is_adjusting(tx, workflow)
        if still := standing_still(
            workflow,
            needs.held,
            adjusting=adjusting,
            too_large=len(needs.too_large),
            retries=retries_waiting(tx, workflow, now),
        ):
            answer["standing_still"] = still
        if detail == RESUME:
            from relaybook.engine.view.resume import resume

            answer |= resume(desk, tx, workflow, needs)
        else:
            for name, lines in attention(tx, workflow, needs, now).items():
                answer[name] = fitting(lines, ATTENTION_BYTES[detail])
        if since is not None:
            answer |= _events_since(tx, workflow, since, ATTENTION_BYTES.get(detail, 600))
        if detail != RESUME:
            room = ANSWER_BYTES[detail] - size_of(answer)
            answer |= _task_page(tx, workflow, detail, cursor, room)
    answer["next"] = _ahead(since, workflow) + _next(call, answer)
    return answer


def _call(tx: Tx, workflow: Workflow, needs: Needs, lost: Sequence[str], now: float) -> str:
    """The next call; where all that may start is too large, the change of the plan."""
    stuck = len(needs.held) + len(needs.too_large)
    if needs.too_large and not workflow.input_required and not has_fresh(workflow, stuck):
        return instead(needs.too_large)
    return next_of(tx, workflow, now, needs.held, lost)


def _ahead(since: int | None, workflow: Workflow) -> str:
    """What is said first where `since` names an event that is not there; else empty."""
    if since is None or since <= workflow.seq:
        return ""
    return f"there is no event {clip(str(since), 20)} yet, so go on from since={workflow.seq}; "


def _check_detail(detail: str) -> None:
    if detail not in (*PAGE, RESUME):
        raise InvalidArguments(
            f"detail is {detail[:40]!r}.",
            allowed=", ".join((*PAGE, RESUME)),
            next="use one of these",
        )


def _state(
    workflow: Workflow, needs: Needs, running_sessions: Collection[str] | None, now: float
) -> dict[str, Any]:
    """How a workflow stands, its tasks apart."""
    said = overview(workflow, needs.running, now)
    said["counts"] = _held_apart(
        said["counts"], len(needs.ready) - len(needs.free) - len(needs.too_large)
    )
    said["summary"] = _summary(said)
    if running_sessions is not None:
        said["sessions"] = reconcile(needs.running, running_sessions, now)
    return said


def _summary(said: dict[str, Any]) -> str:
    raised = [name for name in FLAGS if said.get(name)]
    shown = f"{said['status']}, {said['progress']}"
    return f"{shown}; {', '.join(raised)}" if raised else shown


def _next(call: str, said: dict[str, Any]) -> str:
    if said.get("stalled") and "sessions" not in said:
        call = "ask your host which sessions run, then get_workflow(running_sessions=[…])"
    lost = [line["task_id"] for line in said.get("sessions", ()) if line["verdict"] == Verdict.LOST]
    if lost:
        names = clip(", ".join(lost), LOST_SHOWN)
        call = f"update_task(status='failed', error_code='lost_session') for {names}; then {call}"
    if said.get("update_due"):
        return f"tell the user, then record(kind='user_told'); {call}"
    return call


def _held_apart(counted: dict[str, int], held: int) -> dict[str, int]:
    """The counts with the ready tasks that are held under their own name."""
    if not held:
        return counted
    told = counted | {"ready": counted["ready"] - held, "held": held}
    return {name: number for name, number in told.items() if number}


def _task_page(tx: Tx, workflow: Workflow, detail: str, cursor: str, room: int) -> dict[str, Any]:
    size = PAGE[detail]
    first = position(cursor)
    where = "WHERE workflow_id = :id AND position >= :first ORDER BY position LIMIT :limit"
    found = TASKS.find(tx, where, id=workflow.id, first=first, limit=size + 1)
    shown = fitting([_task_line(task, detail) for task in found[:size]], room)
    page: dict[str, Any] = {"tasks": shown}
    if len(found) > len(shown):
        page["cursor"] = str(found[len(shown)].position)
    return page


def _task_line(task: Task, detail: str) -> dict[str, Any]:
    line: dict[str, Any] = {
        "id": task.id,
        "label": clip(task.label, LABEL_SHOWN if detail == "concise" else 300),
        "status": str(task.status),
        "has_result": task.result is not None,
    }
    if waits_for_decision(task):
        line["waiting_for"] = "decision"
    if task.session_key is not None and task.status is not Status.PENDING:
        line["session_key"] = task.session_key
    if detail == "detailed":
        line |= {"attempt": task.attempt, "waiting_on": task.waiting_on - task.undecided}
        if task.summary:
            line["summary"] = clip(task.summary, 160)
    return line


def _events_since(tx: Tx, workflow: Workflow, since: int, room: int) -> dict[str, Any]:
    found = read_events(tx, workflow.id, max(0, min(since, workflow.seq)), limit=20)
    shown = fitting([event_line(event) for event in found], room)
    return {
        "events": shown,
        "more_events": bool(shown) and shown[-1]["seq"] < workflow.seq,
    }


def event_line(event: Event) -> dict[str, Any]:
    """An event in a line: what, which task, who, when; not the claims and hashes."""
    line: dict[str, Any] = {"seq": event.seq, "type": str(event.type), "at": timestamp(event.at)}
    if event.task_id is not None:
        line["task_id"] = event.task_id
    for name in ("error_code", "summary", "decision", "reason", "override"):
        if event.data.get(name):
            line[name] = clip(str(event.data[name]), 120)
    if event.type is EventType.TASK_ANSWERED:
        line["answers"] = [clip(text, 120) for text in answers_in(event)[:ANSWERS_SHOWN]]
    return line
