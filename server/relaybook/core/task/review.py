"""How work that was handed in is judged: when it comes, and again in review."""

import json
from typing import Any

from relaybook.core.task.called_off import handlers_not_needed
from relaybook.core.task.case import Case
from relaybook.core.task.close import refuse_decided
from relaybook.core.task.command import Change, Complete, Fail, Reconsider, SettleHooks
from relaybook.errors import AlreadyOver, Blocked
from relaybook.model import OVER, EventType, Status


def notes_of(c: Complete | Reconsider | SettleHooks | Fail) -> list[Change]:
    return [(kind, c.task_id, data) for kind, data in c.notes]


def judged(case: Case, c: Complete | Reconsider, said: dict[str, Any]) -> list[Change]:
    """The task completed, or in review if anything is held against it."""
    if c.objections:
        return [(EventType.GATE_FAILED, c.task_id, said | {"items": list(c.objections)})]
    said |= {"hooks": list(c.hooks)} if c.hooks else {}
    done: Change = (EventType.TASK_COMPLETED, c.task_id, said)
    return [done, *handlers_not_needed(case, c.task_id)]


def reconsider(case: Case, c: Reconsider) -> list[Change]:
    task = case.tasks[c.task_id]
    refuse_decided(case.workflow)
    if task.status is not Status.REVIEW:
        kind = AlreadyOver if task.status in OVER else Blocked
        raise kind(
            f"Task {task.id!r} is {task.status}; it is not in review.",
            allowed="tasks in review",
            next="call get_workflow for what waits for a decision",
        )
    said: dict[str, Any] = {"result": task.result, "summary": task.summary}
    if c.result is not None:
        said = {"result": c.result, "summary": c.summary}
    said |= {c.decision: c.reason} if c.decision else {}
    return [*notes_of(c), *judged(case, c, said)]


def settle_hooks(case: Case, c: SettleHooks) -> list[Change]:
    task = case.tasks[c.task_id]
    due = json.loads(task.hooks_due or "[]")
    hooks = [name for name in c.hooks if name in due]
    if not hooks:
        return []
    refuse_decided(case.workflow)
    said: dict[str, Any] = {"hooks": hooks}
    said |= {"waived": c.reason} if c.waived else {}
    settled: list[Change] = [*notes_of(c), (EventType.HOOKS_SETTLED, c.task_id, said)]
    if not c.objections or task.status is not Status.COMPLETED:
        return settled
    back = {"result": task.result, "summary": task.summary, "items": list(c.objections)}
    return [*settled, (EventType.GATE_FAILED, c.task_id, back)]
