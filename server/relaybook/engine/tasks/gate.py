"""What a task has to pass before it counts as done: of a stage its OUTPUT gate, of any the parent's deeds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from relaybook.core.digest.task_outcome import beyond_workers
from relaybook.core.plan.task_spec import ParentAction, TaskSpec
from relaybook.core.result.envelope import Envelope, from_json
from relaybook.core.result.evidence import (
    Records,
    evidence,
    gather,
    notes_of_result,
    of_attempt,
    parent_decision,
)
from relaybook.core.result.gates import Verdict, output_gate
from relaybook.core.task.case import Case
from relaybook.core.task.command import Command, Complete, Fact, Fail, Reconsider
from relaybook.core.task.finish import of_other_session
from relaybook.core.task.status import breaker_open, failed_for_good
from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.tasks.hooks import due, gate_again, hook_tasks
from relaybook.engine.tasks.stage import hooks_of
from relaybook.engine.verdict import OUTPUT, PARENT_ACTION, item_told
from relaybook.engine.view.advice import HAND_OVER, before_retry, from_when, next_call
from relaybook.engine.view.review import gate_items, review_next
from relaybook.engine.view.skill_breaker import resting
from relaybook.engine.view.waiting import hooks_left
from relaybook.errors import clip
from relaybook.model import WORDS, Event, EventType, Status, Task, Tier, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_task_events
from relaybook.store.texts import get_text


@dataclass(frozen=True, slots=True)
class _Judged:
    records: Records
    #: What sends the task to review.
    objections: tuple[Mapping[str, str], ...]
    #: What is worth doing later.
    followups: tuple[Fact, ...]


#: What may answer an objection: a finding or a follow-up shows nothing.
_EVIDENCE = {EventType.ARTIFACT_ADDED, EventType.TEST_RECORDED, EventType.METRIC_RECORDED}
#: How many of the actions that a worker proposes an item names, and how much of each.
PROPOSED_SHOWN, PROPOSED_LIMIT = 3, 60


def gated(desk: Desk, tx: Tx, case: Case, command: Command, result: Envelope | None) -> Command:
    """`command` with what is held against its task and, of a stage, the hooks that come due.

    A task that is no stage passes no gate; only what its plan leaves to the parent holds it.
    """
    if not isinstance(command, Complete | Reconsider | Fail):
        return command
    task = case.tasks[command.task_id]
    if task.slug is None and (
        isinstance(command, Fail) or not desk.spec(tx, task.workflow_id, task.spec).parent_actions
    ):
        return command
    match command:
        case Complete():
            return _completing(desk, tx, case, command, result)
        case Reconsider():
            return _reconsidering(desk, tx, case, command)
        case Fail():
            return _failing(desk, tx, case, command)


def _completing(
    desk: Desk, tx: Tx, case: Case, command: Complete, result: Envelope | None
) -> Command:
    """The result of an attempt; sent for a stage in review, it takes the place of the one there."""
    task = case.tasks[command.task_id]
    stage_result = result if task.slug is not None else None
    notes = _once([*command.notes, *(notes_of_result(stage_result) if stage_result else ())])
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
    judged = _judge(desk, tx, task, command.notes, result)
    standing = _unanswered(tx, case.workflow, task, command.notes)
    decision, objections = _decided(command.decision, (*judged.objections, *standing))
    return replace(
        command,
        decision=decision,
        notes=[*command.notes, *judged.followups],
        objections=objections,
        hooks=_holding(desk, tx, case, task, judged.records, failed=False),
    )


def _unanswered(
    tx: Tx, workflow: Workflow, task: Task, notes: Sequence[Fact]
) -> list[Mapping[str, str]]:
    """What hooks hold against a stage in review for which nothing new was shown since."""
    events = of_attempt(read_task_events(tx, task.workflow_id, task.id))
    failed = [place for place, event in enumerate(events) if event.type is EventType.GATE_FAILED]
    if not failed:
        return []
    said = [(event.type, event.data) for event in events]
    before, since = said[: failed[-1]], [*said[failed[-1] :], *notes]
    if any(kind in _EVIDENCE and (kind, data) not in before for kind, data in since):
        return []
    hooks = hooks_of(workflow)[0]
    return [item for item in said[failed[-1]][1]["items"] if item["rule"] in hooks]


def _decided(
    decision: str, objections: Sequence[Mapping[str, str]]
) -> tuple[str, Sequence[Mapping[str, str]]]:
    """What `decision` is, by the `objections` that it meets, and those that stay.

    To waive what only the parent could do is to decline it: the gate itself is not waived.
    """
    of_gate = [item for item in objections if item["rule"] != PARENT_ACTION]
    match decision:
        case "waived":
            return ("declined" if objections and not of_gate else "waived"), ()
        case "confirmed":
            return decision, of_gate
        case _:
            return decision, objections


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
) -> _Judged:
    spec = desk.spec(tx, task.workflow_id, task.spec)
    events = of_attempt(read_task_events(tx, task.workflow_id, task.id))
    records = gather(events, notes)
    verdict = _verdict(spec, records, result) if task.slug is not None else Verdict("pass")
    objections = [item_told(item) for item in verdict.items if item.verdict == "fail"]
    if spec.parent_actions and not parent_decision(events):
        objections.append(_to_confirm(spec.parent_actions, result))
    known = {followup["text"] for followup in records.followups}
    later = [clip(f"{i.what}: {i.fix}", 2_000) for i in verdict.items if i.verdict == "warn"]
    followups = [(EventType.FOLLOWUP_ADDED, {"text": text}) for text in later if text not in known]
    return _Judged(records, tuple(objections), tuple(followups))


def _verdict(spec: TaskSpec, records: Records, result: Envelope | None) -> Verdict:
    shown = evidence(records, goal=spec.goal, done=spec.done, writes=spec.writes, result=result)
    return output_gate(spec.gate, shown, spec.tier or Tier.T2)


def _to_confirm(actions: Sequence[ParentAction], result: Envelope | None) -> dict[str, str]:
    """What is left to the parent, with what the worker proposes of it: one decision is on both."""
    named = ", ".join(f"{action.action} ({action.tier})" for action in actions)
    proposed = beyond_workers(result.proposed_actions if result is not None else ())
    names = dict.fromkeys(str(action.get("action", "")) for action in proposed)
    planned = {action.action for action in actions}
    told = [clip(name, PROPOSED_LIMIT) for name in names if name not in planned]
    more = f"; proposed: {', '.join(told[:PROPOSED_SHOWN])}" if told else ""
    more += f" and {len(told) - PROPOSED_SHOWN} more" if len(told) > PROPOSED_SHOWN else ""
    return {
        "rule": PARENT_ACTION,
        "verdict": "fail",
        "what": clip(f"parent action to confirm: {clip(named, 240 - len(more))}{more}", 240),
        "fix": "do what is needed of it, then resolve(decision='confirm') with what was done; "
        "resolve(decision='waive') with the reason if the user declines it",
    }


def _holding(
    desk: Desk, tx: Tx, case: Case, task: Task, records: Records, *, failed: bool
) -> tuple[str, ...]:
    """The hooks that hold the next stage back once this one has ended."""
    if task.slug is None or not hooks_of(case.workflow)[1]:
        return ()
    found = due(desk, tx, case.workflow, task, records, failed=failed)
    return tuple(hook.skill for hook in found)


def _once(notes: Sequence[Fact]) -> list[Fact]:
    return list({(kind, compact(data)): (kind, data) for kind, data in notes}.values())


def gate_answer(desk: Desk, tx: Tx, case: Case, task_id: str) -> dict[str, Any]:
    """What is said of a task after its end: the items of its gate; of a stage the hooks due."""
    task = case.tasks[task_id]
    said: dict[str, Any] = {}
    if task.slug is not None:
        status = WORDS[task.status].item
        said = {"stage": task.position, "item": task.slug, "item_status": status}
    if task.status is Status.REVIEW:
        items = gate_items(tx, task)
        gate = {"gate": OUTPUT, "verdict": "fail", "items": items}
        return said | {"gate": gate, "next": review_next(task, items)}
    if task.slug is None or task.status not in (Status.COMPLETED, Status.FAILED):
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
    again = _starting_again(tx, case.workflow, task, desk.clock())
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


def _starting_again(tx: Tx, workflow: Workflow, task: Task, now: float) -> str:
    """What to call once the hooks of a failed stage are run; empty if it did not fail."""
    if task.status is not Status.FAILED:
        return ""
    if breaker_open(workflow.failed, workflow.total) or failed_for_good(task):
        return next_call(workflow)
    call = f"advance_stage without an outcome: it starts stage {task.position} again"
    rest = resting(tx, task.skill, now)
    start = max(task.not_before or now, rest.until if rest else now)
    if start <= now:
        return before_retry(task, call)
    return f"{call}, {from_when(start, now)}" + (f"; {HAND_OVER}" if rest else "")
