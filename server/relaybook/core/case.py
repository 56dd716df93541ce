"""A case: the slice of one workflow that a command needs, and how events change it.

`evolve` is the only place that says which row changes an event means. It serves the
live ledger and the replay of its events alike, so it refuses nothing and asks no clock.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relaybook.core.status import (
    COUNTERS,
    ENDED,
    counts_of,
    failed_for_good,
    is_ready,
    is_retryable,
    status_from,
    waits_for_decision,
)
from relaybook.core.text import compact
from relaybook.model import (
    SETTLED,
    Attempt,
    Decision,
    Edge,
    EdgeKind,
    Event,
    EventType,
    Outcome,
    Pattern,
    Scope,
    Status,
    Task,
    Workflow,
)

#: Which statuses an event may find a task in, and the one it leaves it in.
MOVES: Mapping[EventType, tuple[frozenset[Status], Status]] = {
    EventType.TASK_STARTED: (
        frozenset({Status.PENDING, Status.FAILED, Status.REVIEW}),
        Status.IN_PROGRESS,
    ),
    EventType.TASK_COMPLETED: (frozenset({Status.IN_PROGRESS, Status.REVIEW}), Status.COMPLETED),
    EventType.TASK_FAILED: (frozenset({Status.IN_PROGRESS, Status.REVIEW}), Status.FAILED),
    EventType.TASK_ASKED: (frozenset({Status.IN_PROGRESS}), Status.INPUT_REQUIRED),
    EventType.TASK_ANSWERED: (frozenset({Status.INPUT_REQUIRED}), Status.PENDING),
    EventType.TASK_RELEASED: (frozenset({Status.IN_PROGRESS}), Status.PENDING),
    EventType.ATTEMPT_EXPIRED: (frozenset({Status.IN_PROGRESS}), Status.PENDING),
    EventType.GATE_FAILED: (
        frozenset({Status.IN_PROGRESS, Status.REVIEW, Status.COMPLETED}),
        Status.REVIEW,
    ),
    EventType.TASK_REOPENED: (frozenset({Status.FAILED}), Status.PENDING),
    # A handler whose source works after all is called off, however far it is.
    EventType.TASK_NOT_APPLICABLE: (
        frozenset(
            {
                Status.PENDING,
                Status.IN_PROGRESS,
                Status.INPUT_REQUIRED,
                Status.FAILED,
                Status.REVIEW,
            }
        ),
        Status.NOT_APPLICABLE,
    ),
    EventType.TASK_CANCELLED: (
        frozenset(
            {
                Status.PENDING,
                Status.IN_PROGRESS,
                Status.INPUT_REQUIRED,
                Status.REVIEW,
                Status.FAILED,
            }
        ),
        Status.CANCELLED,
    ),
    EventType.TASK_REPLACED: (
        frozenset({Status.PENDING, Status.INPUT_REQUIRED, Status.FAILED, Status.CANCELLED}),
        Status.CANCELLED,
    ),
}

#: The decisions that end a workflow; `in Decision` itself wants Python 3.12.
_CLOSING = frozenset(Decision)

#: How the attempt in progress ends when its task leaves `in_progress` by this event.
OUTCOMES: Mapping[EventType, Outcome] = {
    EventType.TASK_COMPLETED: Outcome.COMPLETED,
    EventType.GATE_FAILED: Outcome.COMPLETED,
    EventType.TASK_FAILED: Outcome.FAILED,
    EventType.ATTEMPT_EXPIRED: Outcome.EXPIRED,
    EventType.TASK_RELEASED: Outcome.RELEASED,
    EventType.TASK_ASKED: Outcome.ASKED,
    EventType.TASK_CANCELLED: Outcome.CANCELLED,
    EventType.TASK_NOT_APPLICABLE: Outcome.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One workflow as far as it was loaded."""

    workflow: Workflow
    tasks: Mapping[str, Task] = field(default_factory=dict[str, Task])
    #: By task and number; the current one of each loaded task that a command may end.
    attempts: Mapping[tuple[str, int], Attempt] = field(
        default_factory=dict[tuple[str, int], Attempt]
    )
    #: By the task waited for; complete for every loaded task that a command may move.
    edges: Mapping[str, Sequence[Edge]] = field(default_factory=dict[str, Sequence[Edge]])
    #: What others are writing that overlaps what the one task would write.
    held_by: Sequence[Scope] = ()


def opened(event: Event) -> Case:
    """The case that a `workflow_created` event begins."""
    data = dict(event.data)
    workflow = Workflow(
        id=event.workflow_id,
        pattern=Pattern(data.pop("pattern")),
        created_at=event.at,
        updated_at=event.at,
        progressed_at=event.at,
        seq=event.seq,
        plan_seq=event.seq,
        **data,
    )
    return Case(workflow=workflow)


def evolve(case: Case, events: Iterable[Event]) -> Case:
    """The case after `events`, which continue its `seq`."""
    draft = _Draft(case)
    for event in events:
        draft.apply(event)
    return draft.case()


class _Draft:
    """A case while events are applied: its maps are copies, its counters a plain dict."""

    def __init__(self, case: Case) -> None:
        self.workflow = case.workflow
        self.counts = counts_of(case.workflow)
        self.row: dict[str, Any] = {}
        self.tasks = dict(case.tasks)
        self.attempts = dict(case.attempts)
        self.edges = {needs: list(edges) for needs, edges in case.edges.items()}
        self.decision = case.workflow.decision
        self.ended_at = case.workflow.ended_at

    def case(self) -> Case:
        workflow = replace(
            self.workflow,
            **self.row,
            **self.counts,
            decision=self.decision,
            ended_at=self.ended_at,
        )
        return Case(workflow=workflow, tasks=self.tasks, attempts=self.attempts, edges=self.edges)

    def apply(self, event: Event) -> None:
        self.row["seq"] = event.seq
        self.row["updated_at"] = event.at
        if event.type in MOVES:
            self._move(event)
        else:
            _WORKFLOW_EVENTS[event.type](self, event)
        status = status_from(self.workflow.pattern, self.decision, self.counts)
        if status not in ENDED:
            self.ended_at = None
        elif self.ended_at is None:
            self.ended_at = event.at

    def _move(self, event: Event) -> None:
        before = self.tasks[str(event.task_id)]
        after = replace(
            before, status=MOVES[event.type][1], **_TASK_CHANGES[event.type](before, event)
        )
        if event.type is EventType.TASK_STARTED:
            self._open_attempt(after, event)
        elif before.claim is not None and after.claim is None:
            self._close_attempt(before, event)
        if event.type is EventType.TASK_ANSWERED:
            self._note_answer(before, event)
        if event.type in (EventType.TASK_STARTED, EventType.TASK_COMPLETED):
            self.row["progressed_at"] = event.at
        self._put(before, after)
        if event.type is EventType.TASK_REPLACED:
            self._rewire(before, event.data["by"])
        else:
            self._release_dependents(before, after)

    def _open_attempt(self, task: Task, event: Event) -> None:
        self.attempts[task.id, task.attempt] = Attempt(
            workflow_id=task.workflow_id,
            task_id=task.id,
            number=task.attempt,
            claim=event.data["claim"],
            session_key=event.data.get("session_key"),
            actor=event.actor,
            started_at=event.at,
            prompt=event.data.get("prompt"),
        )

    def _close_attempt(self, task: Task, event: Event) -> None:
        key = (task.id, task.attempt)
        said = event.data
        self.attempts[key] = replace(
            self.attempts[key],
            ended_at=event.at,
            outcome=OUTCOMES[event.type],
            error_code=said.get("error_code"),
            error=said.get("error"),
            output=said.get("output"),
            questions=said.get("questions"),
        )

    def _note_answer(self, task: Task, event: Event) -> None:
        key = (task.id, task.attempt)
        self.attempts[key] = replace(self.attempts[key], answer=event.data["answer"])

    def _put(self, before: Task | None, after: Task) -> None:
        if before is not None:
            self._count(before, -1)
        self._count(after, +1)
        self.tasks[after.id] = after

    def _count(self, task: Task, by: int) -> None:
        if task.replaced_by is not None:
            return  # no longer of the plan
        self.counts["total"] += by
        self.counts[task.status] += by
        if is_ready(task):
            self.counts["ready"] += by
        if waits_for_decision(task):
            self.counts["undecided"] += by
        if is_retryable(task) and task.waiting_on == 0:
            self.counts["retryable"] += by

    def _release_dependents(self, before: Task, after: Task) -> None:
        for edge in self.edges.get(after.id, ()):
            step = lets_start(edge.kind, before) - lets_start(edge.kind, after)
            if step:
                waiting = self.tasks[edge.task_id]
                self._put(waiting, replace(waiting, waiting_on=waiting.waiting_on + step))

    def _rewire(self, old: Task, new: Sequence[str]) -> None:
        """Whatever waited for `old` now waits for the tasks in its place."""
        for edge in self.edges.pop(old.id, ()):
            waiting = self.tasks[edge.task_id]
            step = -int(not lets_start(edge.kind, old))
            for name in new:
                mine = self.edges.setdefault(name, [])
                if all(each.task_id != edge.task_id for each in mine):
                    mine.append(Edge(name, edge.task_id, edge.kind))
                    step += not lets_start(edge.kind, self.tasks[name])
            self._put(waiting, replace(waiting, waiting_on=waiting.waiting_on + step))

    def add_task(self, event: Event) -> None:
        data = dict(event.data)
        edges = edges_of(
            str(event.task_id),
            data.pop("needs", ()),
            on_failure=data.pop("on_failure", None),
            instead_of=data.pop("instead_of", None),
        )
        task = Task(workflow_id=event.workflow_id, id=str(event.task_id), **data)
        self._put(None, task)
        self.row["plan_seq"] = event.seq
        for edge in edges:
            self.edges.setdefault(edge.needs, []).append(edge)

    def change_plan(self, event: Event) -> None:
        """A new plan: reviews of the old one count no more, and chains before it may be longer."""
        self.row["plan_seq"] = event.seq
        self.row["idle_reviews"] = 0
        for name, chain in event.data.get("chains", {}).items():
            self.tasks[name] = replace(self.tasks[name], chain=chain)

    def record_decision(self, event: Event) -> None:
        if event.data["decision"] in _CLOSING:
            self.decision = Decision(event.data["decision"])
        elif event.task_id is not None:  # its condition holds
            before = self.tasks[event.task_id]
            self._put(before, replace(before, undecided=0, waiting_on=before.waiting_on - 1))

    def bind_session(self, event: Event) -> None:
        task = self.tasks[str(event.task_id)]
        session = event.data["session_key"]
        self.tasks[task.id] = replace(task, session_key=session)
        key = (task.id, task.attempt)
        self.attempts[key] = replace(self.attempts[key], session_key=session)

    def name_failure(self, event: Event) -> None:
        task = self.tasks[str(event.task_id)]
        code = event.data["error_code"]
        self.tasks[task.id] = replace(task, error_code=code)
        key = (task.id, task.attempt)
        self.attempts[key] = replace(self.attempts[key], error_code=code)

    def record_review(self, event: Event) -> None:
        idle = self.row.get("idle_reviews", self.workflow.idle_reviews)
        moving = event.data["progressing"] and not event.data["looping"]
        self.row["idle_reviews"] = 0 if moving else idle + 1

    def settle_hooks(self, event: Event) -> None:
        before = self.tasks[str(event.task_id)]
        left = [
            hook for hook in json.loads(before.hooks_due or "[]") if hook not in event.data["hooks"]
        ]
        after = replace(before, hooks_due=compact(left) if left else None)
        self._put(before, after)
        self._release_dependents(before, after)

    def hand_off(self, event: Event) -> None:
        task = self.tasks[str(event.task_id)]
        self.tasks[task.id] = replace(task, skill=event.data["to"])

    def note(self, event: Event) -> None:
        """Some events change no row: they are read from the log."""

    def tell_user(self, event: Event) -> None:
        self.row["told_at"] = event.at


def edges_of(
    task_id: str, needs: Iterable[str], *, on_failure: str | None, instead_of: str | None
) -> list[Edge]:
    """The edges that lead to a task, from what its specification says."""
    edges = [Edge(need, task_id) for need in needs]
    others = ((on_failure, EdgeKind.ON_FAILURE), (instead_of, EdgeKind.INSTEAD_OF))
    return edges + [Edge(other, task_id, kind) for other, kind in others if other is not None]


def lets_start(kind: EdgeKind, task: Task) -> bool:
    """Whether `task`, waited for by an edge of this kind, no longer holds the other back."""
    if kind is EdgeKind.ON_FAILURE:
        return failed_for_good(task)
    if kind is EdgeKind.INSTEAD_OF:
        return task.status is Status.NOT_APPLICABLE
    return task.status in SETTLED and task.hooks_due is None


_WORKFLOW_EVENTS: Mapping[EventType, Callable[[_Draft, Event], None]] = {
    EventType.TASK_ADDED: _Draft.add_task,
    EventType.PLAN_CHANGED: _Draft.change_plan,
    EventType.DECISION_RECORDED: _Draft.record_decision,
    EventType.USER_TOLD: _Draft.tell_user,
    EventType.REVIEW_RECORDED: _Draft.record_review,
    EventType.SESSION_BOUND: _Draft.bind_session,
    EventType.FAILURE_NAMED: _Draft.name_failure,
    EventType.HOOKS_SETTLED: _Draft.settle_hooks,
    EventType.HANDOFF: _Draft.hand_off,
    EventType.ARTIFACT_ADDED: _Draft.note,
    EventType.TEST_RECORDED: _Draft.note,
    EventType.METRIC_RECORDED: _Draft.note,
    EventType.FINDING_ADDED: _Draft.note,
    EventType.FOLLOWUP_ADDED: _Draft.note,
}


def _at_rest() -> dict[str, Any]:
    return {"claim": None, "session_key": None, "lease_until": None, "last_seen_at": None}


def _started(task: Task, event: Event) -> dict[str, Any]:
    return {
        "attempt": task.attempt + 1,
        "claim": event.data["claim"],
        "session_key": event.data.get("session_key"),
        "started_at": event.at,
        "lease_until": event.at + event.data["lease_seconds"],
        "last_seen_at": event.at,
        "not_before": None,
        "hooks_due": None,
        "ended_at": None,
        # A start from review is a retry of work that was handed in.
        "failures": task.failures + (task.status is Status.REVIEW),
    }


def _completed(_task: Task, event: Event) -> dict[str, Any]:
    said = {"result": event.data.get("result"), "summary": event.data.get("summary")}
    hooks = {"hooks_due": _hooks_of(event), "ended_at": event.at}
    cleared = {"error": None, "error_code": None, **hooks}
    return _at_rest() | said | cleared


def _hooks_of(event: Event) -> str | None:
    return compact(event.data["hooks"]) if event.data.get("hooks") else None


def _failed(task: Task, event: Event) -> dict[str, Any]:
    return _at_rest() | {
        "failures": task.failures + 1,
        "final": int(event.data.get("final", False)),
        "not_before": event.data.get("not_before"),
        "error_code": event.data.get("error_code"),
        "error": event.data.get("error"),
        "fingerprint": event.data.get("fingerprint"),
        "same_error": _in_a_row(task, event),
        "hooks_due": _hooks_of(event),
        "ended_at": event.at,
    }


def _in_a_row(task: Task, event: Event) -> int:
    """How often the same error has now ended the task, one after the other."""
    same = task.fingerprint is not None and task.fingerprint == event.data.get("fingerprint")
    return task.same_error + 1 if same else 1


def _expired(task: Task, event: Event) -> dict[str, Any]:
    return _at_rest() | {
        "failures": task.failures + 1,
        "error_code": event.data.get("error_code"),
        "error": event.data.get("error"),
    }


def _asked(_task: Task, event: Event) -> dict[str, Any]:
    return _at_rest() | {"summary": event.data.get("summary")}


def _reopened(_task: Task, _event: Event) -> dict[str, Any]:
    return {"failures": 0, "final": 0, "not_before": None, "ended_at": None}


def _rested(_task: Task, _event: Event) -> dict[str, Any]:
    return _at_rest()


def _closed(_task: Task, event: Event) -> dict[str, Any]:
    rest = {"error": event.data.get("reason"), "hooks_due": None, "ended_at": event.at}
    return _at_rest() | rest


def _replaced(task: Task, event: Event) -> dict[str, Any]:
    return _closed(task, event) | {"replaced_by": compact(list(event.data["by"]))}


#: The fields of a task, its status apart, that an event changes.
_TASK_CHANGES: Mapping[EventType, Callable[[Task, Event], dict[str, Any]]] = {
    EventType.TASK_STARTED: _started,
    EventType.TASK_COMPLETED: _completed,
    EventType.GATE_FAILED: _completed,
    EventType.TASK_FAILED: _failed,
    EventType.ATTEMPT_EXPIRED: _expired,
    EventType.TASK_ASKED: _asked,
    EventType.TASK_ANSWERED: _rested,
    EventType.TASK_RELEASED: _rested,
    EventType.TASK_REOPENED: _reopened,
    EventType.TASK_CANCELLED: _closed,
    EventType.TASK_NOT_APPLICABLE: _closed,
    EventType.TASK_REPLACED: _replaced,
}

assert set(_TASK_CHANGES) == set(MOVES)
assert {*COUNTERS} >= {str(status) for status in Status}
