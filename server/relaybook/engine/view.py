"""get_workflow: what stands in the ledger, one workflow or all, bounded in size."""

from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Any

from relaybook.core.policy import (
    IDLE_REVIEWS_LIMIT,
    STALL_FACTOR,
    USER_UPDATE_AFTER_SECONDS,
)
from relaybook.core.status import (
    FLAGS,
    all_done,
    breaker_open,
    is_expired,
    waits_for_decision,
    workflow_status,
)
from relaybook.core.text import compact
from relaybook.engine.advice import progress, timestamp
from relaybook.engine.attention import (
    IDS_SHOWN,
    Needs,
    attention,
    find_needs,
    held_tasks,
    is_overdue,
    running_tasks,
)
from relaybook.engine.desk import Desk
from relaybook.engine.reconcile import Verdict, reconcile, standing_still
from relaybook.engine.unsettled import next_of
from relaybook.errors import InvalidArguments, clip
from relaybook.model import Event, Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow
from relaybook.store.events import read_events
from relaybook.store.tables import TASKS, WORKFLOWS

PAGE = {"concise": 20, "detailed": 60}
RESUME = "resume"
#: How much of an answer a list of tasks, or of workflows, may fill up to, in bytes of JSON.
ANSWER_BYTES = {"concise": 3_550, "detailed": 19_000}
#: How much each list of tasks that need somebody may take of it.
ATTENTION_BYTES = {"concise": 600, "detailed": 4_000}
LABEL_SHOWN = 60
#: How much of the names of tasks whose sessions are lost a `next` tells.
LOST_SHOWN = 300
#: What the summary of a list counts workflows by.
ALARMS = ("breaker_open", "stalled", "overdue", "update_due")


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
        call = next_of(tx, workflow, len(needs.held))
        answer = _state(workflow, needs, running_sessions, now)
        if detail == RESUME:
            from relaybook.engine.resume import resume

            answer |= resume(desk, tx, workflow, needs)
        else:
            for name, lines in attention(tx, workflow, needs, now).items():
                answer[name] = fitting(lines, ATTENTION_BYTES[detail])
        if since is not None:
            answer |= _events_since(tx, workflow, since, ATTENTION_BYTES.get(detail, 600))
        if detail != RESUME:
            room = ANSWER_BYTES[detail] - _size(answer)
            answer |= _task_page(tx, workflow, detail, cursor, room)
    answer["next"] = _ahead(since, workflow) + _next(call, answer)
    return answer


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
    said["counts"] = _held_apart(said["counts"], len(needs.ready) - len(needs.free))
    said["summary"] = _summary(said)
    if running_sessions is not None:
        said["sessions"] = reconcile(needs.running, running_sessions, now)
    if still := standing_still(workflow, len(needs.held)):
        said["standing_still"] = still
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


def list_workflows(
    desk: Desk, *, active: bool = False, project: str | None = None, cursor: str = ""
) -> dict[str, Any]:
    """All workflows, or those not ended, newest change first, with what needs attention."""
    now, page = desk.clock(), PAGE["concise"]
    where = f"WHERE {'ended_at IS NULL' if active else 'TRUE'}"
    if project is not None:
        where += " AND project = :project"
    skip = _position(cursor)
    with desk.store.read() as tx:
        found = WORKFLOWS.find(
            tx,
            f"{where} AND {tx.sight.of_project} ORDER BY updated_at DESC, id"
            " LIMIT :limit OFFSET :skip",
            project=project,
            limit=page + 1,
            skip=skip,
        )
        rows = [_row(tx, each, now) for each in found[:page]]
    shown = fitting(rows, ANSWER_BYTES["concise"] - 200)
    answer: dict[str, Any] = {"workflows": shown}
    if len(found) > len(shown):
        answer["cursor"] = str(skip + len(shown))
    answer["summary"] = _list_summary(shown, bool(answer.get("cursor")))
    answer["next"] = _list_next(rows)
    return answer


def _row(tx: Tx, workflow: Workflow, now: float) -> dict[str, Any]:
    running = running_tasks(tx, workflow)
    overdue = [task.id for task in running if is_overdue(task, now)][:IDS_SHOWN]
    return overview(workflow, running, now) | ({"overdue": overdue} if overdue else {})


def workflow_seq(desk: Desk, workflow_id: str) -> int:
    """The number of the last event of a workflow.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    with desk.store.read() as tx:
        return get_workflow(tx, workflow_id).seq


def workflow_ended(desk: Desk, workflow_id: str) -> bool:
    """Whether a workflow has ended, so that nobody is at work in it.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    with desk.store.read() as tx:
        return get_workflow(tx, workflow_id).ended_at is not None


def holders(desk: Desk, workflow_id: str) -> list[tuple[str, str]]:
    """The tasks, by workflow and id, that hold tasks of a workflow by what they are writing.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    with desk.store.read() as tx:
        lines = held_tasks(tx, get_workflow(tx, workflow_id), desk.clock())
    return list(dict.fromkeys((each["by"]["workflow_id"], each["by"]["task_id"]) for each in lines))


def all_writing(desk: Desk, names: Sequence[tuple[str, str]]) -> bool:
    """Whether each of these tasks is still in progress, within its lease."""
    where = "WHERE workflow_id = :workflow_id AND id = :id AND status = 'in_progress'"
    with desk.store.read() as tx:
        for workflow_id, task_id in names:
            found = TASKS.find(tx, where, workflow_id=workflow_id, id=task_id)
            if not found or is_expired(found[0], desk.clock()):
                return False
    return True


def fitting(lines: Sequence[Any], room: int) -> list[Any]:
    """As many of `lines` as take `room` bytes of JSON, and at least the first."""
    sizes = accumulate(_size(line) + 1 for line in lines)
    return list(lines[: max(sum(size <= room for size in sizes), 1)])


def _size(value: Any) -> int:
    return len(compact(value).encode())


def overview(workflow: Workflow, running: Sequence[Task], now: float) -> dict[str, Any]:
    """What is said of a workflow wherever it is shown."""
    until = workflow.ended_at or now
    said: dict[str, Any] = {
        "workflow_id": workflow.id,
        "name": workflow.name,
        "type": str(workflow.pattern),
        "status": str(workflow_status(workflow)),
        "progress": progress(workflow),
        "counts": counts(workflow),
        "elapsed_seconds": round(until - workflow.created_at),
        "created_at": timestamp(workflow.created_at),
        "updated_at": timestamp(workflow.updated_at),
        "seq": workflow.seq,
    }
    if workflow.project != "default":
        said["project"] = workflow.project
    return said | flags(workflow, running, now)


def counts(workflow: Workflow) -> dict[str, int]:
    """How many tasks are in each state, empty states left out; ready and retryable beside them."""
    shown = {str(status): getattr(workflow, status) for status in Status}
    if workflow.ended_at is None:
        shown |= {"ready": workflow.ready, "retryable": workflow.retryable}
    return {name: number for name, number in shown.items() if number}


def _held_apart(counted: dict[str, int], held: int) -> dict[str, int]:
    """The counts with the ready tasks that are held under their own name."""
    if not held:
        return counted
    told = counted | {"ready": counted["ready"] - held, "held": held}
    return {name: number for name, number in told.items() if number}


def flags(workflow: Workflow, running: Sequence[Task], now: float) -> dict[str, bool]:
    """The derived words beside the status, those that hold."""
    if workflow.ended_at is not None:
        return {}
    longest = max((task.expected_minutes for task in running), default=0.0) * 60
    can_start = workflow.ready + workflow.retryable + workflow.in_progress > 0
    told = workflow.told_at or workflow.created_at
    held = {
        "breaker_open": breaker_open(workflow.failed, workflow.total),
        "blocked": not can_start and not all_done(workflow),
        "stalled": bool(running) and now - workflow.progressed_at > STALL_FACTOR * longest,
        "update_due": now - told > USER_UPDATE_AFTER_SECONDS,
        "replan": workflow.idle_reviews >= IDLE_REVIEWS_LIMIT,
    }
    return {name: True for name, holds in held.items() if holds}


def _task_page(tx: Tx, workflow: Workflow, detail: str, cursor: str, room: int) -> dict[str, Any]:
    size = PAGE[detail]
    first = _position(cursor)
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
    return line


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 10:
        return int(cursor)
    raise InvalidArguments(
        f"cursor {cursor[:40]!r} is not one that relaybook gave.",
        allowed="the cursor of the answer before, word for word",
        next="leave it out to begin again",
    )


def _list_summary(rows: Sequence[dict[str, Any]], more: bool) -> str:
    def total(flag: str) -> int:
        return sum(bool(row.get(flag)) for row in rows)

    alarms = ", ".join(f"{total(flag)} {flag}" for flag in ALARMS if total(flag))
    shown = f"{len(rows)} workflow(s)" + (", more with cursor" if more else "")
    return f"{shown}; {alarms}" if alarms else shown


def _list_next(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "create_workflow"
    return "get_workflow(workflow_id) for one of them"
