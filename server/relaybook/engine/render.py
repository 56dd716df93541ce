"""render_prompt: a prompt before anything starts, what is wrong with it, and what it costs."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from relaybook.core.prompt_rules import PromptFacts, judge, read_facts
from relaybook.core.result.evidence import gather, of_attempt
from relaybook.core.result.gates import Verdict, intake_gate
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.judge import Judged, intake, judge_draft
from relaybook.engine.prompts.lint import budget, facts, told
from relaybook.engine.prompts.prints import keep_prints
from relaybook.engine.prompts.prompt import spawn, task_prompt
from relaybook.engine.tasks.hooks import hook_prompt
from relaybook.engine.verdict import INTAKE, gate_told
from relaybook.engine.view.review import again_call
from relaybook.errors import InvalidArguments, StoreFault, UnknownWorkflow
from relaybook.model import Status, Task
from relaybook.registry.frame import Frame
from relaybook.registry.prompt import PROMPT_LIMIT, Prompt, render
from relaybook.store.cases import get_task, get_workflow
from relaybook.store.events import read_task_events

#: What comes after the prompt of a task that is no stage.
_SPAWN = "spawn a worker with it, then update_task(status='in_progress', session_key=…)"
#: What comes after the prompt of a task in review that was redone as often as may be.
_NO_RETRY = "no retry is left: resolve(workflow_id) without a decision says how to go on"
#: What comes after the prompt of a task that waits, which does not hold what it waits for.
_WAIT = (
    "wait until get_workflow names it as ready, then render it again: what it takes is not in yet"
)
_MEND = (
    "mend the plan with change_plan, or start it with update_task(status='in_progress', "
    "override='<why it is right as it is>')"
)


def render_prompt(
    desk: Desk,
    *,
    workflow_id: str = "",
    task_id: str = "",
    template: str = "",
    args: Mapping[str, Any] | None = None,
    text: str = "",
) -> dict[str, Any]:
    """The prompt that a worker would be given, its findings and its budget; records nothing.

    A `text` is checked as the whole prompt of one worker, without a template.

    A task with a template is an ended stage and one of its hooks.

    Raises:
        UnknownWorkflow, UnknownTask, UnknownTemplate: what is named is not there.
        InvalidArguments: the arguments do not fit, or not one form of the call was used.
    """
    if bool(text) == bool(task_id or template):
        raise InvalidArguments(
            "render_prompt needs a task, a template or a text.",
            allowed="workflow_id with task_id, template with args, a stage with its hook, or text",
            next="call again with one of these",
        )
    if text:
        return _of_text(text)
    if task_id and template:
        return _of_hook(desk, workflow_id, task_id, template)
    if template:
        return _of_template(desk, template, args or {})
    return _of_task(desk, workflow_id, task_id)


def _of_task(desk: Desk, workflow_id: str, task_id: str) -> dict[str, Any]:
    with desk.store.read() as tx:
        workflow = get_workflow(tx, workflow_id)
        task = get_task(tx, workflow_id, task_id)
        draft = task_prompt(desk, tx, workflow, task)
        judged = judge_draft(desk, tx, workflow, task, draft)
        verdict = intake(desk, tx, workflow, task, draft, judged.findings)
    _keep_prints(desk, workflow.id, judged)
    return {
        "workflow_id": workflow.id,
        "task_id": task.id,
        "seq": workflow.seq,
        "spawn": spawn(task, draft.template),
        "gate": gate_told(INTAKE, verdict),
        "findings": told(judged.findings),
        "budget": budget(judged.reading, workflow.total, draft.prompt.unused),
        **_seen(draft.prompt),
        "prompt": draft.prompt.text,
        "next": _task_next(verdict, task),
    }


def _keep_prints(desk: Desk, workflow_id: str, judged: Judged) -> None:
    """Spare the next who asks what was counted; a full disk, or a workflow gone, is no matter."""
    if judged.prints.fresh:
        with suppress(StoreFault, UnknownWorkflow), desk.store.transaction() as tx:
            get_workflow(tx, workflow_id, lock=True)
            keep_prints(tx, workflow_id, judged.prints)


def _of_hook(desk: Desk, workflow_id: str, task_id: str, hook: str) -> dict[str, Any]:
    with desk.store.read() as tx:
        workflow = get_workflow(tx, workflow_id)
        task = get_task(tx, workflow_id, task_id)
        if task.slug is None or task.ended_at is None:
            raise InvalidArguments(
                f"Task {task_id!r} is no stage that has ended, so it has no hooks.",
                next="leave out task_id for the template by itself",
            )
        records = gather(of_attempt(read_task_events(tx, workflow_id, task_id)))
        prompt = hook_prompt(desk, tx, workflow, task, records, hook)
    return {
        "workflow_id": workflow.id,
        "task_id": task.id,
        "prompt": prompt,
        "next": f"spawn a worker with it, then advance_stage(stage={task.position}, "
        "hooks_run=[{hook, output}])",
    }


def _of_template(desk: Desk, name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    found = desk.templates.get(name)
    frame = Frame(nonce=desk.token(6), minutes=found.expected_minutes, tier=found.tier)
    prompt = render(found, args, frame)
    reading = read_facts(facts(prompt, found))
    findings = judge(reading)
    verdict = intake_gate((), (), findings)
    return {
        "gate": gate_told(INTAKE, verdict),
        "findings": told(findings),
        "budget": budget(reading, removable=prompt.unused),
        **_seen(prompt),
        "prompt": prompt.text,
        "next": _next(
            verdict, "name the template and args in create_workflow", "mend the arguments first"
        ),
    }


def _of_text(text: str) -> dict[str, Any]:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > PROMPT_LIMIT:
        raise InvalidArguments(
            f"The text is {size} bytes long.",
            allowed=f"at most {PROMPT_LIMIT}",
            next="send less; a prompt of this size is no prompt",
        )
    reading = read_facts(PromptFacts(text=text))
    findings = judge(reading)
    verdict = intake_gate((), (), findings)
    return {
        "gate": gate_told(INTAKE, verdict),
        "findings": told(findings),
        "budget": budget(reading),
        "next": _next(verdict, "give it to a worker as it stands", "mend it and check it again"),
    }


def _seen(prompt: Prompt) -> dict[str, Any]:
    """What is suspicious in the texts that entered, and how many hidden characters they lost."""
    said: dict[str, Any] = {"flags": prompt.flags, "removed_characters": prompt.removed}
    return {name: value for name, value in said.items() if value}


def _next(verdict: Verdict, if_clean: str, if_blocked: str) -> str:
    return if_blocked if verdict.verdict == "fail" else if_clean


def _task_next(verdict: Verdict, task: Task) -> str:
    if task.status is Status.REVIEW:
        call = again_call(task)
        return (
            _next(verdict, f"{call} starts another attempt with it", _MEND) if call else _NO_RETRY
        )
    if task.slug is None:
        return _next(verdict, _WAIT if task.waiting_on else _SPAWN, _MEND)
    return _next(
        verdict,
        "advance_stage starts it when its turn comes",
        "mend the plan with change_plan, or let it start as it is with "
        f"resolve(decision='waive', task_id={task.id!r}, reason)",
    )
