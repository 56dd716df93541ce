"""create_workflow: a plan enters the ledger, whole, or not at all."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.core.case import Case, evolve, opened
from relaybook.core.command import Command
from relaybook.core.machine import Change, number
from relaybook.core.partition import partition, suggest_parts
from relaybook.core.plan import (
    TaskSpec,
    added_tasks,
    expert_name,
    partition_tasks,
    read_items,
    read_tasks,
    spec_value,
)
from relaybook.core.policy import DEFAULT_WIDTH
from relaybook.core.status import is_ready, workflow_status
from relaybook.core.text import MAX_DEPTH, canonical, is_json, storable, text_hash
from relaybook.core.wishes import check_wishes, read_wishes
from relaybook.engine.advice import next_call, progress
from relaybook.engine.check import check_specs
from relaybook.engine.cost import plan_cost
from relaybook.engine.desk import Desk
from relaybook.engine.settle import refuse_worker, settled
from relaybook.engine.stage import (
    STAGES_LIMIT,
    hook_options,
    plan_stages,
    routed,
    stage_lines,
    with_slugs,
)
from relaybook.errors import InvalidArguments, InvalidPlan, RequestIdReused, clip
from relaybook.model import EventType, Pattern, Workflow
from relaybook.registry.composition_plan import plan_of
from relaybook.registry.contracts import Route
from relaybook.store.base import Tx
from relaybook.store.ledger import TASKS, WORKFLOWS, apply, put_texts

NAME_LIMIT = 200
#: The most tasks at once that any reason allows.
WIDTH_LIMIT = 100
METADATA_LIMIT = 20_000
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
    answers the workflow that is there. With `dry_run` nothing is written; the answer also lists
    the tasks and what their prompts cost. `override` says why more than six may run at once;
    `shared_decisions` stand in every prompt, word for word. Of `metadata` the members
    `audience`, `weights` and `quorum` are for the synthesis; `core.wishes` says more.

    Raises:
        InvalidPlan, InvalidArguments: it names the fault; nothing was written.
        UnknownCapability, UnknownContract: nobody can do a stage; names the nearest.
        UnknownComposition, InvalidComposition: there is none of that name, or it is broken.
        RequestIdReused: the id belongs to a call with other arguments.
        Forbidden: a worker may not.
    """
    refuse_worker(actor, "make a workflow")
    options = {**(options or {}), **hook_options(hooks)}
    if composition:
        beside = {"tasks": tasks, "items": items, "stages": stages, "template": template}
        _refuse_beside(composition, pattern=pattern, **beside)
        parts = plan_of(desk.compositions.get(composition), args or {}, batches)
        pattern, tasks, name = parts.pattern, parts.tasks, name or parts.name
        options = {**parts.options, **options}
    options = _options(options, override, shared_decisions)
    kind = read_pattern(pattern or (Pattern.PIPELINE if stages else ""))
    width = _width(max_parallel, override)
    specs, routes = _specs(desk, kind, tasks, items, stages, batches, template, args or {})
    specs = [settled(desk, kind, spec) for spec in specs]
    findings = check_specs(desk, kind, specs, width, override)
    experts = {expert_name(spec) for spec in specs} if kind is Pattern.EXPERT_PANEL else ()
    check_wishes(read_wishes(metadata or {}), experts)
    said = {
        "name": _short(name or str(kind), "name"),
        "project": desk.own(_short(project, "project")),
        "pattern": str(kind),
        "max_parallel": width,
        "metadata": _json(metadata or {}),
        "options": _json(options),
    }
    if request_id is not None:
        said["request_id"] = _request_key(str(said["project"]), request_id)
        said["request_hash"] = text_hash(canonical([said, [spec_value(spec) for spec in specs]]))
    command = Command(at=desk.clock(), actor=actor)
    if dry_run:
        with desk.store.read() as tx:
            events = number("dry_run", 0, command, _changes(tx, said, specs, routes))
        answer = _answer(evolve(opened(events[0]), events[1:]), findings, routes)
        return answer | _preview(desk, kind, specs, options)
    with desk.store.transaction() as tx:
        if request_id is not None:
            tx.lock(f"request {said['request_id']}")
            found = _repeated(tx, request_id, said)
            if found is not None:
                return found
        events = number(_fresh_id(desk, tx), 0, command, _changes(tx, said, specs, routes))
        case = apply(tx, None, events)
        put_texts(tx, case.workflow.id, map(_body, specs))
    return _answer(case, findings, routes)


def names_its_request(*_: Any, request_id: str | None = None, **__: Any) -> bool:
    """Whether a repeat of the call answers the workflow that the first one made."""
    return request_id is not None


def _changes(
    tx: Tx, said: Mapping[str, Any], specs: Sequence[TaskSpec], routes: Sequence[Route]
) -> list[Change]:
    """The events that make a workflow; its stages, if it has any, get their slugs."""
    added: Sequence[Change] = added_tasks(specs, [text_hash(_body(spec)) for spec in specs])
    if routes:
        added = with_slugs(tx, said["name"], added)
    return [(EventType.WORKFLOW_CREATED, None, said), *added]


def _body(spec: TaskSpec) -> str:
    return canonical(spec_value(spec))


def read_pattern(pattern: str) -> Pattern:
    """The pattern of that name.

    Raises:
        InvalidArguments: there is none.
    """
    try:
        return Pattern(pattern)
    except ValueError:
        raise InvalidArguments(
            f"There is no pattern {pattern[:80]!r}.",
            allowed=", ".join(Pattern),
            next="call plan if you are not sure which",
        ) from None


def _refuse_beside(composition: str, **given: Any) -> None:
    """Refuse what the composition already says."""
    twice = [name for name, value in given.items() if value]
    if twice:
        raise InvalidArguments(
            f"Composition {composition[:64]!r} brings its own plan; {', '.join(twice)} came too.",
            allowed="composition with args, name, batches, project, max_parallel, metadata",
            next="leave them out, or send them without a composition",
        )


def _preview(
    desk: Desk, pattern: Pattern, specs: Sequence[TaskSpec], options: Mapping[str, Any]
) -> dict[str, Any]:
    tasks = [
        {"id": spec.id, "label": clip(spec.label, 80), "template": spec.template}
        | ({"depends_on": list(spec.depends_on)} if spec.depends_on else {})
        for spec in specs[:TASKS_SHOWN]
    ]
    return {"dry_run": True, "tasks": tasks, "cost": plan_cost(desk, pattern, specs, options)}


def _specs(
    desk: Desk,
    pattern: Pattern,
    tasks: Sequence[Any],
    items: Sequence[Any],
    stages: Sequence[Any],
    batches: int | None,
    template: str,
    args: Mapping[str, Any],
) -> tuple[Sequence[TaskSpec], Sequence[Route]]:
    """What is to be done, and for stages who was chosen to do it."""
    given = [
        name for name, value in (("tasks", tasks), ("items", items), ("stages", stages)) if value
    ]
    if len(given) != 1:
        raise InvalidPlan(
            f"A plan has tasks, items or stages; {' and '.join(given) or 'none'} were given.",
            allowed="tasks=[{id, label, …}], stages=[{capability, goal}], or items=[…] with batches",
            next="send one of the three",
        )
    if stages:
        return plan_stages(desk, pattern, stages)
    if tasks:
        return read_tasks(tasks, pattern), ()
    if pattern not in (Pattern.MAP_REDUCE, Pattern.FAN_OUT):
        raise InvalidPlan(
            f"Items cannot be partitioned for a {pattern}.",
            allowed="items with map_reduce or fan_out",
            next="send tasks=[…], or use map_reduce",
        )
    known = read_items(items)
    parts = partition(known, batches or suggest_parts(len(known), 1.0))
    return partition_tasks(parts, template or "map_partition", args), ()


def _short(value: str, what: str) -> str:
    if value.strip() and len(value) <= NAME_LIMIT:
        return storable(value.strip())
    raise InvalidArguments(
        f"{what} is {len(value)} characters long.",
        allowed=f"1 to {NAME_LIMIT} characters",
        next="correct it and call again",
    )


def _width(max_parallel: int, override: str) -> int:
    """How many may run at once: at most six, unless there is a reason for more."""
    if 1 <= max_parallel <= (WIDTH_LIMIT if override.strip() else DEFAULT_WIDTH):
        return max_parallel
    raise InvalidArguments(
        f"max_parallel is {max_parallel}: more than {DEFAULT_WIDTH} workers at once contend for "
        "resources and cost more monitoring than they save.",
        allowed=f"1 to {DEFAULT_WIDTH}, to {WIDTH_LIMIT} with override='why this host bears more'",
        next="leave it out, since any number of tasks runs in waves; or give the reason",
    )


def _options(
    options: Mapping[str, Any], override: str, shared_decisions: Sequence[str]
) -> dict[str, Any]:
    """What the pattern is to keep in mind; an override is recorded with its reason."""
    said = dict(options)
    if override.strip():
        said["override"] = _short(override, "override")
    if shared_decisions:
        said["shared_decisions"] = [_short(each, "a shared decision") for each in shared_decisions]
    return said


def _json(value: Mapping[str, Any]) -> str:
    if is_json(value) and len(text := canonical(value)) <= METADATA_LIMIT:
        return text
    raise InvalidArguments(
        "metadata or options are too large, or no JSON.",
        allowed=f"an object of {METADATA_LIMIT} characters as JSON, at most {MAX_DEPTH} levels deep",
        next="keep large material elsewhere and name it here",
    )


def _fresh_id(desk: Desk, tx: Tx) -> str:
    while True:
        name = f"wf_{desk.token(4)}"
        if not tx.rows("SELECT 1 FROM workflows WHERE id = :id", {"id": name}):
            return name


def _request_key(project: str, request_id: str) -> str:
    """Under which a request is kept: two projects may use one id and not learn of each other."""
    return text_hash(canonical([project, _short(request_id, "request_id")]))


def _repeated(tx: Tx, request_id: str, said: Mapping[str, Any]) -> dict[str, Any] | None:
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
    ready = "(status = 'pending' AND waiting_on = 0)"
    where = f"WHERE workflow_id = :id AND ({ready} OR slug IS NOT NULL) ORDER BY position"
    shown = TASKS.find(tx, f"{where} LIMIT {STAGES_LIMIT}", id=workflow.id)
    case = Case(workflow=workflow, tasks={task.id: task for task in shown})
    return _answer(case) | {"repeated": True}


def _answer(
    case: Case, findings: Sequence[dict[str, str]] = (), routes: Sequence[Route] = ()
) -> dict[str, Any]:
    workflow = case.workflow
    ready = [task.id for task in case.tasks.values() if is_ready(task)]
    answer: dict[str, Any] = {
        "workflow_id": workflow.id,
        "status": str(workflow_status(workflow)),
        "progress": progress(workflow),
        "seq": workflow.seq,
        "ready": ready[:10],
        "summary": _summary(workflow),
        "next": next_call(workflow),
    }
    stages = [task for task in case.tasks.values() if task.slug is not None]
    if stages:
        answer["summary"] = stage_lines(stages)
        answer["next"] = "advance_stage"
    if routes:
        answer["stages"] = routed(stages, routes)
    return answer | ({"findings": list(findings)} if findings else {})


def _summary(workflow: Workflow) -> str:
    width = min(workflow.ready, workflow.max_parallel)
    return (
        f"{workflow.pattern} {workflow.name!r}: {workflow.total} task(s), {workflow.ready} ready, "
        f"{width} may run at once"
    )
