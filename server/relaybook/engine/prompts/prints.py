"""What the prompts of a workflow have in common, counted when one of them is judged."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from relaybook.core.plan.task_fields import read_spec
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.prompt_rules import Fingerprint, fingerprint
from relaybook.core.text import texts_in
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import arguments, frame_of
from relaybook.errors import InvalidTemplate, UnknownTemplate
from relaybook.model import Pattern, Workflow
from relaybook.registry.prompt import fixed_lines
from relaybook.registry.template import Template
from relaybook.store.base import Tx
from relaybook.store.prints import (
    AT_ONCE,
    EVERY,
    LOOKED_THROUGH,
    FirstPrompt,
    add_prints,
    first_prompts,
    read_prints,
)


@dataclass(frozen=True, slots=True)
class Prints:
    """How many of the tasks started in a workflow hold each of some keys in their first prompt."""

    #: `EVERY` counts the tasks.
    counts: Counter[int]
    #: How many events had been looked through, and what those after them add.
    looked_through: int
    fresh: Counter[int]


def prints_with(desk: Desk, tx: Tx, workflow: Workflow, mine: Fingerprint) -> Prints:
    """What the first prompts of `workflow` share with the prompt that left `mine`."""
    counts = Counter(read_prints(tx, workflow.id, mine.keys))
    after = counts.pop(LOOKED_THROUGH, 0)
    found = first_prompts(tx, workflow.id, after)
    fresh = Counter(key for each in found for key in _keys(desk, workflow, each))
    if found:
        last = found[-1].seq if len(found) == AT_ONCE else workflow.seq
        fresh[LOOKED_THROUGH] = last - after
    return Prints(counts + fresh, after, fresh)


def keep_prints(tx: Tx, workflow_id: str, prints: Prints) -> None:
    """Spare the next who asks what was counted, unless another has kept it meanwhile.

    The row of the workflow is locked.
    """
    if not prints.fresh:
        return
    kept = read_prints(tx, workflow_id, ())
    if kept.get(LOOKED_THROUGH, 0) == prints.looked_through:
        add_prints(tx, workflow_id, prints.fresh)


def _keys(desk: Desk, workflow: Workflow, first: FirstPrompt) -> Iterator[int]:
    yield EVERY
    yield from _print_of(desk, workflow, first).keys


def _print_of(desk: Desk, workflow: Workflow, first: FirstPrompt) -> Fingerprint:
    """As `lint.print_of`, from what is on record; of a template as it stands now, if it does."""
    spec = read_spec(json.loads(first.spec))
    try:
        template = desk.templates.get(spec.template)
    except (UnknownTemplate, InvalidTemplate):
        return fingerprint(first.text, role=spec.expert_role)
    options = json.loads(workflow.options)
    frame = frame_of(template, spec, options, nonce="0", minutes=first.timeout_seconds / 60)
    data = _judged(template, spec) if workflow.pattern is Pattern.EXPERT_PANEL else ()
    shared = (template.body.source, *frame.shared_decisions, *data)
    return fingerprint(first.text, fixed_lines(template, frame), shared, spec.expert_role)


def _judged(template: Template, spec: TaskSpec) -> Iterator[str]:
    """What all prompts of a panel are given to judge."""
    return texts_in(dict(arguments(template, spec)))
