"""What the linter knows of a rendered prompt, what it finds, and what of that blocks a start."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.policy import FINDINGS_SHOWN
from relaybook.core.prompt_rules import (
    Finding,
    Fingerprint,
    ModelHint,
    PromptFacts,
    Reading,
    fingerprint,
    work_of,
)
from relaybook.core.prompt_rules.words import budget_of
from relaybook.core.result.gates import GateItem, Verdict
from relaybook.core.severity import worst_first
from relaybook.engine.prompts.prompt import Draft
from relaybook.engine.verdict import INTAKE, gate_told
from relaybook.errors import PromptBlocked, clip
from relaybook.model import Pattern, Task, Workflow
from relaybook.registry.prompt import Prompt
from relaybook.registry.template import Template

#: How much of a fix a refusal tells, so that the other way out has room.
FIX_LIMIT = 130

#: The ways to merge results that read fields of them.
_BY_FIELDS = frozenset({"verdict", "domain_risk", "records"})


def facts(
    prompt: Prompt, template: Template, spec: TaskSpec | None = None, siblings: Sequence[str] = ()
) -> PromptFacts:
    """What is known of a prompt beside its text; without `spec`, that of a template alone."""
    return PromptFacts(
        text=prompt.text,
        fixed=prompt.fixed,
        # Whether they fit is a matter of the template, which no task changes.
        schema=None if spec else template.output_schema,
        example_result=None if spec else template.example_result,
        needs_schema=needs_schema(template),
        unused=prompt.unused,
        # What it waits for may hold it.
        lacks_material=prompt.lacks_material and not (spec and (spec.takes or spec.depends_on)),
        path_only=prompt.path_only,
        worker_can_read=spec is not None and spec.worker_can_read,
        worker_needs=template.worker_needs,
        done=spec.done if spec else (),
        time_limit=True,
        tier=(spec and spec.tier) or template.tier,
        work=work_of(spec.label) if spec else None,
        model_hint=cast(ModelHint, template.model_hint),
        context=prompt.context,
        siblings=tuple(siblings),
        expert_role=spec.expert_role if spec else "",
    )


def needs_schema(template: Template) -> bool:
    """Whether results are merged by fields, so that the prompt has to show their schema."""
    return template.aggregate in _BY_FIELDS


def print_of(draft: Draft, workflow: Workflow) -> Fingerprint:
    """What the prompt leaves behind to know a repetition by; a panel judges the same data."""
    prompt = draft.prompt
    decided = json.loads(workflow.options).get("shared_decisions", ())
    data = prompt.seen if workflow.pattern is Pattern.EXPERT_PANEL else ()
    shared = (draft.template.body.source, *decided, *data)
    return fingerprint(prompt.text, prompt.fixed, shared, draft.spec.expert_role)


def told(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """The most serious findings, as an answer carries them."""
    return [_told(finding) for finding in worst_first(findings)[:FINDINGS_SHOWN]]


def _told(finding: Finding) -> dict[str, str]:
    said = {
        "severity": str(finding.severity),
        "rule": finding.rule,
        "where": finding.where,
        "what": finding.what,
        "why": finding.why,
        "fix": finding.fix,
    }
    return said | ({"excerpt": finding.excerpt} if finding.excerpt else {})


def blocked(task: Task, verdict: Verdict, failed: Sequence[GateItem]) -> PromptBlocked:
    """The refusal to start a task whose INTAKE gate fails, with both ways out of it."""
    first = failed[0]
    what = f"breaks rule {first.rule}: " if first.rule[1:].isdigit() else "cannot be written: "
    anyway = "update_task(status='in_progress', override='<why>')"
    if task.slug is not None:
        anyway = f"resolve(decision='waive', task_id={task.id!r}, reason)"
    return PromptBlocked(
        f"The prompt of task {task.id!r} {what}{first.what}",
        next=f"{clip(first.fix, FIX_LIMIT).removesuffix('.')}; or, if it is right as it is, "
        f"{anyway}",
        rules=sorted({item.rule for item in failed}),
        gate=gate_told(INTAKE, verdict),
    )


def budget(reading: Reading, workers: int = 1, removable: Sequence[str] = ()) -> Mapping[str, Any]:
    """What a prompt costs in words, by section and over `workers`, and what it could do without."""
    cost = budget_of(reading.words, workers)
    said: dict[str, Any] = {
        "words": cost.words,
        "instruction_words": reading.words.instruction,
        "context_words": reading.words.context,
        "data_words": reading.words.data,
        "sections": dict(cost.sections),
        "heaviest": cost.heaviest,
        "workers": cost.workers,
        "total": cost.total,
        "tokens": cost.tokens,
    }
    return said | ({"removable": list(removable)} if removable else {})
