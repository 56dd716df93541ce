"""The hooks of a stage that has ended: which are due, in which order, and what each is given.

The part of a hook that follows from rules is done by relaybook itself (`builtin`); the judgement
on top of it is offered as a task, by a template, to whoever the orchestrator picks.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relaybook.core.text import slug
from relaybook.errors import clip

DEFAULT_HOOKS = ("sanity-check", "reflect", "skill-lifecycle")
#: The longest label, and how much of a goal a description tells, in characters.
LABEL_LIMIT, GOAL_LIMIT = 64, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedStage:
    """What the hooks of a stage need to know of it."""

    workflow_id: str
    #: Place in the workflow, from 0.
    index: int
    #: Slug of its work item.
    item: str
    goal: str
    skill: str
    failed: bool = False
    criteria: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    #: The work item as text, for a judge to read.
    digest: str = ""
    #: Lessons that are kept already.
    lessons: tuple[str, ...] = ()
    #: The health of its skill, and the skill's latest failures as {id, code, text}.
    figures: Mapping[str, Any] = field(default_factory=dict[str, Any])
    failures: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One hook that is due."""

    skill: str
    label: str
    #: Names the workflow and the stage as well.
    label_full: str
    description: str
    inputs: Mapping[str, Any]
    #: None leaves it to the contract of the skill.
    template: str | None
    #: Whether relaybook does a part of it by rule.
    builtin: bool
    #: Why it cannot be run, where that is so.
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    #: What is to be done with the stage, which the description names after it.
    task: str
    template: str | None
    builtin: bool
    is_due: Callable[[EndedStage], bool]
    inputs: Callable[[EndedStage], dict[str, Any]]


def _sanity_check_inputs(stage: EndedStage) -> dict[str, Any]:
    criteria = list(stage.criteria) or [stage.goal]
    return {"gate": "output", "item": stage.digest, "criteria": criteria}


def finding_id(place: int) -> str:
    """What a finding of a stage is called before reflection: f1, f2 …"""
    return f"f{place + 1}"


def _reflect_inputs(stage: EndedStage) -> dict[str, Any]:
    findings = [
        {"id": finding_id(place), "text": text} for place, text in enumerate(stage.findings)
    ]
    return {"findings": findings, "lessons": list(stage.lessons)}


def _skill_lifecycle_inputs(stage: EndedStage) -> dict[str, Any]:
    return {
        "skill": stage.skill,
        "figures": dict(stage.figures),
        "failures": [dict(failure) for failure in stage.failures],
    }


_KINDS: Mapping[str, _Kind] = {
    "sanity-check": _Kind(
        "Run the OUTPUT gate over the artifacts and tests of",
        "hook_sanity_check",
        True,
        lambda stage: True,
        _sanity_check_inputs,
    ),
    "reflect": _Kind(
        "Propose lessons from the findings of",
        "hook_reflect",
        False,
        lambda stage: bool(stage.findings),
        _reflect_inputs,
    ),
    "skill-lifecycle": _Kind(
        "Judge the health of the skill that did",
        "hook_skill_lifecycle",
        True,
        lambda stage: True,
        _skill_lifecycle_inputs,
    ),
}
#: Any other skill that a workflow names as a hook.
_OTHER = _Kind(
    "Follow up",
    None,
    False,
    lambda stage: not stage.failed,
    lambda stage: {"goal": stage.goal, "item": stage.digest, "findings": list(stage.findings)},
)


def due_hooks(
    stage: EndedStage, contracts: Collection[str], hooks: Sequence[str] = DEFAULT_HOOKS
) -> tuple[Hook, ...]:
    """The hooks to run now, in their order; one that is not among `contracts` says so."""
    kinds = {name: _KINDS.get(name, _OTHER) for name in hooks}
    return tuple(
        Hook(
            skill=name,
            label=hook_label(name),
            label_full=hook_label_full(stage.workflow_id, stage.index, name),
            description=_description(kind, stage),
            inputs=kind.inputs(stage),
            template=kind.template,
            builtin=kind.builtin,
            problem=None if name in contracts else _no_contract(name),
        )
        for name, kind in kinds.items()
        if kind.is_due(stage)
    )


def hook_label(skill: str) -> str:
    """`hook_<skill>`, the same for every stage."""
    return _label("hook", skill)


def hook_label_full(workflow_id: str, stage: int, skill: str) -> str:
    """`hook_<id>_<stage>_<skill>`, where the id goes without its prefix."""
    bare = workflow_id.removeprefix("wf_").removeprefix("wf-")
    return _label("hook", bare, str(stage), skill)


def _label(*parts: str) -> str:
    return slug("_".join(parts))[:LABEL_LIMIT]


def _description(kind: _Kind, stage: EndedStage) -> str:
    ended = "failed" if stage.failed else "completed"
    goal = clip(" ".join(stage.goal.split()), GOAL_LIMIT)
    return f"{kind.task} stage {stage.index} ({stage.item}, {ended}, by {stage.skill}): {goal}"


def _no_contract(skill: str) -> str:
    return (
        f"there is no contract {clip(skill, 64)!r}: add one to a contracts folder, "
        "or waive the hook with a reason"
    )
