"""The end of an attempt: what a result means, recorded with what follows from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from relaybook.core.failure import fingerprint, suggest_code
from relaybook.core.result.envelope import Envelope, ResultStatus, to_json
from relaybook.core.result.record import carried
from relaybook.core.task.case import Case
from relaybook.core.task.command import Ask, Command, Complete, Fail
from relaybook.core.task.machine import decide
from relaybook.core.task.status import is_ready, workflow_status
from relaybook.core.text import compact, text_hash
from relaybook.engine.desk import Desk
from relaybook.engine.request import Update
from relaybook.engine.tasks.gate import gated
from relaybook.engine.tasks.gate_answer import gate_answer
from relaybook.engine.view.advice import failure_advice, progress, result_advice
from relaybook.engine.view.ahead import next_after
from relaybook.engine.view.skill_breaker import resting
from relaybook.errors import clip
from relaybook.model import FailureCode, Status, Tier
from relaybook.store.base import Tx
from relaybook.store.cases import load_case
from relaybook.store.ledger import apply
from relaybook.store.texts import put_texts

ERROR_LIMIT = 2_000
SUMMARY_LIMIT = 400
FAILURE_CODES = [str(code) for code in FailureCode]

#: A command, and the texts that it names by their hashes.
_End = tuple[Command, Sequence[str]]


def _completed(update: Update, result: Envelope, cap: Tier, meant: dict[str, Any]) -> _End:
    reached = [action for action in result.actions_taken if action["tier"] > cap]
    if reached:
        error = f"it took {len(reached)} action(s) above tier {cap}: {compact(reached[0])}"
        code = str(FailureCode.TIER_VIOLATION)
        failed = failed_with(code, clip(error, ERROR_LIMIT), replace(update, final=True), meant)
        return failed, [update.output]
    kept = to_json(result)
    command = Complete(
        result=text_hash(kept),
        summary=clip(result.summary, SUMMARY_LIMIT),
        notes=[*carried(result), *update.notes],
        **meant,
    )
    return command, [update.output, kept]


def _reported(update: Update, result: Envelope, _: Tier, meant: dict[str, Any]) -> _End:
    code, error = reported(result)
    return failed_with(code, error, update, meant), [update.output]


def reported(result: Envelope) -> tuple[str, str]:
    """The code, if the ledger knows it, and the message of the error that a result reports.

    A code of the worker's own stays in the message.
    """
    said = result.error or {}
    own, message = str(said.get("code", "")), str(said.get("message", "")) or result.summary
    if code := known_code(own):
        return code, clip(message or code, ERROR_LIMIT)
    return "", clip(f"{own}: {message}" if own else message, ERROR_LIMIT)


def known_code(said: str) -> str:
    """The failure code that is meant, however it is spelled; empty if the ledger knows none such."""
    code = said.strip().lower().replace("-", "_").replace(" ", "_")
    return code if code in FAILURE_CODES else ""


def failed_with(code: str, error: str, update: Update, meant: dict[str, Any]) -> Fail:
    """The failure, its code as given or, without one, as its words suggest."""
    code = code or str(suggest_code(error))
    return Fail(
        error_code=code,
        error=error,
        fingerprint=fingerprint(code, error),
        final=update.final,
        notes=update.notes,
        **meant,
    )


def _questioned(update: Update, result: Envelope, _: Tier, meant: dict[str, Any]) -> _End:
    command = Ask(
        questions=compact(list(result.questions)),
        summary=clip(result.summary, SUMMARY_LIMIT),
        **meant,
    )
    return command, [update.output]


#: Takes what came, the tier that the worker is capped at, and what every end says.
_Reader = Callable[[Update, Envelope, Tier, dict[str, Any]], _End]

#: The command that a result means, by what its block says.
_RESULTS: Mapping[ResultStatus, _Reader] = {
    ResultStatus.OK: _completed,
    ResultStatus.PARTIAL: _completed,
    ResultStatus.ERROR: _reported,
    ResultStatus.NEEDS_INPUT: _questioned,
}


def finish(
    desk: Desk, workflow_id: str, task_id: str, update: Update, result: Envelope
) -> dict[str, Any]:
    """Record the end of an attempt as its result says it.

    Raises:
        Refusal: the attempt is not one that may end so.
    """
    cap = _cap(desk, workflow_id, task_id) if result.actions_taken else Tier.T2
    command, texts = _RESULTS[result.status](update, result, cap, common(desk, update, task_id))
    return record_end(desk, workflow_id, task_id, command, texts, result)


def _cap(desk: Desk, workflow_id: str, task_id: str) -> Tier:
    """The tier that the prompt of the task caps its worker at."""
    spec = desk.spec_of(workflow_id, task_id)
    return spec.tier or desk.templates.get(spec.template).tier


def common(desk: Desk, update: Update, task_id: str) -> dict[str, Any]:
    """What every command that ends an attempt says."""
    return {
        "at": desk.clock(),
        "actor": update.actor,
        "task_id": task_id,
        "claim": update.claim,
        "session_key": update.session_key,
        "output": text_hash(update.output) if update.output else None,
    }


def record_end(
    desk: Desk,
    workflow_id: str,
    task_id: str,
    command: Command,
    texts: Sequence[str],
    result: Envelope | None = None,
) -> dict[str, Any]:
    """Carry out `command`; what holds its task up is judged first, and named."""
    with desk.store.transaction() as tx:
        case = load_case(tx, workflow_id, task_id, getattr(command, "claim", None))
        after = settle(tx, case, gated(desk, tx, case, command, result), texts)
        said = gate_answer(desk, tx, after, task_id)
        return told(desk, tx, case, after, task_id, repeated=after is case) | said


def settle(tx: Tx, case: Case, command: Command, texts: Sequence[str]) -> Case:
    """The case after `command`; the same one if it only repeats."""
    events = decide(case, command)
    if not events:
        return case
    put_texts(tx, case.workflow.id, texts)
    return apply(tx, case, events)


def told(
    desk: Desk, tx: Tx, before: Case, after: Case, task_id: str, *, repeated: bool = False
) -> dict[str, Any]:
    """What an update answers."""
    workflow, task = after.workflow, after.tasks[task_id]
    freed = [t.id for t in after.tasks.values() if is_ready(t) and t.id != task_id]
    freed = [name for name in freed if not is_ready(before.tasks[name])]
    staged = task.slug is not None
    free = freed
    if staged:
        free = [name for name in freed if not resting(tx, after.tasks[name].skill, desk.clock())]
    answer: dict[str, Any] = {
        "workflow_id": workflow.id,
        "task_id": task.id,
        "status": str(task.status),
        "attempt": task.attempt,
        "seq": workflow.seq,
        "workflow_status": str(workflow_status(workflow)),
        "progress": progress(workflow),
    }
    if task.error and task.status is Status.FAILED:
        answer["error"] = {"code": task.error_code, "message": clip(task.error, 300)}
        answer["advice"] = failure_advice(workflow, task, freed)
    if task.status is Status.COMPLETED and (advice := result_advice(workflow, task)):
        answer["advice"] = advice
    if free:
        answer["ready"] = free[:10]
    if repeated:
        answer["repeated"] = True
    answer["next"] = next_after(tx, before, after, task_id, desk.clock(), staged=staged)
    return answer
