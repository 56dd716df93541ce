"""The hooks of a stage that has ended, as tasks ready to spawn, with what the server did itself."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from relaybook.core.hooks import EndedStage, Hook, due_hooks
from relaybook.core.learning.health import Health, health
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.result.envelope import from_json
from relaybook.core.result.evidence import Records, digest, evidence
from relaybook.core.result.gates import Evidence, output_gate
from relaybook.engine.desk import Desk
from relaybook.engine.tasks.stage import hooks_of
from relaybook.engine.verdict import OUTPUT, gate_told
from relaybook.engine.view.advice import timestamp
from relaybook.errors import InvalidArguments
from relaybook.model import Status, Task, Tier, Workflow
from relaybook.registry.frame import Frame
from relaybook.registry.prompt import render
from relaybook.store.base import Tx
from relaybook.store.lessons import accepted_lessons
from relaybook.store.skills import skill_stats
from relaybook.store.texts import get_text

#: How many lessons the reflection is shown, so that it does not propose them again.
LESSONS_SHOWN = 20
#: What the OUTPUT gate is over for a stage that failed.
FAILED_JUDGED = "the failure alone: its reason and what was written; no result is asked for"


def due(
    desk: Desk, tx: Tx, workflow: Workflow, task: Task, records: Records, *, failed: bool
) -> tuple[Hook, ...]:
    """The hooks of a stage that has just completed or `failed`, in their order."""
    spec = desk.spec(tx, workflow.id, task.spec)
    return due_hooks(
        _ended(desk, tx, workflow, task, spec, records, failed),
        desk.contracts.names(),
        hooks_of(workflow)[0],
    )


def _ended(
    desk: Desk,
    tx: Tx,
    workflow: Workflow,
    task: Task,
    spec: TaskSpec,
    records: Records,
    failed: bool,
) -> EndedStage:
    skill = str(task.skill)
    failures = [{"id": task.id, "code": task.error_code, "text": task.error}] if task.error else []
    return EndedStage(
        workflow_id=workflow.id,
        index=task.position,
        item=str(task.slug),
        goal=spec.goal or task.label,
        skill=skill,
        failed=failed,
        criteria=spec.done,
        findings=tuple(str(finding["text"]) for finding in records.findings),
        digest=digest(records, goal=spec.goal or task.label, summary=task.summary or ""),
        lessons=accepted_lessons(tx, workflow.project, skill, task.template, LESSONS_SHOWN),
        figures=figures(health(skill_stats(tx, skill), desk.clock())),
        failures=tuple(failures),
    )


def figures(found: Health) -> dict[str, Any]:
    """The health of a skill as an answer tells it, what is not known left out."""
    said = {name: value for name, value in asdict(found).items() if value not in (None, {})}
    if found.retry_at is not None:
        said["retry_at"] = timestamp(found.retry_at)
    return said | {"state": str(found.state), "breaker": str(found.breaker)}


def hook_tasks(
    desk: Desk, tx: Tx, workflow: Workflow, task: Task, records: Records, names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Those of the stage's hooks that are among `names`, without their prompts."""
    failed = task.status is Status.FAILED
    found = due(desk, tx, workflow, task, records, failed=failed)
    return [_told(desk, tx, workflow, task, records, hook) for hook in found if hook.skill in names]


def _told(
    desk: Desk, tx: Tx, workflow: Workflow, task: Task, records: Records, hook: Hook
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "skill": hook.skill,
        "label": hook.label,
        "label_full": hook.label_full,
        "description": hook.description,
    }
    if hook.template is not None:
        said["template"] = hook.template
    if hook.skill in _BUILTIN:
        said["by_rule"] = _BUILTIN[hook.skill](desk, tx, workflow, task, records)
    if hook.problem is not None:
        said["problem"] = hook.problem
    return said


def gate_again(
    desk: Desk, tx: Tx, workflow: Workflow, task: Task, records: Records
) -> dict[str, Any]:
    """The OUTPUT gate of an ended stage over what is recorded now, as an answer tells it."""
    spec = desk.spec(tx, workflow.id, task.spec)
    result = None
    if task.result is not None:
        result = from_json(get_text(tx, workflow.id, task.result))
    shown = (
        Evidence(failed=True, reason=task.error or "", writes=spec.writes)
        if task.status is Status.FAILED
        else evidence(records, goal=spec.goal, done=spec.done, writes=spec.writes, result=result)
    )
    return gate_told(OUTPUT, output_gate(spec.gate, shown, spec.tier or Tier.T2))


def _check(desk: Desk, tx: Tx, workflow: Workflow, task: Task, records: Records) -> dict[str, Any]:
    said = gate_again(desk, tx, workflow, task, records)
    return said | {"judged": FAILED_JUDGED} if task.status is Status.FAILED else said


def _health(desk: Desk, tx: Tx, _: Workflow, task: Task, _records: Records) -> dict[str, Any]:
    return figures(health(skill_stats(tx, str(task.skill)), desk.clock()))


#: What the server does of a hook by rule, at once; the judgement is left to whoever runs the hook.
_BUILTIN = {"sanity-check": _check, "skill-lifecycle": _health}


def _no_hook(task: Task, name: str, known: Sequence[str]) -> InvalidArguments:
    by_itself = "leave out task_id for a template by itself"
    return InvalidArguments(
        f"Stage {task.position} has no hook {name[:64]!r} with a prompt.",
        allowed=", ".join(known) or "none: no hook of this stage has a prompt",
        next=f"name one of these, or {by_itself}" if known else by_itself,
    )


def hook_prompt(
    desk: Desk, tx: Tx, workflow: Workflow, task: Task, records: Records, name: str
) -> str:
    """The prompt for the judgement of one hook of an ended stage; `name` is its skill or template.

    Raises:
        InvalidArguments: it is none of the stage's hooks, or has no prompt.
    """
    found = due(desk, tx, workflow, task, records, failed=task.status is Status.FAILED)
    hook = next((each for each in found if name in (each.skill, each.template)), None)
    if hook is None or hook.problem is not None:
        raise _no_hook(task, name, [each.skill for each in found if each.problem is None])
    contract = desk.contracts.get(hook.skill)
    args = dict(hook.inputs)
    if hook.template is None:
        args = contract.arguments(str(hook.inputs["goal"]))
    template = desk.templates.get(hook.template or contract.template or "")
    frame = Frame(nonce=desk.token(6), minutes=template.expected_minutes, tier=template.tier)
    return render(template, args, frame).text
