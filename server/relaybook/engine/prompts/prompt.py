"""The prompt of a task: its template, its arguments, and what the ledger adds to them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.core.plan.task_spec import Take, TaskSpec
from relaybook.core.policy import timeout_seconds
from relaybook.core.result.envelope import Envelope
from relaybook.core.result.evidence import of_attempt, parent_decision
from relaybook.core.text import slug, texts_in
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.handed import handed, missing, result_of, standing_for
from relaybook.engine.prompts.past_errors import errors_of, past_errors
from relaybook.errors import PromptTooLarge
from relaybook.model import Attempt, Pattern, Status, Task, Workflow
from relaybook.registry.asked_schema import asked_schema, shown_schema
from relaybook.registry.frame import Frame, Prior
from relaybook.registry.prompt import Prompt, render
from relaybook.registry.task_inputs import DONE_INPUT, GOAL_INPUTS, ROLE_INPUT
from relaybook.registry.template import Template
from relaybook.store.base import Tx
from relaybook.store.events import read_task_events
from relaybook.store.lessons import accepted_lessons
from relaybook.store.tables import ATTEMPTS

#: How many accepted lessons a prompt carries at most.
LESSONS_OFFERED = 8


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
        prior=prior_results(desk, tx, workflow, spec),
        errors=errors_of(tx, task, attempts),
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
        done=_done_apart(template, spec) if spec.done else (),
    )


def _done_apart(template: Template, spec: TaskSpec) -> tuple[str, ...]:
    """What of `done` the prompt does not say by an argument: it is proven apart from that."""
    if not any(each.name == DONE_INPUT for each in template.inputs):
        return spec.done
    if DONE_INPUT not in spec.args:
        return ()
    said = {" ".join(each.split()) for each in texts_in(spec.args[DONE_INPUT])}
    return tuple(each for each in spec.done if " ".join(each.split()) not in said)


def arguments(template: Template, spec: TaskSpec) -> Mapping[str, Any]:
    """The task's arguments, and what its specification says besides, where the template asks."""
    wanted = [each.name for each in template.inputs if each.name not in spec.args]
    goal = next((name for name in GOAL_INPUTS if name in wanted), None)
    said: dict[str, Any] = {}
    if goal is not None:
        said[goal] = spec.goal or spec.label
    if spec.expert_role and ROLE_INPUT in wanted:
        said[ROLE_INPUT] = spec.expert_role
    if spec.done and DONE_INPUT in wanted:
        said[DONE_INPUT] = [" ".join(each.split()) for each in spec.done]  # else it is data
    return {**said, **spec.args}


def result_schema(desk: Desk, spec: TaskSpec) -> Mapping[str, Any] | None:
    """The JSON Schema that the prompt of the task shows for the `data` of its result."""
    return spec.schema or shown_schema(desk.templates.get(spec.template), spec.args)


def required_schema(desk: Desk, spec: TaskSpec) -> Mapping[str, Any] | None:
    """The JSON Schema that this data must meet: what the task's arguments ask of it besides."""
    return spec.schema or asked_schema(desk.templates.get(spec.template), spec.args)


def earlier_attempts(tx: Tx, task: Task) -> Sequence[Attempt]:
    """All attempts at `task`, oldest first."""
    if task.attempt == 0:
        return ()
    where = "WHERE workflow_id = :workflow_id AND task_id = :task_id ORDER BY number"
    return ATTEMPTS.find(tx, where, workflow_id=task.workflow_id, task_id=task.id)


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


def prior_results(desk: Desk, tx: Tx, workflow: Workflow, spec: TaskSpec) -> tuple[Prior, ...]:
    """What the tasks before this one hand to it: the fields it takes, nothing else."""
    found: list[Prior] = []
    for take, source in _sources(desk, tx, workflow, spec):
        if source.result is not None:
            result = result_of(tx, source)
            data = handed(tx, source, result.data, take.fields)
            lacking = missing(source, data, take.fields)
            told = _told(data) + _lacking(source, lacking) + _not_whole(source, result)
            found.append(Prior(f"result of {source.id}", told + _deed(desk, tx, source)))
    return (*found, *_failures_handled(tx, workflow, spec))


def _sources(desk: Desk, tx: Tx, workflow: Workflow, spec: TaskSpec) -> Sequence[tuple[Take, Task]]:
    """What a task takes, each with the task that has it.

    Where none of those applies, what they would have been handed themselves.
    """
    found = _takes(tx, workflow, spec)
    while found and all(source.status is Status.NOT_APPLICABLE for _, source in found):
        skipped = [desk.spec(tx, workflow.id, source.spec) for _, source in found]
        found = [each for before in skipped for each in _takes(tx, workflow, before)]
        found = list({(take, source.id): (take, source) for take, source in found}.values())
    return found


def _takes(tx: Tx, workflow: Workflow, spec: TaskSpec) -> list[tuple[Take, Task]]:
    return [
        (take, source)
        for take in takes_of(workflow.pattern, spec)
        for source in standing_for(tx, workflow.id, take.source)
    ]


def _failures_handled(tx: Tx, workflow: Workflow, spec: TaskSpec) -> Iterator[Prior]:
    """How every attempt ended at the task whose failure this one handles."""
    if spec.on_failure is None:
        return
    for source in standing_for(tx, workflow.id, spec.on_failure):
        errors = past_errors(earlier_attempts(tx, source))
        if errors:
            told = [f"attempt {each.number}, {each.code}: {each.message}" for each in errors]
            yield Prior(f"how this failed: {source.label}", "\n".join(told))


def prior_fields(desk: Desk, tx: Tx, workflow: Workflow, spec: TaskSpec) -> Iterator[set[str]]:
    """The fields with a value that each task before this one hands to it.

    Of a task without a result, those that it is to hand over.
    """
    for take, source in _sources(desk, tx, workflow, spec):
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
    """What a task is given of earlier results: in a pipeline all it waits for, if it names none.

    Elsewhere `depends_on` is an order alone.
    """
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


def _deed(desk: Desk, tx: Tx, source: Task) -> str:
    """What became of the action that a task prepared for the parent, as whoever decided says."""
    if not desk.spec(tx, source.workflow_id, source.spec).parent_actions:
        return ""
    events = of_attempt(read_task_events(tx, source.workflow_id, source.id))
    decided = parent_decision(events)
    if decided is None:
        return ""
    word, reason = decided
    return f"\nThe action prepared here was {word}{_DEED_ENDS[word]}: {reason}"


#: What follows from each decision on what was prepared for the parent.
_DEED_ENDS = {"confirmed": " as done", "declined": " and is not done"}


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
