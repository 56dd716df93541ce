"""A work item: one task as it stands and stood, replayed from its events."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.result.evidence import gather
from relaybook.model import ITEM_EVENTS, WORDS, Event, EventType, Status, Task, Workflow

#: What an event keeps for the ledger alone.
_HIDDEN = frozenset({"claim", "spec", "result", "output", "prompt", "fingerprint", "lease_seconds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """What is known of one piece of work. Times are epoch seconds."""

    #: Its slug, or `<workflow>/<task>` for a task that is no stage.
    slug: str
    workflow_id: str
    task_id: str
    project: str
    #: todo, in_progress, blocked, review, done or failed.
    status: str
    goal: str
    success_criteria: tuple[str, ...]
    constraints: tuple[str, ...]
    capability: str | None
    #: Who it is assigned to.
    skill: str | None
    attempt: int
    failures: int
    #: The work items that it waits for, and those that wait for it.
    blockers: tuple[str, ...]
    dependents: tuple[str, ...]
    #: Records as they came; `artifacts` are files, `findings` lessons learned.
    artifacts: tuple[Mapping[str, Any], ...]
    tests: tuple[Mapping[str, Any], ...]
    criteria: tuple[Mapping[str, Any], ...]
    metrics: Mapping[str, float]
    findings: tuple[Mapping[str, Any], ...]
    followups: tuple[Mapping[str, Any], ...]
    handoffs: tuple[Mapping[str, Any], ...]
    #: Hooks that are neither run nor waived, and those that are.
    hooks_due: tuple[str, ...]
    hooks_settled: tuple[str, ...]
    result: str
    error: str | None
    created_at: float
    started_at: float | None
    ended_at: float | None
    updated_at: float

    def summary(self) -> str:
        """The item in a line."""
        words = next(words for words in WORDS.values() if words.item == self.status)
        who = f" → {self.skill}" if self.skill else ""
        return f"{words.icon} {self.slug} [{self.status}] {self.goal}{who}"


def item_status(task: Task) -> str:
    """The word of the work-item view for the state of `task`."""
    if task.status is Status.PENDING and task.waiting_on:
        return WORDS[Status.INPUT_REQUIRED].item
    return WORDS[task.status].item


def item_slug(task: Task) -> str:
    """What a work item is called."""
    return task.slug or f"{task.workflow_id}/{task.id}"


def work_item(
    workflow: Workflow,
    task: Task,
    spec: TaskSpec,
    events: Sequence[Event],
    blockers: Sequence[str],
    dependents: Sequence[str],
) -> WorkItem:
    """The work item of `task`, whose events are `events`, in order."""
    records = gather(events)
    constraints = spec.args.get("constraints", ())
    return WorkItem(
        slug=item_slug(task),
        workflow_id=workflow.id,
        task_id=task.id,
        project=workflow.project,
        status=item_status(task),
        goal=spec.goal or task.label,
        success_criteria=spec.done,
        constraints=tuple(map(str, constraints)) if isinstance(constraints, list) else (),
        capability=task.capability,
        skill=task.skill,
        attempt=task.attempt,
        failures=task.failures,
        blockers=tuple(blockers),
        dependents=tuple(dependents),
        artifacts=tuple(records.artifacts.values()),
        tests=tuple(records.tests.values()),
        criteria=tuple(records.criteria.values()),
        metrics={name: data["value"] for name, data in records.metrics.items()},
        findings=tuple(records.findings),
        followups=tuple(records.followups),
        handoffs=tuple(event.data for event in events if event.type is EventType.HANDOFF),
        hooks_due=tuple(json.loads(task.hooks_due or "[]")),
        hooks_settled=_settled(events),
        result=task.summary or "",
        error=task.error,
        created_at=events[0].at if events else workflow.created_at,
        started_at=task.started_at,
        ended_at=task.ended_at,
        updated_at=events[-1].at if events else workflow.created_at,
    )


def _settled(events: Sequence[Event]) -> tuple[str, ...]:
    """The hooks settled since the last end of the stage."""
    settled: list[str] = []
    for event in events:
        if event.type in (EventType.TASK_COMPLETED, EventType.TASK_FAILED):
            settled = []
        elif event.type is EventType.HOOKS_SETTLED:
            settled += event.data["hooks"]
    return tuple(settled)


def item_events(slug: str, event: Event) -> list[dict[str, Any]]:
    """What `event` is in the work-item view: none, one, or more under its twelve names."""
    payload = {name: value for name, value in event.data.items() if name not in _HIDDEN}
    said = {"slug": slug, "at": event.at, "author": event.actor}
    if event.type is not EventType.TASK_ADDED:
        return [{**said, "type": n, "payload": payload} for n in ITEM_EVENTS.get(event.type, ())]
    created, added = ITEM_EVENTS[event.type]
    goal = {name: payload[name] for name in ("label", "capability", "skill") if name in payload}
    others = (event.data.get("on_failure"), event.data.get("instead_of"))
    needs = [*event.data.get("needs", ()), *filter(None, others)]
    waits = [{**said, "type": added, "payload": {"depends_on": need}} for need in needs]
    return [{**said, "type": created, "payload": goal}, *waits]
