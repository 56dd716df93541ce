"""How a plan changes: tasks added, put in the place of others, or dropped."""

from collections.abc import Iterable
from typing import Any

from relaybook.core.task.called_off import alternatives_not_needed, handlers_not_needed
from relaybook.core.task.case import Case
from relaybook.core.task.close import more_work, refuse_decided
from relaybook.core.task.command import Change, ChangePlan
from relaybook.core.task.effects import MOVES
from relaybook.core.task.status import workflow_status
from relaybook.errors import AlreadyOver, InvalidPlan, StalePlan, WorkflowEnded
from relaybook.model import OVER, EventType, Pattern, Task, Workflow, WorkflowStatus

#: Statuses in which a task may be put aside for another.
REPLACEABLE = MOVES[EventType.TASK_REPLACED][0]


def change_plan(case: Case, c: ChangePlan) -> list[Change]:
    workflow = case.workflow
    refuse_decided(workflow)
    if workflow_status(workflow) is WorkflowStatus.COMPLETED:
        raise WorkflowEnded(
            f"Workflow {workflow.id!r} is completed.",
            allowed="changes to workflows that have not ended",
            next="make a new workflow",
        )
    if c.if_seq is not None and workflow.plan_seq > c.if_seq:
        raise StalePlan(
            f"The plan of {workflow.id!r} changed at {workflow.plan_seq}, after {c.if_seq}.",
            next="call get_workflow, look at the plan, and send the change with its seq",
        )
    for name in c.replaces:
        _refuse_replacing(workflow, case.tasks[name])
    if not c.added:
        _refuse_dropping(workflow, c)
    said: dict[str, Any] = {"reason": c.reason}
    if c.chains:
        said["chains"] = dict(c.chains)
    by = {"by": list(c.stand_ins), "reason": c.reason}
    replaced: list[Change] = [(EventType.TASK_REPLACED, name, by) for name in c.replaces]
    idle = [change for change in _idle(case, c) if change[1] not in c.replaces]
    return [(EventType.PLAN_CHANGED, None, said), *c.added, *idle, *replaced]


def _idle(case: Case, c: ChangePlan) -> Iterable[Change]:
    """What the change leaves without a reason to run, each once.

    The handlers of a dropped task; what would run instead of one in whose place another now runs.
    """
    called_off = alternatives_not_needed if c.added else handlers_not_needed
    if c.added and all(_has_condition(c, name) for name in c.stand_ins):
        return ()
    return {ch[1]: ch for name in c.replaces for ch in called_off(case, name)}.values()


def _has_condition(c: ChangePlan, name: str) -> bool:
    return any(added == name and data.get("undecided") for _, added, data in c.added)


def _refuse_dropping(workflow: Workflow, c: ChangePlan) -> None:
    """Refuse to leave tasks out: no step of a fixed plan is skipped, and a drop has a reason."""
    if workflow.pattern is not Pattern.SUPERVISOR:
        raise InvalidPlan(
            f"The change of {workflow.id!r}, a {workflow.pattern}, adds no task.",
            allowed="add=[{id, label, …}], with replaces=[task ids] if they take a place",
            next="send the tasks to add; to stop one, use update_task with status 'cancelled'",
        )
    if not c.replaces or not c.reason.strip():
        raise InvalidPlan(
            "The change adds no task, and does not say which to drop and why.",
            allowed="tasks to add, or replaces=[task ids] with a reason",
            next="send one of the two",
        )


def _refuse_replacing(workflow: Workflow, task: Task) -> None:
    if task.status not in REPLACEABLE or task.replaced_by is not None:
        raise AlreadyOver(
            f"Task {task.id!r} is {task.status}"
            + (" and replaced already." if task.replaced_by else "; it cannot be replaced."),
            allowed=", ".join(sorted(REPLACEABLE)),
            next=more_work(workflow)
            if task.status in OVER
            else "give its claim back or cancel it first, then send the change again",
        )
