"""Reading a plan: what callers say of its tasks becomes specifications, or one clear refusal."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from relaybook.core.plan.graph import chains, find_cycle
from relaybook.core.plan.task_fields import read_task
from relaybook.core.plan.task_spec import TaskSpec, edges_to, waits_for
from relaybook.core.policy import timeout_seconds
from relaybook.core.task.edges import lets_start
from relaybook.core.text import compact
from relaybook.errors import InvalidPlan, nearest
from relaybook.model import Edge, EventType, Pattern, Task

MAX_TASKS = 100_000
#: Of how many tasks the nearest is named where one is not there.
CHOICES = 500
#: The template of a task that names none, by pattern.
DEFAULT_TEMPLATES: Mapping[Pattern, str] = {
    Pattern.FAN_OUT: "supervised_piece",
    Pattern.PIPELINE: "pipeline_stage",
    Pattern.SUPERVISOR: "supervised_piece",
    Pattern.EXPERT_PANEL: "consensus_check",
    Pattern.MAP_REDUCE: "map_partition",
}


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
    specs = tuple(read_task(task, place) for place, task in enumerate(raw))
    if pattern is Pattern.PIPELINE:
        specs = _in_a_row(specs)
    specs = tuple(map(_after_its_sources, specs))
    _check_alternatives(specs)
    if not change:
        check_graph(specs)
    return specs


def check_graph(
    specs: Sequence[TaskSpec],
    known: Collection[str] = (),
    others: Callable[[], Iterable[str]] = tuple,
) -> None:
    """Refuse ids given twice, dependencies on nothing, and circles.

    `known` are ids of tasks that are in the workflow already, of which `others` gives some more
    to choose from.

    Raises:
        InvalidPlan: with the tasks concerned.
    """
    ids = [spec.id for spec in specs]
    _refuse_taken(ids, known)
    taken = {*ids, *known}
    for spec in specs:
        _refuse_result_of_failed(spec)
        for need in waits_for(spec):
            if need not in taken:
                raise InvalidPlan(
                    f"Task {spec.id!r} depends on {need!r}, which is not in the plan.",
                    allowed=_choice(need, spec, [*ids, *known, *others()]),
                    next=f"correct {_field_of(spec, need)} and send the plan again",
                )
    _refuse_circle(specs)


def _choice(need: str, spec: TaskSpec, ids: Sequence[str]) -> str:
    """What `spec` may wait for in place of `need`: any other task."""
    return nearest(need, [name for name in ids if name != spec.id][:CHOICES])


def _field_of(spec: TaskSpec, need: str) -> str:
    """The field that names `need`; what is taken is waited for without being named there."""
    said = {
        "takes": [take.source for take in spec.takes],
        "on_failure": [spec.on_failure],
        "instead_of": [spec.instead_of],
    }
    return next((name for name, names in said.items() if need in names), "depends_on")


def _refuse_taken(ids: Sequence[str], known: Collection[str]) -> None:
    """Refuse an id that is given twice, or that a task of the workflow has already."""
    times = Counter(ids)
    wrong = {
        "is given more than once": [name for name, count in times.items() if count > 1],
        "is that of a task which the plan has already": [name for name in times if name in known],
    }
    for what, names in wrong.items():
        if names:
            raise InvalidPlan(
                f"Task id {names[0]!r} {what} ({len(names)} such ids).",
                allowed="one task for each id",
                next="rename it and send the plan again",
            )


def _refuse_result_of_failed(spec: TaskSpec) -> None:
    if spec.on_failure in spec.depends_on:
        raise InvalidPlan(
            f"Task {spec.id!r} both needs {spec.on_failure!r} and handles its failure.",
            allowed="a task that handles a failure gets no result of the one that failed",
            next="keep one of the two and send the plan again",
        )


def _refuse_circle(specs: Sequence[TaskSpec]) -> None:
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


def _lets_start(edge: Edge, known: Mapping[str, Task]) -> bool:
    return edge.needs in known and lets_start(edge.kind, known[edge.needs])


def last_of(specs: Sequence[TaskSpec]) -> list[str]:
    """The tasks that no other of them waits for."""
    needed = {need for spec in specs for need in waits_for(spec)}
    return [spec.id for spec in specs if spec.id not in needed]


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
