"""Where the tasks of a change stand in the plan that is there: what they wait for, what waits."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from relaybook.core.plan.task_spec import TaskSpec, waits_for
from relaybook.engine.desk import Desk
from relaybook.errors import InvalidPlan, clip
from relaybook.model import OVER, SETTLED, EdgeKind, EventType, Pattern, Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_task, needs_of


def placed(
    desk: Desk, tx: Tx, workflow: Workflow, specs: Sequence[TaskSpec], old: Sequence[Task]
) -> tuple[TaskSpec, ...]:
    """`specs` with what they wait for, where they name nothing.

    They wait for what the tasks they replace waited for; in a pipeline one after the other,
    and after its last step if they replace none.
    """
    if not old and workflow.pattern is not Pattern.PIPELINE:
        return tuple(specs)
    place = _place_of(desk, tx, workflow, old)
    if workflow.pattern is Pattern.PIPELINE and not any(map(waits_for, specs)):
        rest = [replace(after, depends_on=(before.id,)) for before, after in pairwise(specs)]
        return (replace(specs[0], **place), *rest)
    return tuple(spec if waits_for(spec) else replace(spec, **place) for spec in specs)


def _place_of(desk: Desk, tx: Tx, workflow: Workflow, old: Sequence[Task]) -> dict[str, Any]:
    """What the tasks replaced wait for and are given; the end of the plan if there are none."""
    if not old:
        return {"depends_on": _ends(tx, workflow.id)}
    names = {task.id for task in old}
    needs = dict.fromkeys(need for task in old for need in needs_of(tx, workflow.id, task.id))
    takes = dict.fromkeys(take for t in old for take in desk.spec(tx, workflow.id, t.spec).takes)
    handles = needs_of(tx, workflow.id, old[0].id, EdgeKind.ON_FAILURE)
    return {
        "depends_on": tuple(need for need in needs if need not in names),
        "takes": tuple(take for take in takes if take.source not in names),
        "on_failure": handles[0] if handles and handles[0] not in names else None,
    }


def _ends(tx: Tx, workflow_id: str) -> tuple[str, ...]:
    """The steps that no other waits for, handlers apart."""
    sql = (
        "SELECT id FROM tasks WHERE workflow_id = :id AND replaced_by IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM edges WHERE workflow_id = :id AND (edges.needs = tasks.id AND"
        " kind = 'needs' OR edges.task_id = tasks.id AND kind = 'on_failure')) ORDER BY position"
    )
    return tuple(row[0] for row in tx.rows(sql, {"id": workflow_id}))


def refuse_dead_ends(
    specs: Sequence[TaskSpec], known: Mapping[str, Task], old: Sequence[Task]
) -> None:
    """Refuse tasks that could never start, since what they wait for will not come.

    Raises:
        InvalidPlan: with the reason.
    """
    names = {task.id for task in old}
    for spec in specs:
        for need in waits_for(spec):
            if need in known and (why := _dead_end(known[need], spec.on_failure == need, names)):
                raise InvalidPlan(
                    f"Task {spec.id!r} would wait for {need!r} for ever: {why}.",
                    allowed="tasks of the plan that may still complete, or fail if it handles that",
                    next="correct depends_on and send the change again",
                )


def _dead_end(task: Task, handles: bool, replaced_now: set[str]) -> str:
    if task.id in replaced_now:
        return "this change puts it aside"
    if task.replaced_by is not None:
        return f"it was replaced by {clip(task.replaced_by, 100)}"
    if task.status is Status.CANCELLED:
        return "it is cancelled"
    return f"it is {task.status}" if handles and task.status in SETTLED else ""


def refuse_circle(tx: Tx, workflow_id: str, known: Mapping[str, Task], old: Sequence[Task]) -> None:
    """Refuse added tasks that wait for one that waits for the tasks they replace.

    Raises:
        InvalidPlan: with one of them.
    """
    if not old or not known:
        return
    following: dict[str, list[str]] = {}
    sql = "SELECT needs, task_id FROM edges WHERE workflow_id = :id"
    for need, task_id in tx.rows(sql, {"id": workflow_id}):
        following.setdefault(need, []).append(task_id)
    reached = {task.id for task in old}
    queue = list(reached)
    while queue:
        new = [name for name in following.get(queue.pop(), ()) if name not in reached]
        reached.update(new)
        queue.extend(new)
    if circle := sorted(reached & known.keys() - {task.id for task in old}):
        raise InvalidPlan(
            f"An added task waits for {circle[0]!r}, which waits for the task it replaces.",
            allowed="dependencies without a circle",
            next="let it depend on tasks before the one it replaces",
        )


def longer_chains(
    tx: Tx,
    workflow_id: str,
    added: Sequence[tuple[EventType, str, Mapping[str, Any]]],
    known: Mapping[str, Task],
) -> dict[str, tuple[Task, float]]:
    """The tasks not over whose chain the added ones make longer, each with its new minutes."""
    found: dict[str, tuple[Task, float]] = {}
    queue = deque[tuple[str, float]](
        (need, float(data["chain"]))
        for _, _, data in added
        for need in data.get("needs", ())
        if need in known
    )
    while queue:
        name, after = queue.popleft()
        task, longest = found.get(name) or _with_chain(tx, workflow_id, name, known)
        chain = task.expected_minutes + after
        if chain > longest and task.status not in OVER:
            found[name] = task, chain
            queue.extend((need, chain) for need in needs_of(tx, workflow_id, name))
    return found


def _with_chain(
    tx: Tx, workflow_id: str, name: str, known: Mapping[str, Task]
) -> tuple[Task, float]:
    task = known.get(name) or get_task(tx, workflow_id, name)
    return task, task.chain
