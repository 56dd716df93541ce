"""Stages: tasks planned by capability, each done by the skill that its contract names."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from relaybook.core.hooks import DEFAULT_HOOKS
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.plan.tasks import read_tasks
from relaybook.core.result.evidence import goal_criterion
from relaybook.core.task.command import Change
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import slug
from relaybook.engine.view.stage_ids import stage_id
from relaybook.errors import InvalidArguments, InvalidPlan, clip, nearest
from relaybook.model import WORDS, Pattern, Task, Workflow
from relaybook.registry.contract import Contract
from relaybook.registry.contracts import Route
from relaybook.store.base import Tx

STAGES_LIMIT = 200
HOOKS_LIMIT = 12
#: How many stages one answer tells, and how much of each goal.
STAGES_SHOWN, GOAL_SHOWN = 25, 120
#: `hooks` of a workflow whose hooks are offered but hold nothing back.
ADVISORY = "advisory"

#: What a stage may say; what is not the stage's own goes to its task as it stands.
_OWN = ("capability", "goal", "skill", "args", "done")
_OF_TASK = (
    "label",
    "expected_minutes",
    "timeout_seconds",
    "template",
    "schema",
    "writes",
    "when",
    "worker_can_read",
)


def plan_stages(
    desk: Desk, pattern: Pattern, stages: Sequence[Any]
) -> tuple[tuple[TaskSpec, ...], list[Route]]:
    """The task of each stage, and the skill that it was routed to with the runners-up.

    In a pipeline each stage waits for the one before and takes what its contract passes on.

    Raises:
        InvalidPlan: a stage is not of the form of one.
        UnknownCapability, UnknownContract: nobody can do a stage; names the nearest.
    """
    if len(stages) > STAGES_LIMIT:
        raise InvalidPlan(
            f"The plan has {len(stages)} stages.",
            allowed=f"at most {STAGES_LIMIT}",
            next="make several workflows",
        )
    said = [_checked(stage, place) for place, stage in enumerate(stages)]
    routes = [desk.contracts.resolve(each["capability"], each.get("skill")) for each in said]
    contracts = [
        route.contract.for_capability(each["capability"])
        for each, route in zip(said, routes, strict=True)
    ]
    tasks = [
        _task(place, each, contracts, pattern)
        | {
            "args": stage_arguments(
                desk, contract, each["goal"].strip(), each.get("done") or (), each.get("template")
            )
            | (each.get("args") or {})
        }
        for place, (each, contract) in enumerate(zip(said, contracts, strict=True))
    ]
    return read_tasks(tasks, pattern), routes


def _checked(stage: Any, place: int) -> Mapping[str, Any]:
    if not isinstance(stage, Mapping):
        raise InvalidPlan(
            f"Stage {place} is {type(stage).__name__}; it must be an object.",
            allowed="{capability, goal, skill?, args?, done?}",
            next="correct it and send the plan again",
        )
    known = (*_OWN, *_OF_TASK)
    unknown = [str(key) for key in stage if key not in known]
    if unknown:
        raise InvalidPlan(
            f"Stage {place} has an unknown field {unknown[0][:80]!r}.",
            allowed=nearest(unknown[0], list(known)),
            next="correct the field and send the plan again",
        )
    for name in ("capability", "goal"):
        if not isinstance(stage.get(name), str) or not stage[name].strip():
            raise InvalidPlan(
                f"Stage {place} has no {name}.",
                allowed="{capability, goal, skill?, args?, done?}",
                next="say what must be able to do it, and what it is for",
            )
    _check_types(stage, place)
    return stage


def _check_types(stage: Mapping[str, Any], place: int) -> None:
    text = (str, "a text")
    wanted = {
        "skill": text,
        "template": text,
        "args": (Mapping, "an object"),
        "done": (list, "a list"),
    }
    for name, (kind, word) in wanted.items():
        if stage.get(name) is not None and not isinstance(stage[name], kind):
            raise InvalidPlan(
                f"Field {name!r} of stage {place} must be {word}.",
                next="correct the field and send the plan again",
            )


def _task(
    place: int, stage: Mapping[str, Any], contracts: Sequence[Contract], pattern: Pattern
) -> dict[str, Any]:
    """A stage in the form in which a plan has a task."""
    contract, goal = contracts[place], stage["goal"].strip()
    done = stage.get("done") or []
    task: dict[str, Any] = {
        "id": stage_id(place),
        "label": clip(goal, 300),
        "goal": goal,
        "template": contract.template,
        "expected_minutes": contract.estimated_minutes,
        "timeout_seconds": contract.timeout_minutes and contract.timeout_minutes * 60,
        "done": done or [goal_criterion(goal)],
        "capability": stage["capability"],
        "skill": contract.name,
        "tier": contract.tier_max,
        "parent_actions": [asdict(action) for action in contract.parent_actions],
        "gate": contract.output_gate,
    }
    if pattern is Pattern.PIPELINE and place:
        before = stage_id(place - 1)
        task["depends_on"] = [before]
        task["takes"] = [{"from": before, "fields": list(contracts[place - 1].passes)}]
    return task | {name: stage[name] for name in _OF_TASK if stage.get(name) is not None}


def stage_arguments(
    desk: Desk, contract: Contract, goal: str, done: Sequence[str], own: str | None
) -> dict[str, Any]:
    """What the contract says to its template; to the stage's `own`, what that takes of it."""
    args = contract.arguments(goal, done)
    if not own:
        return args
    taken = {each.name for each in desk.templates.get(own).inputs}
    return {name: value for name, value in args.items() if name in taken}


def hook_options(hooks: Any) -> dict[str, Any]:
    """What a workflow keeps of `hooks`: names in their order, or that all are advisory.

    Raises:
        InvalidArguments: it is neither.
    """
    if hooks is None:
        return {}
    names = hooks == ADVISORY or (
        isinstance(hooks, list | tuple)
        and len(hooks) <= HOOKS_LIMIT
        and all(isinstance(name, str) and name.strip() for name in hooks)
    )
    if not names:
        raise InvalidArguments(
            "hooks are neither names of skills nor 'advisory'.",
            allowed=f"{', '.join(DEFAULT_HOOKS)}; [] for none; 'advisory': offered, not held",
            next="leave it out for these three",
        )
    return {"hooks": hooks if hooks == ADVISORY else list(dict.fromkeys(hooks))}


def hooks_of(workflow: Workflow) -> tuple[tuple[str, ...], bool]:
    """The hooks of a workflow's stages, and whether they hold the next stage back."""
    said = json.loads(workflow.options).get("hooks", list(DEFAULT_HOOKS))
    return (DEFAULT_HOOKS, False) if said == ADVISORY else (tuple(said), True)


def with_slugs(tx: Tx, name: str, added: Sequence[Change]) -> list[Change]:
    """The `task_added` changes of stages, each with the slug of its work item.

    `wf-<name>-stage-<i>`; where that is taken, `wf-<name>-2-stage-<i>`, and so on.
    """
    base = f"wf-{slug(name) or 'stages'}"
    tx.lock("slugs")  # of any name: the second wf-a may be wf-a-2, and so may the first wf-a-2
    number = _free_number(tx, base)
    prefix = base if number == 1 else f"{base}-{number}"
    return [
        (kind, task_id, {**data, "slug": f"{prefix}-stage-{place}"})
        for place, (kind, task_id, data) in enumerate(added)
    ]


def _free_number(tx: Tx, base: str) -> int:
    """A number that no workflow of that name has, found in few steps however many there are."""
    high = 1
    while _is_taken(tx, base, high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _is_taken(tx, base, middle) else (low, middle)
    return high


def _is_taken(tx: Tx, base: str, number: int) -> bool:
    prefix = base if number == 1 else f"{base}-{number}"
    sql = "SELECT 1 FROM tasks WHERE slug = :slug"
    return bool(tx.rows(sql, {"slug": f"{prefix}-stage-0"}))


def stage_line(task: Task) -> str:
    """`⏳ 0. [implement] Build it → python-backend`; of a task beside the stages its label alone."""
    place = f"{WORDS[task.status].icon} {task.position}."
    goal = clip(task.label, GOAL_SHOWN)
    if task.slug is None:
        return f"{place} {goal}"
    return f"{place} [{task.capability}] {goal} → {task.skill}"


def stage_lines(tasks: Sequence[Task]) -> str:
    """A line for each of `tasks` that is a stage."""
    stages = [task for task in tasks if task.slug is not None]
    lines = [stage_line(task) for task in stages[:STAGES_SHOWN]]
    if len(stages) > STAGES_SHOWN:
        lines.append(f"… and {len(stages) - STAGES_SHOWN} more")
    return "\n".join(lines)


def routed(tasks: Sequence[Task], routes: Sequence[Route]) -> list[dict[str, Any]]:
    """Each stage with its work item and skill, and who could do it too."""
    return [
        {"stage": task.position, "task_id": task.id, "item": task.slug, "skill": task.skill}
        | ({"runners_up": list(route.runners_up[:5])} if route.runners_up else {})
        for task, route in zip(tasks[:STAGES_SHOWN], routes, strict=False)
    ]
