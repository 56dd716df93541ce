"""Reading a plan: what callers say of each task becomes specifications, or one clear refusal."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from relaybook.core.case import edges_of, lets_start
from relaybook.core.graph import chains, find_cycle
from relaybook.core.partition import Item
from relaybook.core.policy import timeout_seconds
from relaybook.core.text import MAX_DEPTH, compact, is_json, storable
from relaybook.errors import InvalidPlan, nearest
from relaybook.model import Edge, EventType, Pattern, Task, Tier

#: What a task id may be made of: every id in use elsewhere fits.
ID_FORM = re.compile(r"[A-Za-z0-9_.\-]{1,128}")
LABEL_LIMIT = 300
GOAL_LIMIT = 2_000
MINUTES_LIMIT = 24 * 60
MAX_TASKS = 100_000
CALLS_LIMIT = 1_000
ITEM_ID_LIMIT = 512

#: The template of a task that names none, by pattern.
DEFAULT_TEMPLATES: Mapping[Pattern, str] = {
    Pattern.FAN_OUT: "supervised_piece",
    Pattern.PIPELINE: "pipeline_stage",
    Pattern.SUPERVISOR: "supervised_piece",
    Pattern.EXPERT_PANEL: "consensus_check",
    Pattern.MAP_REDUCE: "map_partition",
}


@dataclass(frozen=True, slots=True)
class Take:
    """Which fields of an earlier task's `data` a task is given; none named means all."""

    source: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParentAction:
    """A deed that the worker prepares and the orchestrator does."""

    action: str
    #: T3 or T4.
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """All that a plan says of one task."""

    id: str
    label: str
    depends_on: tuple[str, ...] = ()
    template: str = ""
    args: Mapping[str, Any] = field(default_factory=dict[str, Any])
    expected_minutes: float | None = None
    timeout_seconds: int | None = None
    #: How many tool calls its worker may make.
    tool_calls: int | None = None
    #: What must hold for the task to be done.
    done: tuple[str, ...] = ()
    #: JSON Schema of the result's `data`, in place of the template's.
    schema: Mapping[str, Any] | None = None
    takes: tuple[Take, ...] = ()
    #: Paths, folders ending in "/", or names of resources.
    writes: tuple[str, ...] = ()
    #: It starts only once somebody has decided that this holds.
    when: str = ""
    on_failure: str | None = None
    #: It runs if that task, which has a condition, is not applicable, and only then.
    instead_of: str | None = None
    expert_role: str = ""
    capability: str | None = None
    skill: str | None = None
    #: In place of the template's.
    tier: Tier | None = None
    worker_can_read: bool = False
    #: What is left for the orchestrator to do once the task is completed.
    parent_actions: tuple[ParentAction, ...] = ()
    #: What a stage is for, where its label says less.
    goal: str = ""
    #: The rules of the OUTPUT gate of a stage, as its contract had them.
    gate: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: Ids of the items that its result must cover, each exactly once.
    items: tuple[str, ...] = ()


class _Bad(Exception):
    """A field of a task is not what it must be; the text says what it must be."""


def read_tasks(
    raw: Sequence[Any], pattern: Pattern, *, change: bool = False
) -> tuple[TaskSpec, ...]:
    """The specifications of a whole plan, or of a `change`, whose graph is not all here.

    Raises:
        InvalidPlan: a task or their graph is wrong; the error names the first few faults.
    """
    if not raw:
        raise InvalidPlan(
            "The plan has no task.",
            allowed=f"1 to {MAX_TASKS} tasks, or items to partition",
            next="send tasks=[{'id': 't1', 'label': 'what to do'}]",
        )
    if len(raw) > MAX_TASKS:
        raise InvalidPlan(
            f"The plan has {len(raw)} tasks.",
            allowed=f"at most {MAX_TASKS}",
            next="put several pieces into each task, or make several workflows",
        )
    specs = tuple(_read_task(task, place) for place, task in enumerate(raw))
    if pattern is Pattern.PIPELINE:
        specs = _in_a_row(specs)
    specs = tuple(map(_after_its_sources, specs))
    _check_alternatives(specs)
    if not change:
        check_graph(specs)
    return specs


def check_graph(specs: Sequence[TaskSpec], known: Iterable[str] = ()) -> None:
    """Refuse ids given twice, dependencies on nothing, and circles.

    `known` are the ids of tasks that are in the workflow already.

    Raises:
        InvalidPlan: with the tasks concerned.
    """
    ids = [spec.id for spec in specs]
    taken, twice = set(known), list[str]()
    for name in ids:
        if name in taken:
            twice.append(name)
        taken.add(name)
    if twice:
        raise InvalidPlan(
            f"Task id {twice[0]!r} is given more than once ({len(twice)} such ids).",
            allowed="one task for each id",
            next="rename one and send the plan again",
        )
    for spec in specs:
        if spec.on_failure in spec.depends_on:
            raise InvalidPlan(
                f"Task {spec.id!r} both needs {spec.on_failure!r} and handles its failure.",
                allowed="a task that handles a failure gets no result of the one that failed",
                next="keep one of the two and send the plan again",
            )
        for need in waits_for(spec):
            if need not in taken:
                raise InvalidPlan(
                    f"Task {spec.id!r} depends on {need!r}, which is not in the plan.",
                    allowed=nearest(need, [*ids, *taken][:500]),
                    next="correct depends_on and send the plan again",
                )
    if cycle := find_cycle({spec.id: waits_for(spec) for spec in specs}):
        shown = " → ".join([*cycle[:6], "…"] if len(cycle) > 6 else [*cycle, cycle[0]])
        raise InvalidPlan(
            f"Tasks wait for each other in a circle: {shown}.",
            allowed="dependencies without a circle",
            next="remove one of these dependencies and send the plan again",
        )


def _check_alternatives(specs: Sequence[TaskSpec]) -> None:
    """Refuse a task in place of one that has no condition, or is in place of another itself."""
    conditional = {spec.id for spec in specs if spec.when and spec.instead_of is None}
    for spec in specs:
        other = spec.instead_of
        elsewhere = (*spec.depends_on, spec.on_failure)
        if other is not None and (other not in conditional or other in elsewhere):
            raise InvalidPlan(
                f"Task {spec.id!r} cannot run instead of {other!r}.",
                allowed="instead_of names a task of this plan that has `when`, is in nobody's "
                "place, and is waited for in no other way",
                next="give that task a `when`, or give this one a `when` of its own",
            )


def waits_for(spec: TaskSpec) -> tuple[str, ...]:
    """All tasks that `spec` waits for, for their result, their failure or in their place."""
    others = (spec.on_failure, spec.instead_of)
    return (*spec.depends_on, *(other for other in others if other is not None))


def expert_name(spec: TaskSpec) -> str:
    """What a panel calls the worker of a task: by its role, its domain, or its label."""
    return spec.expert_role or str(spec.args.get("domain") or "") or spec.label


def partition_tasks(
    parts: Sequence[Sequence[Item]], template: str, args: Mapping[str, Any]
) -> tuple[TaskSpec, ...]:
    """One task for each partition, `p1` and so on, each knowing only its own items."""
    width = len(str(len(parts)))
    names = [f"p{number:0{width}}" for number in range(1, len(parts) + 1)]
    return tuple(
        TaskSpec(
            id=name,
            label=f"Partition {name} ({len(part)} items)",
            template=template,
            args={"partition": name, **args, "items": [item.value for item in part]},
            items=tuple(item.id for item in part),
        )
        for name, part in zip(names, parts, strict=True)
    )


def read_items(raw: Sequence[Any]) -> tuple[Item, ...]:
    """Items as callers give them: texts, or objects with an `id` and any other members.

    Raises:
        InvalidPlan: one is neither.
    """
    return tuple(_read_item(value, place) for place, value in enumerate(raw))


def _read_item(value: Any, place: int) -> Item:
    if _is_item_id(value):
        return Item(value, {"id": value})
    if isinstance(value, Mapping) and is_json(value) and _is_item_id(value.get("id")):
        weight = value.get("weight", 1.0)
        group = value.get("group")
        if isinstance(weight, int | float) and (group is None or isinstance(group, str)):
            return Item(value["id"], dict(value), float(weight), group)
    raise InvalidPlan(
        f"Item {place} is neither a text nor an object with a text `id`.",
        allowed=f"texts and ids of 1 to {ITEM_ID_LIMIT} characters, objects {{id, weight?, group?, …}}",
        next="correct the items and call again",
    )


def added_tasks(
    specs: Sequence[TaskSpec],
    hashes: Sequence[str],
    *,
    position: int = 0,
    known: Mapping[str, Task] | None = None,
    after: float = 0.0,
) -> list[tuple[EventType, str, dict[str, Any]]]:
    """The `task_added` changes of a plan; `hashes` name the texts of the specifications.

    `known` are tasks of the workflow that some of these wait for, `after` is the chain in
    minutes that follows the last of them.
    """
    there = known or {}
    minutes = {spec.id: spec.expected_minutes or 0.0 for spec in specs}
    # An alternative does not run after the other, but in its place.
    before = {spec.id: waits_for(replace(spec, instead_of=None)) for spec in specs}
    longest = chains(minutes, before)
    return [
        (
            EventType.TASK_ADDED,
            spec.id,
            _added(spec, name, place, minutes[spec.id], there)
            | {"chain": longest[spec.id] + after},
        )
        for place, (spec, name) in enumerate(zip(specs, hashes, strict=True), position)
    ]


def _added(
    spec: TaskSpec, name: str, place: int, minutes: float, known: Mapping[str, Task]
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "position": place,
        "label": spec.label,
        "waiting_on": sum(not _lets_start(edge, known) for edge in edges_to(spec))
        + bool(spec.when),
        "expected_minutes": minutes,
        "timeout_seconds": spec.timeout_seconds or timeout_seconds(minutes),
        "template": spec.template,
        "spec": name,
    }
    optional = {
        "capability": spec.capability,
        "skill": spec.skill,
        "writes": compact(list(spec.writes)) if spec.writes else None,
        "needs": list(spec.depends_on),
        "on_failure": spec.on_failure,
        "instead_of": spec.instead_of,
        "undecided": int(bool(spec.when)),
    }
    return said | {key: value for key, value in optional.items() if value}


def edges_to(spec: TaskSpec) -> list[Edge]:
    """The edges that lead to the task of `spec`."""
    return edges_of(
        spec.id, spec.depends_on, on_failure=spec.on_failure, instead_of=spec.instead_of
    )


def _lets_start(edge: Edge, known: Mapping[str, Task]) -> bool:
    return edge.needs in known and lets_start(edge.kind, known[edge.needs])


def last_of(specs: Sequence[TaskSpec]) -> list[str]:
    """The tasks that no other of them waits for."""
    needed = {need for spec in specs for need in waits_for(spec)}
    return [spec.id for spec in specs if spec.id not in needed]


def spec_value(spec: TaskSpec) -> dict[str, Any]:
    """`spec` as JSON has it, without what is at its default."""
    said: dict[str, Any] = {"id": spec.id, "label": spec.label}
    for known in fields(TaskSpec):
        value = getattr(spec, known.name)
        if value and known.name not in said:
            said[known.name] = value
    if spec.takes:
        said["takes"] = [{"from": take.source, "fields": list(take.fields)} for take in spec.takes]
    if spec.parent_actions:
        said["parent_actions"] = [asdict(each) for each in spec.parent_actions]
    return said


def read_spec(said: Mapping[str, Any]) -> TaskSpec:
    """The specification that `spec_value` wrote; it was checked before, so it is only read."""
    values: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in said.items()
    }
    for name, read in _READ_BACK.items():
        if name in values:
            values[name] = read(values[name])
    return TaskSpec(**values)


def _in_a_row(specs: tuple[TaskSpec, ...]) -> tuple[TaskSpec, ...]:
    """A pipeline that names no dependency runs in the order given.

    Its handlers stand beside it, and an alternative beside the task in whose place it runs.
    """
    if any(spec.depends_on for spec in specs):
        return specs
    before: dict[str, tuple[str, ...]] = {}
    last: tuple[str, ...] = ()
    for spec in specs:
        if spec.on_failure is not None:
            continue
        beside = spec.instead_of in before
        before[spec.id] = before[str(spec.instead_of)] if beside else last
        last = (*last, spec.id) if beside else (spec.id,)
    return tuple(replace(spec, depends_on=before.get(spec.id, ())) for spec in specs)


def _after_its_sources(spec: TaskSpec) -> TaskSpec:
    """A task that takes a result waits for it."""
    missing = tuple(take.source for take in spec.takes if take.source not in spec.depends_on)
    return replace(spec, depends_on=spec.depends_on + missing) if missing else spec


def _read_task(raw: Any, place: int) -> TaskSpec:
    if not isinstance(raw, Mapping):
        raise _fault(f"Task {place}", f"is {type(raw).__name__}; it must be an object")
    name = str(raw.get("id", ""))[:128] or str(place)
    unknown = [key for key in raw if key not in _FIELDS]
    if unknown:
        raise InvalidPlan(
            f"Task {name!r} has an unknown field {str(unknown[0])[:80]!r}.",
            allowed=nearest(str(unknown[0]), list(_FIELDS)),
            next="correct the field and send the plan again",
        )
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if value is None:
            continue
        try:
            values[key] = _FIELDS[key](value)
        except _Bad as bad:
            raise _fault(f"Field {key!r} of task {name!r}", f"must be {bad}") from bad
    if "id" not in values:
        raise _fault(f"Task {place}", "has no id")
    return TaskSpec(label=values.pop("label", values["id"]), **values)


def _fault(where: str, what: str) -> InvalidPlan:
    return InvalidPlan(f"{where} {what}.", next="correct it and send the plan again")


def _id(value: Any) -> str:
    if isinstance(value, str) and ID_FORM.fullmatch(value):
        return value
    raise _Bad("1 to 128 letters, digits, dots, hyphens or underscores")


def _text(limit: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if isinstance(value, str) and value.strip() and len(value) <= limit:
            return storable(value.strip())
        raise _Bad(f"a text of 1 to {limit} characters")

    return read


def _texts(most: int, limit: int) -> Callable[[Any], tuple[str, ...]]:
    read = _text(limit)

    def read_all(value: Any) -> tuple[str, ...]:
        if isinstance(value, list | tuple) and len(value) <= most:
            return tuple(read(each) for each in value)
        raise _Bad(f"a list of at most {most} texts")

    return read_all


def _item_ids(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(map(_is_item_id, value)):
        return tuple(value)
    raise _Bad(f"a list of item ids, each of 1 to {ITEM_ID_LIMIT} characters")


def _is_item_id(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= ITEM_ID_LIMIT


def _ids(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(dict.fromkeys(_id(each) for each in value))
    raise _Bad("a list of task ids")


def _object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping) and is_json(value):
        return dict(value)
    raise _Bad(f"an object of JSON values, at most {MAX_DEPTH} levels deep")


def _number(low: float, high: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        raise _Bad(f"a number from {low:g} to {high:g}")

    return read


def _seconds(value: Any) -> int:
    return round(_number(1, MINUTES_LIMIT * 60)(value))


def _calls(value: Any) -> int:
    return round(_number(1, CALLS_LIMIT)(value))


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _Bad("true or false")


def _worker_tier(value: Any) -> Tier:
    if value in (Tier.T1, Tier.T2):
        return Tier(value)
    raise _Bad("T1 or T2: actions of a higher tier belong to the parent")


def _takes(value: Any) -> tuple[Take, ...]:
    if not isinstance(value, list | tuple):
        raise _Bad("a list of {from, fields}")
    return tuple(_take(each) for each in value)


def _take(value: Any) -> Take:
    if not isinstance(value, Mapping) or not set(value) <= {"from", "fields"}:
        raise _Bad("a list of {from, fields}")
    return Take(_id(value.get("from")), _texts(100, 200)(value.get("fields", ())))


def _parent_actions(value: Any) -> tuple[ParentAction, ...]:
    if not isinstance(value, list | tuple):
        raise _Bad(_PARENT_ACTIONS)
    return tuple(_parent_action(each) for each in value)


_PARENT_ACTIONS = "a list of {action, tier}, each tier T3 or T4"


def _parent_action(value: Any) -> ParentAction:
    if not isinstance(value, Mapping) or set(value) != {"action", "tier"}:
        raise _Bad(_PARENT_ACTIONS)
    if value["tier"] not in (Tier.T3, Tier.T4):
        raise _Bad(_PARENT_ACTIONS)
    return ParentAction(_text(500)(value["action"]), Tier(value["tier"]))


def _writes(value: Any) -> tuple[str, ...]:
    scopes = dict.fromkeys(scope.removeprefix("./") for scope in _texts(200, 500)(value))
    if any(".." in scope.split("/") or "*" in scope or not scope for scope in scopes):
        raise _Bad('paths, folders ending in "/", or names of resources; no ".." and no "*"')
    return tuple(scopes)


#: How the fields are read back that are not as JSON has them; its lists are tuples.
_READ_BACK: Mapping[str, Callable[[Any], Any]] = {
    "takes": _takes,
    "tier": Tier,
    "parent_actions": _parent_actions,
}
#: How each field of a task is read.
_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "id": _id,
    "label": _text(LABEL_LIMIT),
    "depends_on": _ids,
    "template": _text(128),
    "args": _object,
    "expected_minutes": _number(0.1, MINUTES_LIMIT),
    "timeout_seconds": _seconds,
    "tool_calls": _calls,
    "done": _texts(50, 500),
    "schema": _object,
    "takes": _takes,
    "writes": _writes,
    "when": _text(500),
    "on_failure": _id,
    "instead_of": _id,
    "expert_role": _text(200),
    "capability": _text(128),
    "skill": _text(128),
    "tier": _worker_tier,
    "worker_can_read": _flag,
    "parent_actions": _parent_actions,
    "goal": _text(GOAL_LIMIT),
    "gate": _object,
    "items": _item_ids,
}

assert set(_FIELDS) == {known.name for known in fields(TaskSpec)}
