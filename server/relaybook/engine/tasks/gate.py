"""What a task has to pass before it counts as done: of a stage its OUTPUT gate, of any the parent's deeds."""

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
from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.tasks.hooks import due
from relaybook.engine.tasks.stage import hooks_of
from relaybook.engine.verdict import PARENT_ACTION, item_told
from relaybook.errors import clip
from relaybook.model import EventType, Status, Task, Tier, Workflow
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
