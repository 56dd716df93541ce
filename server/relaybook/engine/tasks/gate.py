"""What a stage has to pass before it counts as done: its OUTPUT gate and its parent's deeds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from relaybook.core.plan.task_spec import ParentAction
from relaybook.core.result.envelope import Envelope, from_json
from relaybook.core.result.evidence import (
    Records,
    evidence,
    gather,
    is_confirmed,
    notes_of_result,
    of_attempt,
)
from relaybook.core.result.gates import output_gate
from relaybook.core.task.case import Case
from relaybook.core.task.command import Command, Complete, Fact, Fail, Reconsider
from relaybook.core.task.finish import of_other_session
from relaybook.core.task.status import breaker_open, failed_for_good
from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.tasks.hooks import due, gate_again, hook_tasks
from relaybook.engine.tasks.stage import hooks_of
from relaybook.engine.verdict import OUTPUT, item_told
from relaybook.engine.view.advice import before_retry, from_when, next_call
from relaybook.engine.view.unsettled import PARENT_ACTION, review_next
from relaybook.engine.view.waiting import gate_items, hooks_left
from relaybook.errors import clip
from relaybook.model import WORDS, Event, EventType, Status, Task, Tier, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_task_events
from relaybook.store.texts import get_text


@dataclass(frozen=True, slots=True)
class _Judged:
    records: Records
    #: What sends the stage to review.
    objections: tuple[Mapping[str, str], ...]
    #: What is worth doing later.
    followups: tuple[Fact, ...]


def staged(desk: Desk, tx: Tx, case: Case, command: Command, result: Envelope | None) -> Command:
    """`command` on a stage, with the verdict of its gate and the hooks that come due."""
    match command:
        case Complete():
            return _completing(desk, tx, case, command, result)
        case Reconsider():
            return _reconsidering(desk, tx, case, command)
        case Fail():
            return _failing(desk, tx, case, command)
        case _:
            return command


def _completing(
    desk: Desk, tx: Tx, case: Case, command: Complete, result: Envelope | None
) -> Command:
    """The result of an attempt; sent for a stage in review, it takes the place of the one there."""
    task = case.tasks[command.task_id]
    notes = _once([*command.notes, *(notes_of_result(result) if result is not None else ())])
    judged = _judge(desk, tx, task, notes, result)
    said: dict[str, Any] = {
        "notes": [*notes, *judged.followups],
        "objections": judged.objections,
        "hooks": _holding(desk, tx, case, task, judged.records, failed=False),
    }
    attempt = case.attempts.get((task.id, task.attempt))
    repeated = attempt is not None and attempt.output == command.output
    other = command.claim is not None or of_other_session(attempt, command)
    if task.status is not Status.REVIEW or other or repeated:
        return replace(command, **said)
    return Reconsider(
        at=command.at,
        actor=command.actor,
        task_id=task.id,
        result=command.result,
        summary=command.summary,
        **said,
    )


def _reconsidering(desk: Desk, tx: Tx, case: Case, command: Reconsider) -> Command:
    task = case.tasks[command.task_id]
    result = None
    if task.result is not None:
        result = from_json(get_text(tx, task.workflow_id, task.result))
    judged = _judge(desk, tx, task, command.notes, result, confirmed=command.decision)
    waived = command.decision == "waived"
    return replace(
        command,
        notes=[*command.notes, *judged.followups],
        objections=() if waived else judged.objections,
        hooks=_holding(desk, tx, case, task, judged.records, failed=False),
    )


def _failing(desk: Desk, tx: Tx, case: Case, command: Fail) -> Command:
    task = case.tasks[command.task_id]
    records = gather(of_attempt(read_task_events(tx, task.workflow_id, task.id)), command.notes)
    return replace(command, hooks=_holding(desk, tx, case, task, records, failed=True))


def _judge(
    desk: Desk,
    tx: Tx,
    task: Task,
    notes: Sequence[Fact],
    result: Envelope | None,
    confirmed: str = "",
) -> _Judged:
    spec = desk.spec(tx, task.workflow_id, task.spec)
    events = of_attempt(read_task_events(tx, task.workflow_id, task.id))
    records = gather(events, notes)
    shown = evidence(records, goal=spec.goal, done=spec.done, writes=spec.writes, result=result)
    verdict = output_gate(spec.gate, shown, spec.tier or Tier.T2)
    objections = [item_told(item) for item in verdict.items if item.verdict == "fail"]
    if spec.parent_actions and not (confirmed or is_confirmed(events)):
        objections.append(_to_confirm(spec.parent_actions))
    known = {followup["text"] for followup in records.followups}
    later = [clip(f"{i.what}: {i.fix}", 2_000) for i in verdict.items if i.verdict == "warn"]
    followups = [(EventType.FOLLOWUP_ADDED, {"text": text}) for text in later if text not in known]
    return _Judged(records, tuple(objections), tuple(followups))


def _to_confirm(actions: Sequence[ParentAction]) -> dict[str, str]:
    named = ", ".join(f"{action.action} ({action.tier})" for action in actions)
    return {
        "rule": PARENT_ACTION,
        "verdict": "fail",
        "what": clip(f"parent action to confirm: {named}", 240),
        "fix": "do what is needed of it, then resolve(decision='confirm') and say what was done",
    }


def _holding(
    desk: Desk, tx: Tx, case: Case, task: Task, records: Records, *, failed: bool
) -> tuple[str, ...]:
    """The hooks that hold the next stage back once this one has ended."""
    if not hooks_of(case.workflow)[1]:
        return ()
    found = due(desk, tx, case.workflow, task, records, failed=failed)
    return tuple(hook.skill for hook in found)


def _once(notes: Sequence[Fact]) -> list[Fact]:
    return list({(kind, compact(data)): (kind, data) for kind, data in notes}.values())


def stage_answer(desk: Desk, tx: Tx, case: Case, task_id: str) -> dict[str, Any]:
    """What is said of a stage after its end: the items of its gate, or the hooks due."""
    task = case.tasks[task_id]
    said: dict[str, Any] = {
        "stage": task.position,
        "item": task.slug,
        "item_status": WORDS[task.status].item,
    }
    if task.status is Status.REVIEW:
        items = gate_items(tx, task)
        gate = {"gate": OUTPUT, "verdict": "fail", "items": items}
        return said | {"gate": gate, "next": review_next(task, items)}
    if task.status not in (Status.COMPLETED, Status.FAILED):
        return said
    names = hooks_left(task)
    if not hooks_of(case.workflow)[1]:
        names = hooks_of(case.workflow)[0]
    events = of_attempt(read_task_events(tx, task.workflow_id, task.id))
    records = gather(events)
    gate = gate_again(desk, tx, case.workflow, task, records)
    if waived := [e.data["waived"] for e in events if _waives_gate(e)]:
        gate["waived"] = waived[-1]
    if task.status is Status.COMPLETED or gate["verdict"] != "pass":
        said["gate"] = gate
    if found := hook_tasks(desk, tx, case.workflow, task, records, names):
        said["hooks"] = found
    again = _starting_again(case.workflow, task, desk.clock())
    if hooks_left(task):
        said["next"] = (
            f"run these hooks (render_prompt with task_id and template has their prompts), then "
            f"advance_stage(stage={task.position}, hooks_run={json.dumps(list(names))})"
        ) + (f"; then {again}" if again else "")
    elif again:
        said["next"] = again
    return said


def _waives_gate(event: Event) -> bool:
    """Whether the stage was completed although its gate failed; its hooks are waived otherwise."""
    return event.type is EventType.TASK_COMPLETED and "waived" in event.data


def _starting_again(workflow: Workflow, task: Task, now: float) -> str:
    """What to call once the hooks of a failed stage are run; empty if it did not fail."""
    if task.status is not Status.FAILED:
        return ""
    if breaker_open(workflow.failed, workflow.total) or failed_for_good(task):
        return next_call(workflow)
    call = f"advance_stage without an outcome: it starts stage {task.position} again"
    if task.not_before is None or task.not_before <= now:
        return before_retry(task, call)
    return f"{call}, {from_when(task.not_before, now)}"
