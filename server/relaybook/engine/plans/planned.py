"""What a call asks for becomes a plan: its pattern, its tasks settled and checked, its row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from relaybook.core.digest.wishes import check_wishes, read_wishes
from relaybook.core.plan.guards import check_batches
from relaybook.core.plan.items import DIVIDED, partition_tasks, read_items
from relaybook.core.plan.partition import partition, suggest_parts
from relaybook.core.plan.task_spec import TaskSpec, expert_name
from relaybook.core.plan.tasks import read_tasks
from relaybook.core.policy import DEFAULT_WIDTH
from relaybook.core.text import MAX_DEPTH, canonical, is_json, storable
from relaybook.engine.desk import Desk
from relaybook.engine.plans.check import check_hooks, check_specs, told
from relaybook.engine.plans.settle import settled
from relaybook.engine.tasks.stage import plan_stages
from relaybook.errors import InvalidArguments, InvalidPlan
from relaybook.model import Pattern
from relaybook.registry.composition_plan import NAME_LIMIT, plan_of
from relaybook.registry.contracts import Route

#: The most tasks at once that any reason allows.
WIDTH_LIMIT = 100
METADATA_LIMIT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The arguments of `create_workflow` that say what is to be done."""

    pattern: str
    name: str
    composition: str
    tasks: Sequence[Any]
    stages: Sequence[Any]
    items: Sequence[Any]
    batches: int | None
    template: str
    args: Mapping[str, Any]
    project: str
    max_parallel: int
    override: str
    shared_decisions: Sequence[str]
    metadata: Mapping[str, Any]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan that may be registered."""

    pattern: Pattern
    specs: Sequence[TaskSpec]
    #: Who was chosen for each stage; empty where the plan has tasks.
    routes: Sequence[Route]
    findings: Sequence[dict[str, str]]
    options: Mapping[str, Any]
    #: The data of the event that makes the workflow.
    row: Mapping[str, Any]


def planned(desk: Desk, asked: Asked) -> Planned:
    """The plan of a call, whole and checked; reads files and writes nothing.

    Raises:
        Refusal: as `create_workflow` says.
    """
    if asked.composition:
        asked = _unfolded(desk, asked)
    pattern = read_pattern(asked.pattern or (Pattern.PIPELINE if asked.stages else ""))
    width = _width(asked.max_parallel, asked.override)
    specs, routes = _specs(desk, pattern, asked)
    specs = [
        settled(desk, pattern, spec, _place(asked, number)) for number, spec in enumerate(specs)
    ]
    findings = [
        *check_specs(desk, pattern, specs, width, asked.override),
        *check_hooks(desk, asked.options),
        *map(told, check_batches(sum(bool(spec.items) for spec in specs), asked.batches)),
    ]
    experts = {expert_name(spec) for spec in specs} if pattern is Pattern.EXPERT_PANEL else ()
    check_wishes(read_wishes(asked.metadata), experts)
    options = _options(asked)
    row = {
        "name": short(asked.name or str(pattern), "name"),
        "project": desk.own(short(asked.project, "project")),
        "pattern": str(pattern),
        "max_parallel": width,
        "metadata": _json(asked.metadata),
        "options": _json(options),
    }
    return Planned(
        pattern=pattern, specs=specs, routes=routes, findings=findings, options=options, row=row
    )


def _place(asked: Asked, number: int) -> str | None:
    """Where in the call a task of the plan stands, in the form that `settled` takes."""
    if asked.composition:
        return None
    if asked.items:
        return ""
    return f"{'stages' if asked.stages else 'tasks'}[{number}]."


def _unfolded(desk: Desk, asked: Asked) -> Asked:
    """`asked` with the plan of its composition."""
    _refuse_beside(
        asked.composition,
        pattern=asked.pattern,
        tasks=asked.tasks,
        items=asked.items,
        stages=asked.stages,
        template=asked.template,
    )
    parts = plan_of(desk.compositions.get(asked.composition), asked.args, asked.batches)
    return replace(
        asked,
        pattern=str(parts.pattern),
        tasks=parts.tasks,
        name=asked.name or parts.name,
        options={**parts.options, **asked.options},
    )


def _refuse_beside(composition: str, **given: Any) -> None:
    """Refuse what the composition already says."""
    twice = [name for name, value in given.items() if value]
    if twice:
        raise InvalidArguments(
            f"Composition {composition[:64]!r} brings its own plan; {', '.join(twice)} came too.",
            allowed="composition with args, name, batches, project, max_parallel, metadata",
            next="leave them out, or send them without a composition",
        )


def read_pattern(pattern: str) -> Pattern:
    """The pattern of that name.

    Raises:
        InvalidArguments: there is none.
    """
    try:
        return Pattern(pattern)
    except ValueError:
        raise InvalidArguments(
            f"There is no pattern {pattern[:80]!r}." if pattern else "No pattern was given.",
            allowed=", ".join(Pattern),
            next="call plan if you are not sure which",
        ) from None


def _specs(
    desk: Desk, pattern: Pattern, asked: Asked
) -> tuple[Sequence[TaskSpec], Sequence[Route]]:
    """What is to be done, and for stages who was chosen to do it."""
    given = [
        name
        for name, value in (
            ("tasks", asked.tasks),
            ("items", asked.items),
            ("stages", asked.stages),
        )
        if value
    ]
    if len(given) != 1:
        raise InvalidPlan(
            f"A plan has tasks, items or stages; {' and '.join(given) or 'none'} were given.",
            allowed="tasks=[{id, label, …}], stages=[{capability, goal}], or items=[…] with batches",
            next="send one of the three",
        )
    if not (asked.items or asked.composition):
        _refuse_of_items(given[0], asked)
    if asked.stages:
        _refuse_side_by_side(pattern)
        return plan_stages(desk, pattern, asked.stages)
    if asked.tasks:
        return read_tasks(asked.tasks, pattern), ()
    if pattern not in DIVIDED:
        raise InvalidPlan(
            f"Items cannot be partitioned for a {pattern}.",
            allowed="items with map_reduce or fan_out",
            next="send tasks=[…], or use map_reduce",
        )
    known = read_items(asked.items)
    wanted = suggest_parts(len(known), 1.0) if asked.batches is None else asked.batches
    parts = partition(known, wanted)
    return partition_tasks(parts, asked.template or "map_partition", asked.args), ()


def _refuse_of_items(given: str, asked: Asked) -> None:
    """Refuse what says how items are worked on where there are none."""
    said = {"template": asked.template, "args": asked.args, "batches": asked.batches is not None}
    if named := [name for name, value in said.items() if value]:
        raise InvalidArguments(
            f"{', '.join(named)} came with {given}; they say how items are worked on.",
            allowed=f"{', '.join(named)} with items, or args and batches with a composition",
            next=f"leave them out; each of the {given} has its own",
        )


def _refuse_side_by_side(pattern: Pattern) -> None:
    if pattern is not Pattern.PIPELINE:
        raise InvalidPlan(
            f"Stages come one after the other; a {pattern} was asked for.",
            allowed="stages with pipeline, or tasks with a capability",
            next="leave pattern out, or send tasks=[…]",
        )


def short(value: str, what: str) -> str:
    """`value` as it is stored; refused if it is empty or long."""
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
    why = (
        "at least one worker has to be at work"
        if max_parallel < 1
        else f"more than {DEFAULT_WIDTH} workers at once contend for resources and cost more "
        "monitoring than they save"
    )
    raise InvalidArguments(
        f"max_parallel is {max_parallel}: {why}.",
        allowed=f"1 to {DEFAULT_WIDTH}, to {WIDTH_LIMIT} with override='why this host bears more'",
        next="leave it out, since any number of tasks runs in waves; or give the reason",
    )


def _options(asked: Asked) -> dict[str, Any]:
    """What the pattern is to keep in mind; an override is recorded with its reason."""
    said = dict(asked.options)
    if asked.override.strip():
        said["override"] = short(asked.override, "override")
    if asked.shared_decisions:
        decided = [short(each, "a shared decision") for each in asked.shared_decisions]
        said["shared_decisions"] = decided
    return said


def _json(value: Mapping[str, Any]) -> str:
    if is_json(value) and len(text := canonical(value)) <= METADATA_LIMIT:
        return text
    raise InvalidArguments(
        "metadata or options are too large, or no JSON.",
        allowed=f"an object of {METADATA_LIMIT} characters as JSON, at most {MAX_DEPTH} levels deep",
        next="keep large material elsewhere and name it here",
    )
