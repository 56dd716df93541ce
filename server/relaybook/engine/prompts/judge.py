"""The INTAKE gate: a prompt judged by itself and beside others, and what a stage requires."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from relaybook.core.prompt_rules import (
    Finding,
    Reading,
    check_against,
    judge,
    may_block,
    read_facts,
)
from relaybook.core.result.gates import Verdict, intake_gate
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.lint import blocked, facts, needs_schema, print_of
from relaybook.engine.prompts.prints import Prints, keep_prints, prints_with
from relaybook.engine.prompts.prompt import Draft, arguments, has_content, prior_fields, takes_of
from relaybook.engine.verdict import INTAKE
from relaybook.model import EventType, Task, Tier, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_task_events
from relaybook.store.prints import EVERY

#: How many tasks before and after a task in the plan are its siblings.
SIBLINGS_EACH_WAY = 25

_LABELS_NEAR = (
    "SELECT label FROM tasks WHERE workflow_id = :workflow_id"
    " AND position BETWEEN :first AND :last AND position <> :own"
)


#: The rule against ordering a deed in the world. It blocks nothing where the plan itself names
#: the deed as the parent's: the worker prepares it, and the parent confirms.
DEED = "P16"


@dataclass(frozen=True, slots=True)
class Judged:
    """A prompt that was read, and what is wrong with it."""

    reading: Reading
    findings: tuple[Finding, ...]
    #: Those that it was judged beside.
    prints: Prints


def judge_draft(desk: Desk, tx: Tx, workflow: Workflow, task: Task, draft: Draft) -> Judged:
    """All that can be said of the prompt of a task, among those that others were started with."""
    siblings = _labels_near(tx, task)
    reading = read_facts(facts(draft.prompt, draft.template, draft.spec, siblings))
    mine = print_of(draft, workflow)
    prints = prints_with(desk, tx, workflow, mine)
    counts = prints.counts
    if task.attempt == 0:
        counts = counts + Counter((*mine.keys, EVERY))
    found = judge(reading) + check_against(mine, counts, counts[EVERY])
    return Judged(reading, found, prints)


def intake(
    desk: Desk,
    tx: Tx,
    workflow: Workflow,
    task: Task,
    draft: Draft,
    findings: Sequence[Finding],
) -> Verdict:
    """The INTAKE gate of a task: what it needs to be given, and what is wrong with its prompt.

    What was waived, or overridden at an earlier start, warns.
    """
    required = _required(desk, workflow, task, draft)
    given = _given(desk, tx, workflow, draft) if required else ()
    if draft.spec.parent_actions:
        findings = [finding for finding in findings if finding.rule != DEED]
    verdict = intake_gate(required, given, findings)
    if verdict.verdict != "fail":
        return verdict
    return intake_gate(required, given, findings, _waived(tx, task))


def _required(desk: Desk, workflow: Workflow, task: Task, draft: Draft) -> Sequence[str]:
    """The inputs that the contract of a stage requires and that something should give.

    That is an argument of its prompt, or a task before it. The goal says the others.
    """
    if task.skill is None or task.skill not in desk.contracts.names():
        return ()
    inputs = desk.contracts.get(task.skill).inputs
    givers = {each.name for each in draft.template.inputs}
    givers.update(*(take.fields for take in takes_of(workflow.pattern, draft.spec)))
    return [each.name for each in inputs if each.required and each.name in givers]


def _given(desk: Desk, tx: Tx, workflow: Workflow, draft: Draft) -> set[str]:
    """The inputs with a value: arguments, and what the tasks before hand over."""
    args = arguments(draft.template, draft.spec)
    given = {name for name, value in args.items() if has_content(value)}
    return given.union(*prior_fields(desk, tx, workflow, draft.spec))


def pass_intake(
    desk: Desk, tx: Tx, workflow: Workflow, task: Task, draft: Draft, override: str
) -> tuple[Verdict | None, list[str]]:
    """The verdict of the gate, and the rules that `override` starts the task in spite of.

    None for a task that is no stage and whose prompt no rule can block: asked at every start,
    so answered fast.

    Raises:
        PromptBlocked: the gate fails and nothing overrides it.
    """
    if task.skill is None and _is_clean(draft):
        return None, []
    judged = judge_draft(desk, tx, workflow, task, draft)
    verdict = intake(desk, tx, workflow, task, draft, judged.findings)
    failed = [item for item in verdict.items if item.verdict == "fail"]
    if failed and not override:
        raise blocked(task, verdict, failed)
    keep_prints(tx, workflow.id, judged.prints)
    return verdict, sorted({item.rule for item in failed})


def _is_clean(draft: Draft) -> bool:
    """Whether no rule that blocks can be broken; asked at every start, so answered fast."""
    prompt, template, spec = draft.prompt, draft.template, draft.spec
    return (
        not may_block(prompt.sections, prompt.fixed)
        and (spec.worker_can_read or not prompt.path_only)
        and (prompt.schema is not None or not needs_schema(template))
        and (spec.tier or template.tier) in (Tier.T1, Tier.T2)
    )


def _waived(tx: Tx, task: Task) -> set[str]:
    """The rules that were waived, or that earlier starts of the task were to override."""
    events = read_task_events(tx, task.workflow_id, task.id)
    starts = [event.data for event in events if event.type is EventType.TASK_STARTED]
    waivers = [event.data for event in events if event.data.get("gate") == INTAKE]
    return {rule for said in (*starts, *waivers) for rule in said.get("findings", ())}


def _labels_near(tx: Tx, task: Task) -> list[str]:
    params = {
        "workflow_id": task.workflow_id,
        "first": task.position - SIBLINGS_EACH_WAY,
        "last": task.position + SIBLINGS_EACH_WAY,
        "own": task.position,
    }
    return [row[0] for row in tx.rows(_LABELS_NEAR, params)]
