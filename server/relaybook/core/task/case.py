"""A case: the slice of one workflow that a command needs, and how events change it.

`evolve` is the only place that says which row changes an event means. It serves the
live ledger and the replay of its events alike, so it refuses nothing and asks no clock.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relaybook.core.task.edges import edges_of, lets_start
from relaybook.core.task.effects import MOVES, OUTCOMES, TASK_CHANGES
from relaybook.core.task.status import (
    ENDED,
    counts_of,
    is_ready,
    is_retryable,
    status_from,
    waits_for_decision,
)
from relaybook.core.text import compact
from relaybook.model import (
    Attempt,
    Decision,
    Edge,
    Event,
    EventType,
    Pattern,
    Scope,
    Task,
    Workflow,
)

#: The decisions that end a workflow; `in Decision` itself wants Python 3.12.
_CLOSING = frozenset(Decision)


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
    #: Whether tasks of the project other than the one task are writing anything.
    others_write: bool = False


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
        workflow = self.workflow._replace(
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
        after = before._replace(
            status=MOVES[event.type][1], **TASK_CHANGES[event.type](before, event)
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
        self.attempts[key] = self.attempts[key]._replace(
            ended_at=event.at,
            outcome=OUTCOMES[event.type],
            error_code=said.get("error_code"),
            error=said.get("error"),
            output=said.get("output"),
            questions=said.get("questions"),
        )

    def _note_answer(self, task: Task, event: Event) -> None:
        key = (task.id, task.attempt)
        self.attempts[key] = self.attempts[key]._replace(answer=event.data["answer"])

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
                self._put(waiting, waiting._replace(waiting_on=waiting.waiting_on + step))

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
            self._put(waiting, waiting._replace(waiting_on=waiting.waiting_on + step))

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
            self.tasks[name] = self.tasks[name]._replace(chain=chain)

    def record_decision(self, event: Event) -> None:
        if event.data["decision"] in _CLOSING:
            self.decision = Decision(event.data["decision"])
        elif event.task_id is not None and event.data.keys().isdisjoint(_ABOUT_NO_CONDITION):
            before = self.tasks[event.task_id]
            self._put(before, before._replace(undecided=0, waiting_on=before.waiting_on - 1))

    def bind_session(self, event: Event) -> None:
        task = self.tasks[str(event.task_id)]
        session = event.data["session_key"]
        self.tasks[task.id] = task._replace(session_key=session)
        key = (task.id, task.attempt)
        self.attempts[key] = self.attempts[key]._replace(session_key=session)

    def name_failure(self, event: Event) -> None:
        task = self.tasks[str(event.task_id)]
        code = event.data["error_code"]
        self.tasks[task.id] = task._replace(error_code=code)
        key = (task.id, task.attempt)
        self.attempts[key] = self.attempts[key]._replace(error_code=code)

    def record_review(self, event: Event) -> None:
        idle = self.row.get("idle_reviews", self.workflow.idle_reviews)
        moving = event.data["progressing"] and not event.data["looping"]
        self.row["idle_reviews"] = 0 if moving else idle + 1

    def settle_hooks(self, event: Event) -> None:
        before = self.tasks[str(event.task_id)]
        left = [
            hook for hook in json.loads(before.hooks_due or "[]") if hook not in event.data["hooks"]
        ]
        after = before._replace(hooks_due=compact(left) if left else None)
        self._put(before, after)
        self._release_dependents(before, after)

    def hand_off(self, event: Event) -> None:
        task = self.tasks[str(event.task_id)]
        self.tasks[task.id] = task._replace(skill=event.data["to"])

    def note(self, event: Event) -> None:
        """Some events change no row: they are read from the log."""

    def tell_user(self, event: Event) -> None:
        self.row["told_at"] = event.at


#: Members of a decision about a task that does not say that the task's condition holds.
_ABOUT_NO_CONDITION = ("gate", "lesson")

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
