"""The tasks of a workflow that need somebody, by name; and those that may start."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.core.policy import MAX_FAILURES, TRANSIENT
from relaybook.core.scope import FREE
from relaybook.core.task.status import is_expired, is_retryable, ready_now
from relaybook.engine.view.handled import handlers
from relaybook.engine.view.review import gate_items
from relaybook.engine.view.skill_breaker import resting
from relaybook.engine.view.startable import READY
from relaybook.engine.view.waiting import hooks_left, questions_of, undecided_tasks
from relaybook.errors import clip
from relaybook.model import Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_task
from relaybook.store.scopes import find_holders
from relaybook.store.tables import TASKS

IDS_SHOWN = 10
#: How many tasks that may start one answer looks at.
READY_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Needs:
    """The first tasks of a workflow in each state that somebody has to do something about."""

    running: Sequence[Task]
    failed: Sequence[Task]
    #: Best first.
    ready: Sequence[Task]
    #: Those that only the writing of another, or the breaker of their skill, keeps from starting,
    #: each with that other, or with the skill.
    held: Sequence[dict[str, Any]]
    #: Those of `ready` that never start, since their prompt is too large.
    too_large: Sequence[str] = ()

    @property
    def free(self) -> list[str]:
        """The ids of the tasks to start next, best first."""
        kept = {*(line["task_id"] for line in self.held), *self.too_large}
        return [task.id for task in self.ready if task.id not in kept]


def find_needs(tx: Tx, workflow: Workflow, now: float) -> Needs:
    """Who needs something in a workflow."""
    running = running_tasks(tx, workflow)
    failed = _by_status(tx, workflow, Status.FAILED, workflow.failed)
    ready = _ready(tx, workflow) if ready_now(workflow) else []
    again = [task for task in failed if is_retryable(task) and task.waiting_on == 0]
    held = [] if workflow.ended_at is not None else held_of(tx, workflow, [*again, *ready], now)
    return Needs(running, failed, ready, held)


def held_tasks(tx: Tx, workflow: Workflow, now: float) -> Sequence[dict[str, Any]]:
    """The first tasks that are held, as `held_of` tells them."""
    return find_needs(tx, workflow, now).held


def held_now(tx: Tx, workflow: Workflow, now: float) -> Sequence[dict[str, Any]]:
    """The tasks that are held; none, too, where that changes nothing of what is next."""
    could_start = 0 < workflow.ready + workflow.retryable <= READY_LOOKED_AT
    if not could_start or workflow.in_progress >= workflow.max_parallel:
        return ()
    return held_tasks(tx, workflow, now)


def attention(tx: Tx, workflow: Workflow, needs: Needs, now: float) -> dict[str, list[Any]]:
    """A list for each kind of need that any task has: overdue, asking, failed, in review …"""
    going_on = workflow.ended_at is None
    asking = _by_status(tx, workflow, Status.INPUT_REQUIRED, going_on * workflow.input_required)
    review = _by_status(tx, workflow, Status.REVIEW, going_on * workflow.review)
    lists: dict[str, list[Any]] = {
        "overdue": [task.id for task in needs.running if is_overdue(task, now)][:IDS_SHOWN],
        "asking": [{"task_id": t.id, "questions": questions_of(tx, t)} for t in asking],
        "failed": failures(tx, workflow, needs.failed),
        "review": [{"task_id": t.id, "items": gate_items(tx, t)[:6]} for t in review],
        "hooks_due": hooks_waiting(tx, workflow),
        "undecided": [task.id for task in undecided_tasks(tx, workflow)],
        "held": list(needs.held[:IDS_SHOWN]),
        "too_large": list(needs.too_large),
        "ready": needs.free[:IDS_SHOWN],
    }
    return {name: lines for name, lines in lists.items() if lines}


def is_overdue(task: Task, now: float) -> bool:
    """In progress past its timeout, or without a word past its lease."""
    started = task.started_at if task.started_at is not None else now
    return is_expired(task, now) or now - started > task.timeout_seconds


def lost_of(
    running: Sequence[Task], now: float, sessions: Collection[str] | None = None
) -> list[str]:
    """The tasks in progress that may be started again: past their lease, in no session that runs."""
    alive = sessions or ()
    return [t.id for t in running if is_expired(t, now) and t.session_key not in alive]


def running_tasks(tx: Tx, workflow: Workflow) -> list[Task]:
    """All tasks in progress, of which there are never more than `max_parallel`."""
    if not workflow.in_progress:
        return []
    where = "WHERE workflow_id = :id AND status = 'in_progress' ORDER BY position"
    return TASKS.find(tx, where, id=workflow.id)


def _ready(tx: Tx, workflow: Workflow) -> list[Task]:
    best = f"WHERE workflow_id = :id AND {READY} ORDER BY chain DESC, position LIMIT :limit"
    return TASKS.find(tx, best, id=workflow.id, limit=READY_LOOKED_AT)


def held_of(tx: Tx, workflow: Workflow, tasks: Sequence[Task], now: float) -> list[dict[str, Any]]:
    """Of `tasks` those that something else keeps from starting, each with what that is.

    What others write, with one of them under `by`; or the breaker of the task's `skill`.
    """
    rests = {skill: resting(tx, skill, now) for skill in {task.skill for task in tasks}}
    found: list[dict[str, Any]] = []
    for task in tasks:
        if rest := rests[task.skill]:
            line = {"task_id": task.id, "skill": rest.skill, "breaker": str(rest.state)}
            found.append(line | {"retry_after_seconds": rest.seconds(now)})
            continue
        for scope in find_holders(tx, workflow.project, task):
            if not is_expired(get_task(tx, scope.workflow_id, scope.task_id), now):
                by = {"workflow_id": scope.workflow_id, "task_id": scope.task_id}
                line: dict[str, Any] = {"task_id": task.id, "path": clip(scope.path, 120), "by": by}
                if scope.closed_as:
                    line["free"] = f"its workflow is {scope.closed_as}: {FREE}"
                found.append(line)
                break
    return found


def failures(tx: Tx, workflow: Workflow, failed: Sequence[Task]) -> list[dict[str, Any]]:
    """Each failed task in a line, with the task that handled its failure."""
    by = handlers(tx, workflow)
    return [
        failure(task) | ({"handled_by": by[task.id]} if task.id in by else {}) for task in failed
    ]


def failure(task: Task) -> dict[str, Any]:
    """A failed task in a line."""
    line: dict[str, Any] = {
        "task_id": task.id,
        "code": task.error_code,
        "error": clip(task.error or "", 160),
        "retries_left": 0 if task.final else max(MAX_FAILURES - task.failures, 0),
    }
    if task.same_error > 1 and task.error_code not in TRANSIENT:
        line["same_error"] = task.same_error
    return line


def hooks_waiting(tx: Tx, workflow: Workflow) -> list[dict[str, Any]]:
    """The hooks that hold stages back, where nothing else goes on."""
    if workflow.ready + workflow.in_progress or not workflow.pending:
        return []
    ended = "WHERE workflow_id = :id AND status = 'completed' AND hooks_due IS NOT NULL"
    found = TASKS.find(
        tx, f"{ended} ORDER BY position LIMIT :limit", id=workflow.id, limit=IDS_SHOWN
    )
    return [{"task_id": task.id, "hooks": list(hooks_left(task))} for task in found]


def _by_status(tx: Tx, workflow: Workflow, status: Status, count: int) -> list[Task]:
    if not count:
        return []
    where = "WHERE workflow_id = :id AND status = :status ORDER BY position LIMIT :limit"
    return TASKS.find(tx, where, id=workflow.id, status=str(status), limit=IDS_SHOWN)
