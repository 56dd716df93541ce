"""All that a plan says of one task, as a frozen value and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from relaybook.core.task.edges import edges_of
from relaybook.model import Edge, Tier


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


def waits_for(spec: TaskSpec) -> tuple[str, ...]:
    """All tasks that `spec` waits for, for their result, their failure or in their place."""
    others = (spec.on_failure, spec.instead_of)
    return (*spec.depends_on, *(other for other in others if other is not None))


def expert_name(spec: TaskSpec) -> str:
    """What a panel calls the worker of a task: by its role, its domain, or its label."""
    return spec.expert_role or str(spec.args.get("domain") or "") or spec.label


def edges_to(spec: TaskSpec) -> list[Edge]:
    """The edges that lead to the task of `spec`."""
    return edges_of(
        spec.id, spec.depends_on, on_failure=spec.on_failure, instead_of=spec.instead_of
    )


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
