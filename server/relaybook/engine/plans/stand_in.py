"""What tasks in the place of others inherit: to be stages, and the deeds left to the parent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from relaybook.core.plan.guards import Finding, Severity
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.plan.tasks import last_of
from relaybook.core.result.evidence import goal_criterion
from relaybook.core.task.command import Change
from relaybook.engine.desk import Desk
from relaybook.engine.tasks.stage import stage_arguments
from relaybook.errors import clip
from relaybook.model import EventType, Task, Workflow
from relaybook.store.base import Tx


def standing_in(
    desk: Desk, tx: Tx, workflow: Workflow, specs: Sequence[TaskSpec], old: Sequence[Task]
) -> tuple[TaskSpec, ...]:
    """`specs` in the place of `old`, with what `stands_for` says each of them takes over.

    What the plan left to the parent stays with it: the last of them ask for it.

    Raises:
        UnknownContract, UnknownCapability: nobody can do a stage as it is asked for.
    """
    before = {task.id: desk.spec(tx, workflow.id, task.spec) for task in old}
    stages = stands_for(specs, old)
    specs = [
        _as_stage(desk, spec, before[stages[spec.id].id]) if spec.id in stages else spec
        for spec in specs
    ]
    deeds = tuple(dict.fromkeys(deed for spec in before.values() for deed in spec.parent_actions))
    ends = set(last_of(specs))
    return tuple(
        replace(spec, parent_actions=spec.parent_actions or deeds) if spec.id in ends else spec
        for spec in specs
    )


def stands_for(specs: Sequence[TaskSpec], old: Sequence[Task]) -> dict[str, Task]:
    """The stage that each task takes the place of, by its id.

    One for one in their order, if they are as many; else the last of the tasks for the last stage.
    """
    stages = sorted((task for task in old if task.slug is not None), key=lambda task: task.position)
    if len(specs) == len(stages):
        return dict(zip((spec.id for spec in specs), stages, strict=True))
    return dict.fromkeys(last_of(specs), stages[-1]) if stages else {}


def _as_stage(desk: Desk, spec: TaskSpec, old: TaskSpec) -> TaskSpec:
    """`spec` as the stage that `old` is, or one of the capability that it names itself."""
    capability = spec.capability or str(old.capability)
    skill = spec.skill or (old.skill if capability == old.capability else None)
    contract = desk.contracts.resolve(capability, skill).contract.for_capability(capability)
    own = old.done if old.done != (goal_criterion(old.goal),) else ()
    done = spec.done or own
    said = stage_arguments(desk, contract, spec.label, done, spec.template)
    return replace(
        spec,
        goal=spec.label,
        done=done or (goal_criterion(spec.label),),
        template=spec.template or str(contract.template),
        args={**said, **spec.args},
        expected_minutes=spec.expected_minutes or contract.estimated_minutes,
        capability=capability,
        skill=contract.name,
        tier=spec.tier or contract.tier_max,
        parent_actions=spec.parent_actions or contract.parent_actions,
        gate=contract.output_gate,
    )


def with_slugs_of(
    stages: Mapping[str, Task], added: Sequence[tuple[EventType, str, Mapping[str, Any]]]
) -> list[Change]:
    """The `task_added` changes, those of `stages` with the slug of a work item of its workflow."""
    return [
        (kind, name, {**data, "slug": _slug(stages[name], data["position"])})
        if name in stages
        else (kind, name, data)
        for kind, name, data in added
    ]


def _slug(stage: Task, position: int) -> str:
    return f"{str(stage.slug).rpartition('-stage-')[0]}-stage-{position}"


def without_gate(specs: Sequence[TaskSpec], stages: Mapping[str, Task]) -> list[Finding]:
    """A finding on tasks in the place of stages that are none themselves."""
    names = [spec.id for spec in specs if stages and spec.id not in stages]
    if not names:
        return []
    return [
        Finding(
            Severity.INFO,
            "no_stage",
            f"added tasks that are no stages: {clip(', '.join(names), 200)}",
            "no gate judges what they return, and no hooks follow; the last one takes the gate over",
            "replace each stage by one task if each is to be judged",
        )
    ]
