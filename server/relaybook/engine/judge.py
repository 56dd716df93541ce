"""A prompt judged: by itself, beside its siblings, and beside the prompts of its workflow."""

from collections import Counter
from dataclasses import dataclass

from relaybook.core.prompt_rules import (
    Finding,
    Reading,
    check_against,
    judge,
    may_block,
    read_facts,
)
from relaybook.engine.lint import blocked, blocking, facts, needs_schema, print_of
from relaybook.engine.prompt import Draft
from relaybook.model import EventType, Task, Tier, Workflow
from relaybook.store.base import Tx
from relaybook.store.ledger import read_task_events
from relaybook.store.prints import EVERY, add_prints, read_prints

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


def judge_draft(tx: Tx, workflow: Workflow, task: Task, draft: Draft) -> Judged:
    """All that can be said of the prompt of a task, among those that others were started with."""
    siblings = _labels_near(tx, task)
    reading = read_facts(facts(draft.prompt, draft.template, draft.spec, siblings))
    mine = print_of(draft, workflow)
    counts = Counter(read_prints(tx, workflow.id, mine.keys))
    if task.attempt == 0:
        counts.update((*mine.keys, EVERY))
    return Judged(reading, judge(reading) + check_against(mine, counts, counts[EVERY]))


def refuse_blocked(tx: Tx, task: Task, draft: Draft, override: str) -> list[str]:
    """The rules that `override` starts the task in spite of; none if it needs none.

    What was overridden at an earlier start of the task stays so.

    Raises:
        PromptBlocked: the prompt has errors and nothing overrides them.
    """
    if _is_clean(draft):
        return []
    errors = blocking(judge(read_facts(facts(draft.prompt, draft.template, draft.spec))))
    settled = _overridden(tx, task) if errors else set[str]()
    if draft.spec.parent_actions:
        settled.add(DEED)
    errors = [finding for finding in errors if finding.rule not in settled]
    if errors and not override:
        raise blocked(task.id, errors)
    return sorted({finding.rule for finding in errors})


def keep_print(tx: Tx, workflow: Workflow, task: Task, draft: Draft) -> None:
    """Count the prompt in, if it is the first of its task."""
    if task.attempt == 0:
        add_prints(tx, workflow.id, print_of(draft, workflow).keys)


def _is_clean(draft: Draft) -> bool:
    """Whether no rule that blocks can be broken; asked at every start, so answered fast."""
    prompt, template, spec = draft.prompt, draft.template, draft.spec
    return (
        not may_block(prompt.sections, prompt.fixed)
        and (spec.worker_can_read or not prompt.path_only)
        and (prompt.schema is not None or not needs_schema(template))
        and (spec.tier or template.tier) in (Tier.T1, Tier.T2)
    )


def _overridden(tx: Tx, task: Task) -> set[str]:
    """The rules that earlier starts of the task were recorded to override."""
    if task.attempt == 0:
        return set()
    events = read_task_events(tx, task.workflow_id, task.id)
    starts = [event for event in events if event.type is EventType.TASK_STARTED]
    return {rule for event in starts for rule in event.data.get("findings", ())}


def _labels_near(tx: Tx, task: Task) -> list[str]:
    params = {
        "workflow_id": task.workflow_id,
        "first": task.position - SIBLINGS_EACH_WAY,
        "last": task.position + SIBLINGS_EACH_WAY,
        "own": task.position,
    }
    return [row[0] for row in tx.rows(_LABELS_NEAR, params)]
