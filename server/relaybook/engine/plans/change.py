"""change_plan: tasks join a workflow that goes on, and take the place of ones that did not work."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from relaybook.core.plan.task_spec import TaskSpec, spec_value, waits_for
from relaybook.core.plan.tasks import added_tasks, check_graph, last_of, read_tasks
from relaybook.core.policy import REASON_LIMIT
from relaybook.core.task.case import Case
from relaybook.core.task.command import ChangePlan
from relaybook.core.task.machine import decide
from relaybook.core.text import canonical, storable, text_hash
from relaybook.engine.desk import Desk
from relaybook.engine.plans.check import check_added, told
from relaybook.engine.plans.hand_over import refuse_broken_hand_over
from relaybook.engine.plans.place import longer_chains, placed, refuse_circle, refuse_dead_ends
from relaybook.engine.plans.settle import refuse_worker, settled
from relaybook.engine.plans.stand_in import standing_in, stands_for, with_slugs_of, without_gate
from relaybook.engine.view.advice import progress
from relaybook.engine.view.unsettled import next_now
from relaybook.errors import clip
from relaybook.model import Pattern, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import (
    first_tasks,
    get_task,
    get_workflow,
    load_edges,
    load_open_attempts,
    load_tasks,
)
from relaybook.store.ledger import apply
from relaybook.store.texts import put_texts


def change_plan(
    desk: Desk,
    workflow_id: str,
    *,
    add: Sequence[Any] = (),
    replaces: Sequence[str] = (),
    reason: str = "",
    if_seq: int | None = None,
    actor: str = "orchestrator",
) -> dict[str, Any]:
    """Add tasks; with `replaces`, put them in the place of tasks that did not work.

    Added tasks that name no dependency take over those of the tasks they replace, and
    whatever waited for a replaced task waits for the last of the added, which asks for what the
    plan left to the parent; in the place of a stage it is one, with its gate. In a pipeline they
    run in a row, by default at its end. A supervisor may drop tasks: `replaces` alone.

    Raises:
        InvalidPlan: the tasks are wrong, or lack what a task that stays takes from those they
            replace, or there is nothing to change.
        StalePlan: the plan changed after `if_seq`.
        AlreadyOver: a task to be replaced is completed or in progress.
        WorkflowEnded: the workflow is closed.
        Forbidden: a worker may not.
    """
    refuse_worker(actor, "change a plan")
    with desk.store.transaction() as tx:
        workflow = get_workflow(tx, workflow_id, lock=True)
        old = [get_task(tx, workflow_id, name) for name in dict.fromkeys(replaces)]
        specs = _specs(desk, tx, workflow, add, old)
        stages = stands_for(specs, old)
        findings = check_added(desk, tx, workflow, specs, old)
        findings += map(told, without_gate(specs, stages))
        bodies = [canonical(spec_value(spec)) for spec in specs]
        case, changes = _changes(tx, workflow, specs, bodies, old)
        refuse_broken_hand_over(desk, tx, case, specs, old)
        command = ChangePlan(
            at=desk.clock(),
            actor=actor,
            reason=clip(storable(reason), REASON_LIMIT),
            if_seq=if_seq,
            **changes,
        )
        after = apply(tx, case, decide(case, command))
        put_texts(tx, workflow_id, bodies)
        call = next_now(tx, after.workflow, desk.clock())
        answer = _answer(after.workflow, len(specs), len(old), call)
    return answer | ({"findings": findings} if findings else {})


def _changes(
    tx: Tx,
    workflow: Workflow,
    specs: Sequence[TaskSpec],
    bodies: Sequence[str],
    old: Sequence[Task],
) -> tuple[Case, dict[str, Any]]:
    """The case of the change, and what the change is made of."""
    case, known = _case(tx, workflow, specs, old)
    refuse_dead_ends(specs, known, old)
    refuse_circle(tx, workflow.id, known, old)
    added = added_tasks(
        specs,
        [text_hash(body) for body in bodies],
        position=_next_position(tx, workflow.id),
        known=known,
        after=_after(case, old),
    )
    before = longer_chains(tx, workflow.id, added, known)
    changes: dict[str, Any] = {
        "added": with_slugs_of(stands_for(specs, old), added),
        "replaces": [task.id for task in old],
        "stand_ins": last_of(specs),
        "chains": {name: chain for name, (_, chain) in before.items()},
    }
    tasks = {name: task for name, (task, _) in before.items()}
    return replace(case, tasks={**tasks, **case.tasks}), changes


def _answer(changed: Workflow, added: int, replaced: int, call: str) -> dict[str, Any]:
    return {
        "workflow_id": changed.id,
        "seq": changed.seq,
        "progress": progress(changed),
        "summary": f"{added} task(s) added, {replaced} {'replaced' if added else 'dropped'}",
        "next": call,
    }


def _specs(
    desk: Desk, tx: Tx, workflow: Workflow, add: Sequence[Any], old: Sequence[Task]
) -> tuple[TaskSpec, ...]:
    """The tasks to add, in their place and settled; none where tasks are only dropped."""
    if not add:
        return ()
    specs = placed(desk, tx, workflow, read_tasks(add, Pattern.SUPERVISOR, change=True), old)
    specs = standing_in(desk, tx, workflow, specs, old)
    specs = tuple(
        settled(desk, workflow.pattern, spec, f"add[{number}].")
        for number, spec in enumerate(specs)
    )
    named = {spec.id for spec in specs} | {need for spec in specs for need in waits_for(spec)}
    known = load_tasks(tx, workflow.id, sorted(named))
    check_graph(specs, known, lambda: first_tasks(tx, workflow.id))
    return specs


def _case(
    tx: Tx, workflow: Workflow, specs: Sequence[TaskSpec], old: Sequence[Task]
) -> tuple[Case, Mapping[str, Task]]:
    """The case of the change: the tasks replaced, those that wait for them, those waited for."""
    needed = {need for spec in specs for need in waits_for(spec)} - {spec.id for spec in specs}
    known = load_tasks(tx, workflow.id, sorted(needed))
    tasks = {**known, **{task.id: task for task in old}}
    edges = load_edges(tx, workflow.id, tasks)  # and the tasks at their ends
    attempts = load_open_attempts(tx, tasks.values())  # of handlers that may be called off
    return Case(workflow=workflow, tasks=tasks, attempts=attempts, edges=edges), known


def _after(case: Case, old: Sequence[Task]) -> float:
    """Minutes of the longest chain that follows the tasks replaced."""
    names = {task.id for task in old}
    following = [
        case.tasks[edge.task_id].chain
        for name in names
        for edge in case.edges.get(name, ())
        if edge.task_id not in names
    ]
    return max(following, default=0.0)


def _next_position(tx: Tx, workflow_id: str) -> int:
    sql = "SELECT max(position) FROM tasks WHERE workflow_id = :id"
    return tx.rows(sql, {"id": workflow_id})[0][0] + 1
