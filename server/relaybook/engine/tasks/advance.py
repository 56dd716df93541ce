"""advance_stage: ends the stage that is named, settles its hooks, starts the next that may start."""

from typing import Any

from relaybook.core.result.evidence import gather, of_attempt
from relaybook.core.task.case import Case
from relaybook.core.task.command import Command, Fact, Note, Reconsider, SettleHooks
from relaybook.core.task.machine import decide
from relaybook.core.task.status import workflow_status
from relaybook.core.text import canonical, storable
from relaybook.engine.desk import Desk
from relaybook.engine.request import StageReport, Update
from relaybook.engine.tasks.gate_answer import gate_answer
from relaybook.engine.tasks.hook_result import HookRun, read_hook_run
from relaybook.engine.tasks.hooks import hook_prompt
from relaybook.engine.tasks.next_stage import next_stage
from relaybook.engine.tasks.outcome import finish, record_end
from relaybook.engine.tasks.reflected import reflection
from relaybook.engine.tasks.stage import hooks_of
from relaybook.engine.tasks.stage_over import refuse_other
from relaybook.engine.tasks.stage_report import envelope_of, notes_of
from relaybook.engine.tasks.update import update_task
from relaybook.engine.view.advice import next_call, progress
from relaybook.engine.view.stage_ids import refuse_without_stages, stage_at
from relaybook.engine.view.waiting import hooks_left
from relaybook.errors import InvalidArguments, MalformedOutput, NotNow, NotStarted, QuestionsOpen
from relaybook.model import OVER, Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow, load_case
from relaybook.store.events import read_task_events
from relaybook.store.ledger import apply
from relaybook.store.tables import TASKS

OUTCOMES = ("completed", "failed")


def advance_stage(desk: Desk, report: StageReport) -> dict[str, Any]:
    """Record what is reported, then start the first stage that may start, or say what is in the way.

    Without anything to report: starts the next stage, or answers the one that runs.

    Raises:
        HooksPending, InReview, QuestionsOpen, BreakerOpen, SkillBreakerOpen, RetriesUsedUp,
        Blocked: nothing was reported and nothing can start.
        NotStarted: the stage reported never started.
        InvalidArguments: the workflow has no stages, or what is reported is not of its form.
        Refusal: the report is not allowed; nothing was recorded.
    """
    if report.outcome or report.hooks_run or report.stage is not None or report.has_evidence:
        answer = report_stage(desk, report)
        if answer["status"] != Status.COMPLETED:
            return answer
        then = _next_or_why_not(desk, report)
        if "current" in then:  # it was ready until now
            answer.pop("ready", None)
        return answer | then
    return next_stage(desk, report.workflow_id, report.session_key, report.actor)


def _next_or_why_not(desk: Desk, report: StageReport) -> dict[str, Any]:
    try:
        return next_stage(desk, report.workflow_id, report.session_key, report.actor)
    except NotNow as refusal:
        return {"blocked": refusal.as_dict()}


def report_stage(desk: Desk, report: StageReport) -> dict[str, Any]:
    """Record how a stage ended and which hooks were run; starts nothing."""
    _check(report)
    answer = _end(desk, report) if report.outcome else {}
    if not report.hooks_run:
        return answer
    if answer.get("status", Status.COMPLETED) in ("completed", "failed"):
        return _settle(desk, report)
    return answer | {
        "not_recorded": f"hooks_run: the stage has status {answer['status']!r}, and its hooks come "
        "after its end; run them on what it then is"
    }


def _check(report: StageReport) -> None:
    if report.outcome and report.outcome not in OUTCOMES:
        raise InvalidArguments(
            f"outcome is {report.outcome[:40]!r}.",
            allowed=", ".join(OUTCOMES),
            next="leave it out to start the next stage",
        )
    if report.outcome and report.stage is None:
        raise InvalidArguments(
            "An outcome needs its stage.", allowed="stage, counted from 0", next="name the stage"
        )
    if not report.outcome and not report.hooks_run:
        raise InvalidArguments(
            "A stage or evidence came without an outcome.",
            allowed="outcome 'completed' or 'failed', or hooks_run",
            next="add it, or leave stage and evidence out to start the next stage",
        )
    if report.outcome == "failed" and not (report.reason.strip() or report.output.strip()):
        raise InvalidArguments(
            "A failed stage needs a reason: without one it can only be repeated.",
            next="call again with reason, or with the worker's output",
        )


def _end(desk: Desk, report: StageReport) -> dict[str, Any]:
    with desk.store.read() as tx:
        workflow = get_workflow(tx, report.workflow_id)
        task = stage_at(tx, workflow, report.stage)
        again = task.status is Status.FAILED and report.outcome == "failed"
        if task.status in OVER or again:
            refuse_other(desk, tx, workflow, task, _update(report, task))
            return _recorded(desk, tx, task)
    _refuse_unstarted(task)
    if report.outcome == "failed":
        return update_task(desk, _update(report, task))
    if report.output:
        return _read_output(desk, report, task)
    if task.status is Status.REVIEW:
        command = Reconsider(
            at=desk.clock(), actor=report.actor, task_id=task.id, notes=notes_of(report)
        )
        return record_end(desk, task.workflow_id, task.id, command, [])
    envelope = envelope_of(report)
    update = _update(report, task, output=canonical(envelope.data))
    return finish(desk, task.workflow_id, task.id, update, envelope)


def _read_output(desk: Desk, report: StageReport, task: Task) -> dict[str, Any]:
    try:
        return update_task(desk, _update(report, task))
    except MalformedOutput as refusal:
        raise refusal.with_next(
            "advance_stage again with the corrected output, or with outcome='failed' and "
            "error_code='malformed_output'; or keep it as it is: "
            f"update_task(task_id={task.id!r}, status='completed', output=…, accept_raw=true)"
        ) from None


def _update(report: StageReport, task: Task, *, output: str = "") -> Update:
    return Update(
        workflow_id=task.workflow_id,
        task_id=task.id,
        status=report.outcome,
        output=output or storable(report.output),
        error=report.reason if report.outcome == "failed" else "",
        error_code=report.error_code,
        actor=report.actor,
        # What is put in the place of an output carries the evidence itself.
        notes=() if output else notes_of(report),
    )


def _refuse_unstarted(task: Task) -> None:
    if task.status is Status.INPUT_REQUIRED:
        raise QuestionsOpen(
            f"Stage {task.position} waits for answers to its worker's questions.",
            next="answer them with resolve(decision='answer'), then call advance_stage",
        )
    if task.status not in (Status.IN_PROGRESS, Status.REVIEW):
        raise NotStarted(
            f"Stage {task.position} is {task.status}; no attempt at it is in progress.",
            allowed="outcomes of a stage that was started",
            next="call advance_stage without an outcome to start it",
        )


def _recorded(desk: Desk, tx: Tx, task: Task) -> dict[str, Any]:
    """The outcome that is on record for a stage that is over."""
    case = Case(workflow=get_workflow(tx, task.workflow_id), tasks={task.id: task})
    answer = _answer(case.workflow, task) | gate_answer(desk, tx, case, task.id)
    return answer | {"repeated": True}


def hooks_due(desk: Desk, workflow_id: str, stage: int) -> list[dict[str, Any]]:
    """The hooks of an ended stage that are due, each with the prompt to spawn a worker with.

    `description` is that prompt, `summary` says it in a sentence.
    """
    with desk.store.read() as tx:
        workflow = get_workflow(tx, workflow_id)
        task = stage_at(tx, workflow, stage)
        case = Case(workflow=workflow, tasks={task.id: task})
        records = gather(of_attempt(read_task_events(tx, workflow_id, task.id)))
        found = gate_answer(desk, tx, case, task.id).get("hooks", [])
        for hook in found:
            hook["summary"] = hook["description"]
            if "problem" not in hook:
                hook["description"] = hook_prompt(desk, tx, workflow, task, records, hook["skill"])
    return found


def _answer(workflow: Workflow, task: Task) -> dict[str, Any]:
    return {
        "workflow_id": workflow.id,
        "task_id": task.id,
        "status": str(task.status),
        "attempt": task.attempt,
        "seq": workflow.seq,
        "workflow_status": str(workflow_status(workflow)),
        "progress": progress(workflow),
        "next": next_call(workflow, staged=True),
    }


def _settle(desk: Desk, report: StageReport) -> dict[str, Any]:
    """Record hooks as run, with what their judges said."""
    runs = [read_hook_run(desk, entry) for entry in report.hooks_run]
    with desk.store.transaction() as tx:
        workflow = get_workflow(tx, report.workflow_id, lock=True)
        task = _with_hooks(tx, workflow, report.stage)
        _refuse_unknown_hooks(workflow, task, runs)
        late = _late(workflow, task, runs)
        due = [run for run in runs if run not in late]
        case = load_case(tx, workflow.id, task.id)
        reflected = _reflected(tx, workflow, task, due)
        events = decide(case, _settling(desk, report, workflow, task, due, reflected))
        after = apply(tx, case, events) if events else case
        answer = _answer(after.workflow, after.tasks[task.id])
        answer |= gate_answer(desk, tx, after, task.id)
    answer |= _told_late(late)
    return answer if events else answer | {"repeated": True}


def _reflected(tx: Tx, workflow: Workflow, task: Task, runs: list[HookRun]) -> list[Fact]:
    """The records that reflection means, where it was run."""
    said = [run.reflected for run in runs if run.reflected]
    if not said:
        return []
    records = gather(of_attempt(read_task_events(tx, workflow.id, task.id)))
    findings = [str(finding["text"]) for finding in records.findings]
    return [note for data in said for note in reflection(tx, workflow, task, data, findings)]


def _late(workflow: Workflow, task: Task, runs: list[HookRun]) -> list[HookRun]:
    """What is said of hooks that were settled before; where none holds, none is settled."""
    if not hooks_of(workflow)[1]:
        return []
    due = hooks_left(task)
    return [run for run in runs if run.hook not in due and run.says_something]


def _told_late(late: list[HookRun]) -> dict[str, str]:
    if not late:
        return {}
    names = ", ".join(run.hook for run in late)
    return {
        "not_recorded": f"hooks_run: settled before, so what their output says now is left out: "
        f"{names}; what is new in it goes into record(kind='finding' or 'followup')"
    }


def _settling(
    desk: Desk,
    report: StageReport,
    workflow: Workflow,
    task: Task,
    runs: list[HookRun],
    reflected: list[Fact],
) -> Command:
    said: dict[str, Any] = {
        "at": desk.clock(),
        "actor": report.actor,
        "task_id": task.id,
        "notes": [*(note for run in runs for note in run.notes), *reflected],
    }
    if not hooks_of(workflow)[1]:
        return Note(**said)
    objections = [objection for run in runs for objection in run.objections]
    return SettleHooks(hooks=[run.hook for run in runs], objections=objections, **said)


def _with_hooks(tx: Tx, workflow: Workflow, stage: int | None) -> Task:
    if stage is not None:
        return stage_at(tx, workflow, stage)
    refuse_without_stages(tx, workflow)
    where = "WHERE workflow_id = :id AND hooks_due IS NOT NULL ORDER BY position LIMIT 2"
    found = TASKS.find(tx, where, id=workflow.id)
    if len(found) == 1:
        return found[0]
    raise InvalidArguments(
        "hooks_run does not say whose hooks were run.",
        allowed="stage, counted from 0",
        next="name the stage",
    )


def _refuse_unknown_hooks(workflow: Workflow, task: Task, runs: list[HookRun]) -> None:
    """Hooks that were settled before may be named again; others are not the stage's."""
    known = hooks_of(workflow)[0]
    strange = [run.hook for run in runs if run.hook not in known]
    if strange:
        raise InvalidArguments(
            f"Stage {task.position} has no hook {strange[0][:64]!r}.",
            allowed=", ".join(hooks_left(task)) or "none is due",
            next="name hooks that are due; nothing was recorded",
        )
    if task.status not in (Status.COMPLETED, Status.FAILED):
        raise NotStarted(
            f"Stage {task.position} is {task.status}; its hooks come after its end.",
            next="end it first with outcome 'completed' or 'failed'",
        )
