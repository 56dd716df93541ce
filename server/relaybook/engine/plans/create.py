"""create_workflow: a plan enters the ledger, whole, or not at all."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.core.plan.task_spec import spec_value
from relaybook.core.plan.tasks import added_tasks
from relaybook.core.policy import DEFAULT_WIDTH
from relaybook.core.task.case import Case, evolve, opened
from relaybook.core.task.command import Change, Command
from relaybook.core.task.machine import number
from relaybook.core.task.status import is_ready, workflow_status
from relaybook.core.text import canonical, text_hash
from relaybook.engine.desk import Desk
from relaybook.engine.plans.cost import plan_cost
from relaybook.engine.plans.overlap import overlaps_now
from relaybook.engine.plans.planned import Asked, Planned, planned, short
from relaybook.engine.plans.settle import refuse_worker
from relaybook.engine.tasks.stage import STAGES_LIMIT, hook_options, routed, stage_lines, with_slugs
from relaybook.engine.view.advice import next_call, progress
from relaybook.engine.view.ahead import when_held
from relaybook.engine.view.attention import READY_LOOKED_AT, held_of
from relaybook.engine.view.startable import READY
from relaybook.errors import RequestIdReused, clip
from relaybook.model import EventType, Workflow
from relaybook.registry.contracts import Route
from relaybook.store.base import Tx
from relaybook.store.ledger import apply
from relaybook.store.tables import TASKS, WORKFLOWS
from relaybook.store.texts import put_texts

#: How many tasks a dry run lists.
TASKS_SHOWN = 20


def create_workflow(
    desk: Desk,
    pattern: str = "",
    name: str = "",
    *,
    composition: str = "",
    tasks: Sequence[Any] = (),
    stages: Sequence[Any] = (),
    hooks: Any = None,
    items: Sequence[Any] = (),
    batches: int | None = None,
    template: str = "",
    args: Mapping[str, Any] | None = None,
    project: str = "default",
    max_parallel: int = DEFAULT_WIDTH,
    override: str = "",
    shared_decisions: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    request_id: str | None = None,
    dry_run: bool = False,
    actor: str = "orchestrator",
) -> dict[str, Any]:
    """Register a plan: tasks, items divided over `batches` tasks, stages, or a composition.

    `stages` are {capability, goal, skill?, args?, done?}, a pipeline unless a pattern is given;
    `hooks` are the skills that follow up each stage, or "advisory". `args` are for the template
    of the items, or for the composition. A repeat with the same `request_id` and arguments
    answers the workflow that is there. The answer tells what the prompts cost; with `dry_run`
    nothing is written, and it lists the tasks. `override` says why more than six may run at once;
    `shared_decisions` stand in every prompt, word for word. Of `metadata` the members
    `audience`, `model`, `weights` and `quorum` are for the synthesis; `core.wishes` says more.

    Raises:
        InvalidPlan, InvalidArguments: it names the fault; nothing was written.
        UnknownCapability, UnknownContract: nobody can do a stage; names the nearest.
        UnknownComposition, InvalidComposition: there is none of that name, or it is broken.
        RequestIdReused: the id belongs to a call with other arguments.
        Forbidden: a worker may not.
    """
    refuse_worker(actor, "make a workflow")
    plan = planned(
        desk,
        Asked(
            pattern=pattern,
            name=name,
            composition=composition,
            tasks=tasks,
            stages=stages,
            items=items,
            batches=batches,
            template=template,
            args=args or {},
            project=project,
            max_parallel=max_parallel,
            override=override,
            shared_decisions=shared_decisions,
            metadata=metadata or {},
            options={**(options or {}), **hook_options(hooks)},
        ),
    )
    command = Command(at=desk.clock(), actor=actor)
    if dry_run:
        return _dry_run(desk, plan, request_id, command)
    return _registered(desk, plan, request_id, command)


def _row(plan: Planned, request_id: str | None) -> Mapping[str, Any]:
    """The row of the workflow, with what tells a repeat of its request."""
    if request_id is None:
        return plan.row
    row = {**plan.row, "request_id": _request_key(str(plan.row["project"]), request_id)}
    asked = canonical([row, [spec_value(spec) for spec in plan.specs]])
    return row | {"request_hash": text_hash(asked)}


def _dry_run(desk: Desk, plan: Planned, request_id: str | None, command: Command) -> dict[str, Any]:
    with desk.store.read() as tx:
        found = _repeated(tx, request_id, _row(plan, request_id), command.at)
        events = number("dry_run", 0, command, _changes(tx, plan.row, plan, _bodies(plan)))
        case = evolve(opened(events[0]), events[1:])
        findings = [*plan.findings, *overlaps_now(tx, case)]
        held = _held(tx, case, command.at)
    answer = _answer(case, command.at, findings, plan.routes, held) | _preview(desk, plan)
    del answer["workflow_id"], answer["seq"]  # there is none
    then = f"answers {found['workflow_id']!r}, which is there already" if found else "registers it"
    return answer | {"next": f"create_workflow without dry_run {then}"}


def _registered(
    desk: Desk, plan: Planned, request_id: str | None, command: Command
) -> dict[str, Any]:
    row, bodies = _row(plan, request_id), _bodies(plan)
    cost = plan_cost(desk, plan.pattern, plan.specs, plan.options)
    with desk.store.transaction() as tx:
        if request_id is not None:
            tx.lock(f"request {row['request_id']}")
        if found := _repeated(tx, request_id, row, command.at):
            return found
        events = number(_fresh_id(desk, tx), 0, command, _changes(tx, row, plan, bodies))
        case = apply(tx, None, events)
        put_texts(tx, case.workflow.id, bodies)
        findings = [*plan.findings, *overlaps_now(tx, case)]
        held = _held(tx, case, command.at)
    return _answer(case, command.at, findings, plan.routes, held) | {"cost": cost}


def names_its_request(*_: Any, request_id: str | None = None, **__: Any) -> bool:
    """Whether a repeat of the call answers the workflow that the first one made."""
    return request_id is not None


def _changes(tx: Tx, row: Mapping[str, Any], plan: Planned, bodies: Sequence[str]) -> list[Change]:
    """The events that make a workflow; its stages, if it has any, get their slugs."""
    hashes = list(map(text_hash, bodies))
    added: Sequence[Change] = added_tasks(plan.specs, hashes)
    if plan.routes:
        added = with_slugs(tx, row["name"], added)
    return [(EventType.WORKFLOW_CREATED, None, row), *added]


def _bodies(plan: Planned) -> list[str]:
    """The texts of the specifications."""
    return [canonical(spec_value(spec)) for spec in plan.specs]


def _preview(desk: Desk, plan: Planned) -> dict[str, Any]:
    tasks = [
        {"id": spec.id, "label": clip(spec.label, 80), "template": spec.template}
        | ({"depends_on": list(spec.depends_on)} if spec.depends_on else {})
        for spec in plan.specs[:TASKS_SHOWN]
    ]
    cost = plan_cost(desk, plan.pattern, plan.specs, plan.options)
    return {"dry_run": True, "tasks": tasks, "cost": cost}


def _fresh_id(desk: Desk, tx: Tx) -> str:
    while True:
        name = f"wf_{desk.token(4)}"
        if not tx.rows("SELECT 1 FROM workflows WHERE id = :id", {"id": name}):
            return name


def _request_key(project: str, request_id: str) -> str:
    """Under which a request is kept: two projects may use one id and not learn of each other."""
    return text_hash(canonical([project, short(request_id, "request_id")]))


def _repeated(
    tx: Tx, request_id: str | None, said: Mapping[str, Any], now: float
) -> dict[str, Any] | None:
    """The answer for the workflow that a call with this request made before."""
    if request_id is None:
        return None
    found = WORKFLOWS.find(tx, "WHERE request_id = :request_id", request_id=said["request_id"])
    if not found:
        return None
    workflow = found[0]
    if workflow.request_hash != said["request_hash"]:
        raise RequestIdReused(
            f"request_id {request_id!r} belongs to workflow {workflow.id!r}, made by a call "
            "with other arguments.",
            allowed="one request_id for each plan",
            next="use a fresh request_id, or get_workflow for the one that is there",
        )
    where = f"WHERE workflow_id = :id AND (({READY}) OR slug IS NOT NULL) ORDER BY position"
    shown = TASKS.find(tx, f"{where} LIMIT {STAGES_LIMIT}", id=workflow.id)
    case = Case(workflow=workflow, tasks={task.id: task for task in shown})
    return _answer(case, now, held=_held(tx, case, now)) | {"repeated": True}


def _held(tx: Tx, case: Case, now: float) -> Sequence[dict[str, Any]]:
    """The tasks that could start, did others not write what they write, or their skill rest."""
    ready = [task for task in case.tasks.values() if is_ready(task)]
    found = [task for task in ready if task.writes is not None or task.skill is not None]
    return held_of(tx, case.workflow, found[:READY_LOOKED_AT], now)


def _answer(
    case: Case,
    now: float,
    findings: Sequence[dict[str, str]] = (),
    routes: Sequence[Route] = (),
    held: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    workflow = case.workflow
    kept = {line["task_id"] for line in held}
    ready = [task.id for task in case.tasks.values() if is_ready(task) and task.id not in kept]
    stages = [task for task in case.tasks.values() if task.slug is not None]
    answer: dict[str, Any] = {
        "workflow_id": workflow.id,
        "status": str(workflow_status(workflow)),
        "progress": progress(workflow),
        "seq": workflow.seq,
        "ready": ready[:10],
        "summary": stage_lines(stages) or _summary(workflow, len(held)),
        "next": next_call(workflow, len(held), staged=bool(stages), later=when_held(held, now)),
    }
    if routes:
        answer["stages"] = routed(stages, routes)
    return answer | ({"findings": list(findings)} if findings else {})


def _summary(workflow: Workflow, held: int) -> str:
    ready = workflow.ready - held
    width = min(ready, workflow.max_parallel)
    return (
        f"{workflow.pattern} {workflow.name!r}: {workflow.total} task(s), {ready} ready, "
        f"{width} may run at once"
    )
