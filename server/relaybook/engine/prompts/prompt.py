"""The prompt of a task: its template, its arguments, and what the ledger adds to them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.core.plan.task_spec import Take, TaskSpec
from relaybook.core.policy import timeout_seconds
from relaybook.core.result.envelope import Envelope
from relaybook.core.text import slug
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.handed import handed, missing, result_of, standing_for
from relaybook.errors import PromptTooLarge
from relaybook.model import (
    Attempt,
    EventType,
    FailureCode,
    Outcome,
    Pattern,
    Status,
    Task,
    Workflow,
)
from relaybook.registry.frame import Frame, PastError, Prior
from relaybook.registry.prompt import Prompt, render
from relaybook.registry.template import Template
from relaybook.store.base import Tx
from relaybook.store.events import read_task_events
from relaybook.store.lessons import accepted_lessons
from relaybook.store.tables import ATTEMPTS

#: Inputs of a template that the label of a task fills when its arguments do not.
GOAL_INPUTS = ("piece", "goal")
#: How many accepted lessons a prompt carries at most.
LESSONS_OFFERED = 8
#: The input that takes the done criteria of a task.
DONE_INPUT = "done_criteria"


@dataclass(frozen=True, slots=True)
class Draft:
    """The prompt of a task, and what it was made from."""

    prompt: Prompt
    template: Template
    spec: TaskSpec


def task_prompt(desk: Desk, tx: Tx, workflow: Workflow, task: Task) -> Draft:
    """The prompt for the next attempt at `task`.

    Raises:
        UnknownTemplate, InvalidTemplate, InvalidArguments: it cannot be rendered.
        PromptTooLarge: with the change of the plan that helps.
    """
    spec = desk.spec(tx, workflow.id, task.spec)
    template = desk.templates.get(spec.template)
    attempts = earlier_attempts(tx, task)
    frame = frame_of(
        template,
        spec,
        json.loads(workflow.options),
        nonce=desk.token(6),
        minutes=task.timeout_seconds / 60,
        prior=prior_results(tx, workflow, spec),
        errors=past_errors(attempts) + objections(tx, task),
        lessons=accepted_lessons(tx, workflow.project, task.skill, task.template, LESSONS_OFFERED),
        answers=answers_given(attempts),
    )
    try:
        prompt = render(template, arguments(template, spec), frame)
    except PromptTooLarge as refusal:
        call = f"change_plan(replaces=[{task.id!r}], add=[a task that takes less, or several])"
        raise refusal.with_next(call) from None
    return Draft(prompt, template, spec)


def planned_prompt(
    desk: Desk, pattern: Pattern, spec: TaskSpec, options: Mapping[str, Any]
) -> Prompt:
    """The first prompt of a task that is only planned: earlier results stand in it empty.

    Raises:
        PromptTooLarge: it would be too long; names the task.
    """
    template = desk.templates.get(spec.template)
    seconds = spec.timeout_seconds or timeout_seconds(spec.expected_minutes or 0.0)
    prior = tuple(Prior(f"result of {take.source}", "") for take in takes_of(pattern, spec))
    frame = frame_of(template, spec, options, nonce="0", minutes=seconds / 60, prior=prior)
    try:
        return render(template, arguments(template, spec), frame)
    except PromptTooLarge as fault:
        raise PromptTooLarge(
            f"Task {spec.id[:40]!r}: {fault.message}",
            allowed=fault.allowed,
            next="give it less in args, or make several tasks of it; call again",
            **fault.data,
        ) from None


def frame_of(
    template: Template, spec: TaskSpec, options: Mapping[str, Any], **attempt: Any
) -> Frame:
    """What the plan says, and what `attempt` says of one attempt."""
    return Frame(
        **attempt,
        tier=spec.tier or template.tier,
        schema=spec.schema,
        tool_calls=spec.tool_calls,
        writes=spec.writes,
        parent_actions=tuple(deed.action for deed in spec.parent_actions),
        shared_decisions=tuple(options.get("shared_decisions", ())),
        done=() if _has_input(template, DONE_INPUT) else spec.done,
    )


def arguments(template: Template, spec: TaskSpec) -> Mapping[str, Any]:
    """The task's arguments, and what its specification says besides, where the template asks."""
    wanted = [each.name for each in template.inputs if each.name not in spec.args]
    goal = next((name for name in GOAL_INPUTS if name in wanted), None)
    said: dict[str, Any] = {}
    if goal is not None:
        said[goal] = spec.goal or spec.label
    if spec.expert_role and "expert_role" in wanted:
        said["expert_role"] = spec.expert_role
    if spec.done and DONE_INPUT in wanted:
        said[DONE_INPUT] = [" ".join(each.split()) for each in spec.done]  # else it is data
    return {**said, **spec.args}


def _has_input(template: Template, name: str) -> bool:
    return any(each.name == name for each in template.inputs)


def result_schema(desk: Desk, spec: TaskSpec) -> Mapping[str, Any] | None:
    """The JSON Schema that the `data` of the task's result must meet."""
    return spec.schema or desk.templates.get(spec.template).output_schema


def earlier_attempts(tx: Tx, task: Task) -> Sequence[Attempt]:
    """All attempts at `task`, oldest first."""
    if task.attempt == 0:
        return ()
    where = "WHERE workflow_id = :workflow_id AND task_id = :task_id ORDER BY number"
    return ATTEMPTS.find(tx, where, workflow_id=task.workflow_id, task_id=task.id)


def past_errors(attempts: Sequence[Attempt]) -> tuple[PastError, ...]:
    """How the attempts that did not work ended, for the prompt of the next."""
    return tuple(
        PastError(attempt.number, attempt.error_code or "unknown", attempt.error or "")
        for attempt in attempts
        if attempt.outcome in (Outcome.FAILED, Outcome.EXPIRED)
    )


def objections(tx: Tx, task: Task) -> tuple[PastError, ...]:
    """What the gate held against the attempt in review that is to be done again."""
    if task.status is not Status.REVIEW:
        return ()
    events = read_task_events(tx, task.workflow_id, task.id)
    items = [event.data["items"] for event in events if event.type is EventType.GATE_FAILED][-1]
    told = tuple(f"{item['what']}: {item['fix']}" for item in items)
    code = str(FailureCode.VERIFICATION_MISSING)
    return (PastError(task.attempt, code, "its output gate failed", told),)


def answers_given(attempts: Sequence[Attempt]) -> tuple[tuple[str, str], ...]:
    """The questions that earlier attempts asked, each with its answer."""
    return tuple(
        pair
        for attempt in attempts
        if attempt.questions and attempt.answer
        for pair in _paired(json.loads(attempt.questions), json.loads(attempt.answer))
    )


def _paired(questions: list[str], answers: list[str]) -> list[tuple[str, str]]:
    """Each question with its answer; all with all where there are not as many."""
    if len(questions) == len(answers):
        return list(zip(questions, answers, strict=True))
    return [("\n".join(questions), "\n".join(answers))]


def prior_results(tx: Tx, workflow: Workflow, spec: TaskSpec) -> tuple[Prior, ...]:
    """What the tasks before this one hand to it: the fields it takes, nothing else."""
    found: list[Prior] = []
    for take in takes_of(workflow.pattern, spec):
        for source in standing_for(tx, workflow.id, take.source):
            if source.result is not None:
                result = result_of(tx, source)
                data = handed(tx, source, result.data, take.fields)
                lacking = missing(source, data, take.fields)
                told = _told(data) + _lacking(source, lacking) + _not_whole(source, result)
                found.append(Prior(f"result of {source.id}", told))
    return (*found, *_failures_handled(tx, workflow, spec))


def _failures_handled(tx: Tx, workflow: Workflow, spec: TaskSpec) -> Iterator[Prior]:
    """How every attempt ended at the task whose failure this one handles."""
    if spec.on_failure is None:
        return
    for source in standing_for(tx, workflow.id, spec.on_failure):
        errors = past_errors(earlier_attempts(tx, source))
        if errors:
            told = [f"attempt {each.number}, {each.code}: {each.message}" for each in errors]
            yield Prior(f"how this failed: {source.label}", "\n".join(told))


def prior_fields(tx: Tx, workflow: Workflow, spec: TaskSpec) -> Iterator[set[str]]:
    """The fields with a value that each task before this one hands to it.

    Of a task without a result, those that it is to hand over.
    """
    for take in takes_of(workflow.pattern, spec):
        for source in standing_for(tx, workflow.id, take.source):
            if source.result is None:
                yield set(take.fields)
                continue
            data = handed(tx, source, result_of(tx, source).data, take.fields)
            found = data if isinstance(data, Mapping) else {}
            names = take.fields or tuple(found)
            yield {name for name in names if has_content(found.get(name))}


def has_content(value: Any) -> bool:
    """Whether a value says anything; a number and false do."""
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], {}, ())


def takes_of(pattern: Pattern, spec: TaskSpec) -> tuple[Take, ...]:
    """What a task is given of earlier results: in a pipeline all it waits for, if it names none."""
    if spec.takes or pattern is not Pattern.PIPELINE:
        return spec.takes
    return tuple(Take(need) for need in spec.depends_on)


def _told(data: Any) -> str:
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, indent=1)


def _lacking(source: Task, names: Sequence[str]) -> str:
    return f"\n{source.id} did not deliver: {', '.join(names)}" if names else ""


def _not_whole(source: Task, result: Envelope) -> str:
    """That a result has gaps; what they are is free text, which stays with the orchestrator."""
    return f"\n{source.id} says that its result is not whole" if result.left_out else ""


def spawn(task: Task, template: Template) -> dict[str, Any]:
    """The arguments for spawning a worker on a task with that template, but for the prompt."""
    return {
        "label": spawn_label(task),
        "timeout_seconds": task.timeout_seconds,
        "model_hint": template.model_hint,
    }


def spawn_label(task: Task) -> str:
    """`wf_<id>_<task>_<desc>` in at most 64 of the characters `[a-z0-9_-]`."""
    label = f"wf_{task.workflow_id.removeprefix('wf_')}_{slug(task.id)}_{slug(task.label)}"
    return label[:64].rstrip("_-")
