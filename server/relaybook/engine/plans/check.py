"""What the rules of its pattern say against a plan: errors refuse it, the rest is told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from relaybook.core.plan.check import PlanTask, check_change, check_plan
from relaybook.core.plan.guards import Finding, named
from relaybook.core.plan.task_spec import TaskSpec, waits_for
from relaybook.core.plan.words import check_words
from relaybook.core.policy import FINDINGS_SHOWN
from relaybook.core.prompt_rules import check, orders_outward_deed
from relaybook.core.severity import Severity, worst_first
from relaybook.core.text import canonical, texts_in
from relaybook.engine.desk import Desk
from relaybook.engine.plans.hand_over import (
    refuse_broken_schemas,
    refuse_impossible_takes,
    sources_there,
)
from relaybook.engine.prompts.lint import facts
from relaybook.engine.prompts.prompt import planned_prompt, result_schema, takes_of
from relaybook.engine.tasks.stage import ADVISORY
from relaybook.errors import InvalidPlan, clip, nearest
from relaybook.model import Pattern, Task, Tier, Workflow
from relaybook.registry.inlay import SHORT
from relaybook.registry.task_inputs import DONE_INPUT
from relaybook.store.base import Tx
from relaybook.store.cases import needs_of
from relaybook.store.tables import TASKS

_SAYS_DONE = re.compile(r"\bdone (?:when|means)\b", re.IGNORECASE)
_OVERRIDE = "; or, if it stays in the workspace, say so in create_workflow(override='<why>')"


def check_specs(
    desk: Desk,
    pattern: Pattern,
    specs: Sequence[TaskSpec],
    max_parallel: int,
    override: str = "",
) -> list[dict[str, str]]:
    """The findings on a plan that stands, the most serious first.

    Raises:
        InvalidPlan: a rule of the pattern is broken; it names rule, reason and fix. Or a worker
            is given an action above its tier, and no `override` says why. Or a schema is broken,
            or lacks a field that another task takes.
    """
    refuse_broken_schemas(desk, specs)
    refuse_impossible_takes(desk, specs, {})
    if not override.strip():
        _refuse_outward_deeds(desk, pattern, specs, _OVERRIDE)
    found = check_plan(pattern, _plan_tasks(desk, pattern, specs, {}), max_parallel)
    return _judged([*found, *check_words(specs), *_check_material(desk, pattern, specs)])


def _check_material(desk: Desk, pattern: Pattern, specs: Sequence[TaskSpec]) -> list[Finding]:
    """A finding on the tasks whose prompts speak of a text that nothing gives them."""
    names = {spec.template for spec in specs}
    material = {name: desk.templates.get(name).material for name in names}
    lacking = [
        spec
        for spec in specs
        if material[spec.template] and planned_prompt(desk, pattern, spec, {}).lacks_material
    ]
    if not lacking:
        return []
    inputs = " or ".join(material[lacking[0].template])
    return [
        Finding(
            Severity.WARN,
            "material_missing",
            f"prompts about a text below, with none given: {named([each.id for each in lacking])}",
            "a worker that is given nothing to work on asks for it, or makes it up",
            f"give the input {inputs} in args, or takes=[{{from, fields}}] of an earlier task",
        )
    ]


def _refuse_outward_deeds(
    desk: Desk, pattern: Pattern, specs: Sequence[TaskSpec], otherwise: str = ""
) -> None:
    for spec in specs:
        if not spec.parent_actions and (order := _outward_order(desk, pattern, spec)):
            raise InvalidPlan(
                f"Task {spec.id!r} orders a worker to act beyond the workspace: "
                f"{clip(order, 120)!r}. Workers end at tier T2.",
                allowed="tasks that prepare the action and name it in proposed_actions for you",
                next=f"word it as 'Prepare …'{otherwise}",
                rule="tier",
            )


def _outward_order(desk: Desk, pattern: Pattern, spec: TaskSpec) -> str:
    """The words of a task that order such a deed, those in fences apart; empty without any."""
    if orders_outward_deed(spec.label):
        return spec.label
    given = "\n\n".join(each for each in texts_in([spec.args, spec.done]) if len(each) <= SHORT)
    return _order_in_prompt(desk, pattern, spec) if orders_outward_deed(given) else ""


def _order_in_prompt(desk: Desk, pattern: Pattern, spec: TaskSpec) -> str:
    prompt = planned_prompt(desk, pattern, spec, {})
    found = check(facts(prompt, desk.templates.get(spec.template), spec))
    return next((each.excerpt for each in found if each.rule == "P16"), "")


def _judged(findings: Sequence[Finding]) -> list[dict[str, str]]:
    for finding in findings:
        if finding.severity is Severity.ERROR:
            raise InvalidPlan(
                f"{finding.what}: {finding.why}.", next=finding.fix, rule=finding.rule
            )
    return [told(finding) for finding in worst_first(findings)[:FINDINGS_SHOWN]]


def check_hooks(desk: Desk, options: Mapping[str, Any]) -> list[dict[str, str]]:
    """A finding for each hook that a workflow names and no contract stands for."""
    said = options.get("hooks", ())
    if not said or said == ADVISORY:
        return []
    known = list(desk.contracts.names())
    return [
        told(
            Finding(
                Severity.WARN,
                "hook_unknown",
                f"no contract {name[:64]!r} for this hook; nearest: {nearest(name, known)}",
                "it has no prompt, and holds the next stage back until it is waived",
                "correct the name, or add a contract of that name to a contracts folder",
            )
        )
        for name in said
        if name not in known
    ]


def check_added(
    desk: Desk, tx: Tx, workflow: Workflow, specs: Sequence[TaskSpec], old: Sequence[Task]
) -> list[dict[str, str]]:
    """The findings on tasks that join a plan, in the place of `old` or beside all others.

    Raises:
        InvalidPlan: a rule of the pattern is broken; it names rule, reason and fix. Or a schema
            is broken, or lacks a field that another task takes.
    """
    if not specs:
        return []
    refuse_broken_schemas(desk, specs)
    there = sources_there(desk, tx, workflow, specs)
    refuse_impossible_takes(desk, specs, there)
    _refuse_outward_deeds(desk, workflow.pattern, specs)
    beside = [_there(desk, tx, task) for task in _staying(tx, workflow, old)]
    added = _plan_tasks(desk, workflow.pattern, specs, there)
    found = check_change(workflow.pattern, added, beside)
    lacking = _check_material(desk, workflow.pattern, specs)
    return _judged([*found, *check_words(specs), *lacking])


def _staying(tx: Tx, workflow: Workflow, old: Sequence[Task]) -> list[Task]:
    """The other tasks that a rule looks at: all experts, and whoever may still write."""
    where = "WHERE workflow_id = :id AND replaced_by IS NULL"
    if workflow.pattern is not Pattern.EXPERT_PANEL:
        where += " AND writes IS NOT NULL AND status NOT IN ('completed', 'cancelled')"
    names = {task.id for task in old}
    found = TASKS.find(tx, f"{where} ORDER BY position", id=workflow.id)
    return [task for task in found if task.id not in names]


def _there(desk: Desk, tx: Tx, task: Task) -> PlanTask:
    spec = desk.spec(tx, task.workflow_id, task.spec)
    return _plan_task(
        desk, replace(spec, depends_on=tuple(needs_of(tx, task.workflow_id, task.id)))
    )


def told(finding: Finding) -> dict[str, str]:
    """A finding as an answer carries it."""
    return {
        "severity": str(finding.severity),
        "rule": finding.rule,
        "what": finding.what,
        "why": finding.why,
        "fix": finding.fix,
    }


def _plan_tasks(
    desk: Desk, pattern: Pattern, specs: Sequence[TaskSpec], there: Mapping[str, TaskSpec]
) -> list[PlanTask]:
    """`specs` as the checks look at them; `there` are tasks whose results they are handed."""
    fields = {spec.id: _fields(desk, spec) for spec in [*there.values(), *specs]}
    return [
        replace(
            _plan_task(desk, spec),
            takes_whole=[
                take.source
                for take in takes_of(pattern, spec)
                if not take.fields and fields.get(take.source, 0) > 1
            ],
            takes_nothing=bool(spec.depends_on) and not takes_of(pattern, spec),
        )
        for spec in specs
    ]


def _fields(desk: Desk, spec: TaskSpec) -> int:
    """How many fields the result of a task has to choose from."""
    schema = result_schema(desk, spec)
    return len(schema.get("properties", ())) if schema else 0


def _done_by_template(desk: Desk, spec: TaskSpec) -> str:
    """What done looks like where no plan need say it: a template without criteria says it itself."""
    template = desk.templates.get(spec.template)
    asks = any(each.name == DONE_INPUT for each in template.inputs)
    return "" if asks or not _SAYS_DONE.search(template.body.source) else template.name


def _plan_task(desk: Desk, spec: TaskSpec) -> PlanTask:
    proposal = spec.args.get("proposal")
    return PlanTask(
        id=spec.id,
        label=spec.label,
        needs=waits_for(spec),
        minutes=spec.expected_minutes or 0.0,
        done="; ".join(spec.done) or _done_by_template(desk, spec),
        expert_role=spec.expert_role or None,
        writes=spec.writes,
        tier=spec.tier or Tier.T2,
        proposal="" if proposal is None else canonical(proposal),
    )
