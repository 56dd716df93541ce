"""update_task: everything that can happen to a task once it is in the plan."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from relaybook.core.case import Case
from relaybook.core.close import refuse_decided
from relaybook.core.command import Ask, Cancel, NameFailure, Release, Start
from relaybook.core.coverage import item_ids, uncovered
from relaybook.core.envelope import Envelope, ResultStatus, raw_result, read_result
from relaybook.core.finish import attempt_meant
from relaybook.core.merge_plan import plan_merge
from relaybook.core.result_block import MAX_OUTPUT, NEXT_FOR_WORKER
from relaybook.core.result_flags import result_flags
from relaybook.core.task_spec import TaskSpec
from relaybook.core.text import compact, storable
from relaybook.engine.claim import (
    check_lease,
    checked_session,
    start_attempt,
    started,
)
from relaybook.engine.desk import Desk
from relaybook.engine.expire import past_the_lost, without_expired
from relaybook.engine.outcome import (
    ERROR_LIMIT,
    FAILURE_CODES,
    SUMMARY_LIMIT,
    Update,
    common,
    failed_with,
    finish,
    known_code,
    record_end,
    reported,
    settle,
    told,
)
from relaybook.engine.prompt import result_schema
from relaybook.errors import (
    InvalidArguments,
    MalformedOutput,
    Refusal,
    StaleClaim,
    StoreBusy,
    clip,
    nearest,
)
from relaybook.model import Status
from relaybook.store.base import Tx
from relaybook.store.cases import find_claim, get_task, load_case
from relaybook.store.ledger import renew_lease

OVERRIDE_LIMIT = 500
#: How much of a failure code that the ledger does not know is kept before its error.
OWN_CODE_LIMIT = 80
#: What the answer to several updates of one workflow says once, and what it leaves out: the claim
#: names the attempt, and the spawn arguments have its time.
_OF_WORKFLOW = ("workflow_id", "seq", "workflow_status", "progress", "next")
_OF_ATTEMPT = ("attempt", "lease_seconds")
UPDATES_LIMIT = 10
UNCOVERED = (
    "the result is recorded as it is and the digest names these items; for those that are missing "
    "change_plan(add=[a task for them])"
)
CONFIRM = "; error.code is a guess: if it is wrong, send status 'failed' with error_code alone"


def update_task(desk: Desk, update: Update) -> dict[str, Any]:
    """Start, renew, complete, fail, ask, give back or cancel one task.

    A finish that repeats the recorded one word for word changes nothing and says so.

    Raises:
        Refusal: it is not allowed; nothing was changed.
    """
    action = _ACTIONS.get(update.status)
    if action is None:
        raise InvalidArguments(
            f"status {update.status[:80]!r} is not one that a task can be given."
            if update.status
            else "No status was given, and updates has none either.",
            allowed=", ".join(_ACTIONS),
            next="call again with one of these",
        )
    return action(desk, _checked(update))


def names_its_attempt(_: Desk, update: Update) -> bool:
    """Whether a repeat of the call answers the outcome that is recorded."""
    return update.claim is not None


def _checked(update: Update) -> Update:
    """`update` with its texts as the ledger can keep them."""
    check_lease(update.lease_seconds)
    checked = {
        "output": storable(update.output),
        "error": storable(update.error),
        "session_key": checked_session(update.session_key),
        "override": clip(storable(update.override.strip()), OVERRIDE_LIMIT),
    }
    changed = {name: text for name, text in checked.items() if text != getattr(update, name)}
    return replace(update, **changed) if changed else update


def update_tasks(desk: Desk, updates: Sequence[Update]) -> dict[str, Any]:
    """Up to ten updates, each by itself: one that is refused leaves the others standing."""
    if not 1 <= len(updates) <= UPDATES_LIMIT:
        raise InvalidArguments(
            f"{len(updates)} updates were sent.",
            allowed=f"1 to {UPDATES_LIMIT}",
            next="send them in several calls" if updates else "say what happened to which task",
        )
    results: list[dict[str, Any]] = []
    for update in updates:
        try:
            results.append(update_task(desk, update))
        except Refusal as refusal:
            if isinstance(refusal, StoreBusy) and not results:
                raise  # all of them may be sent again
            results.append({"task_id": update.task_id, "error": refusal.as_dict()})
    refused = sum("status" not in result for result in results)
    answer: dict[str, Any] = {
        "results": results,
        "summary": f"{len(results) - refused} of {len(results)} updates recorded",
    }
    if len({update.workflow_id for update in updates}) == 1:
        answer |= _said_once(results)
    else:
        answer["next"] = results[-1].get("next", "")
    return answer | ({"next": "see `error` of the refused"} if refused else {})


def _said_once(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Takes from the results what each says of their one workflow; answers what the last said."""
    said: dict[str, Any] = {}
    for result in results:
        for name in _OF_WORKFLOW:
            if name in result:
                said[name] = result.pop(name)
        for name in _OF_ATTEMPT:
            result.pop(name, None)
    return said


def _begin(desk: Desk, update: Update) -> dict[str, Any]:
    """Start the task; with the claim of the attempt in progress, renew its lease instead."""
    begin = partial(_begin_once, desk, update)
    return past_the_lost(desk, update.workflow_id, update.actor, begin)


def _begin_once(desk: Desk, update: Update) -> dict[str, Any]:
    with desk.store.transaction() as tx:
        workflow_id, task_id = _target(tx, update)
        case = load_case(tx, workflow_id, task_id, update.claim)
        task = case.tasks[task_id]
        if update.claim is not None:
            return _renew(desk, tx, case, task_id, update)
        if update.session_key is None or update.session_key != task.session_key:
            found, case = case, without_expired(desk, tx, case, task_id, update.actor)
            if case is not found and case.tasks[task_id].status is Status.FAILED:
                return told(desk, tx, found, case, task_id)  # that was its last attempt
        if case.tasks[task_id].status is not Status.IN_PROGRESS:
            begun = start_attempt(
                desk,
                tx,
                case,
                task_id,
                lease_seconds=update.lease_seconds,
                session_key=update.session_key,
                override=update.override,
                actor=update.actor,
            )
            answer = told(desk, tx, case, begun.case, task_id) | started(begun)
            if update.session_key is not None:
                del answer["prompt"]  # its worker runs already
            return answer
        command = Start(
            at=desk.clock(),
            actor=update.actor,
            task_id=task_id,
            claim="",
            lease_seconds=0,
            session_key=update.session_key,
        )
        after = settle(tx, case, command, [])
        answer = told(desk, tx, case, after, task_id, repeated=after is case)
        answer["next"] = f"{answer['next']}; render_prompt shows its prompt again"
        return answer | {"claim": task.claim}


def _renew(desk: Desk, tx: Tx, case: Case, task_id: str, update: Update) -> dict[str, Any]:
    beat = Release(at=desk.clock(), actor=update.actor, task_id=task_id, claim=update.claim)
    refuse_decided(case.workflow, case.tasks[task_id])
    attempt_meant(case, beat, None)
    task = case.tasks[task_id]
    asked = (task.lease_until or 0.0) - (task.last_seen_at or 0.0)  # when it was claimed, or since
    lease = min(update.lease_seconds or asked, task.timeout_seconds)
    renew_lease(tx, task, desk.clock(), lease)
    return told(desk, tx, case, case, task_id) | {"lease_seconds": round(lease)}


def _complete(desk: Desk, update: Update) -> dict[str, Any]:
    """Record a result; a block that says error or needs_input is recorded as what it says."""
    workflow_id, task_id = _named(desk, update)
    spec = desk.spec_of(workflow_id, task_id)
    schema: Mapping[str, Any] | None = None
    try:
        if update.accept_raw:
            result = raw_result(_required(update.output))
        else:
            schema = result_schema(desk, spec)
            result = read_result(update.output, schema)
    except MalformedOutput as refusal:
        _refuse_late(desk, workflow_id, task_id, update)
        # A worker cannot accept its own output.
        told = refusal.with_next(NEXT_FOR_WORKER) if update.actor == "worker" else refusal
        raise told from None
    answer = finish(desk, workflow_id, task_id, update, result)
    if flags := result_flags(result):
        answer["flags"] = list(flags)
    if answer["status"] == Status.COMPLETED and spec.items:
        answer |= _coverage(spec, schema, result)
    guessed = result.status is ResultStatus.ERROR and not reported(result)[0]
    return _to_confirm(answer) if guessed else answer


def _coverage(spec: TaskSpec, schema: Mapping[str, Any] | None, result: Envelope) -> dict[str, Any]:
    """What a result leaves out of its items, or names besides them; empty if that is nothing."""
    returned = item_ids(result.data, plan_merge(schema or {}))
    found = uncovered(spec.items, returned) if returned is not None else {}
    if not found:
        return {}
    return {"coverage": found, "advice": UNCOVERED}


def _refuse_late(desk: Desk, workflow_id: str, task_id: str, update: Update) -> None:
    """Refuse a worker whose attempt is over before it corrects its output."""
    beat = Release(**common(desk, update, task_id))
    with desk.store.transaction() as tx:
        case = load_case(tx, workflow_id, task_id, update.claim)
        refuse_decided(case.workflow, case.tasks[task_id])
        attempt_meant(case, beat, None)


def _required(output: str) -> str:
    if output.strip():
        return output
    raise MalformedOutput(
        "The output is empty.",
        allowed="the worker's message, word for word",
        next="send it as output, or record status 'failed'",
    )


def _fail(desk: Desk, update: Update) -> dict[str, Any]:
    """Record a failure, or name the one that is recorded; a code of the caller's own is kept."""
    update = replace(update, output=clip(update.output, MAX_OUTPUT))
    code, error = _failure_of(update)
    with desk.store.look() as tx:
        workflow_id, task_id = _target(tx, update)
        task = get_task(tx, workflow_id, task_id)
    said = common(desk, update, task_id)
    if task.status is Status.FAILED and update.error_code and not (update.error or update.output):
        if code:
            naming = NameFailure(
                at=said["at"], actor=update.actor, task_id=task_id, error_code=code
            )
            return record_end(desk, workflow_id, task_id, naming, [])
        if error != task.error:
            raise _unknown_code(update.error_code)
    command = failed_with(code, clip(error, ERROR_LIMIT), update, said)
    texts = [update.output] if update.output else []
    answer = record_end(desk, workflow_id, task_id, command, texts)
    return answer if code else _to_confirm(answer)


def _failure_of(update: Update) -> tuple[str, str]:
    """The code, empty if none is known, and the error; a code of the caller's own stays in that."""
    code = known_code(update.error_code)
    own = "" if code else clip(storable(update.error_code.strip()), OWN_CODE_LIMIT)
    error = update.error or update.output[-ERROR_LIMIT:] or "no reason given"
    if not update.error and (reported_error := _reported_in(update)):
        code, error = code or reported_error[0], reported_error[1]
    return code, f"{own}: {error}" if own else error


def _unknown_code(code: str) -> InvalidArguments:
    return InvalidArguments(
        f"error_code {code[:80]!r} is not known.",
        allowed=nearest(code, FAILURE_CODES),
        next="use one that guide://vocabulary lists; the failure stays recorded as it is",
    )


def _reported_in(update: Update) -> tuple[str, str] | None:
    """The code and message of the error that the worker's own result block reports."""
    if "<result>" not in update.output:
        return None
    try:
        result = read_result(update.output, None)
    except MalformedOutput:
        return None
    return reported(result) if result.status is ResultStatus.ERROR else None


def _to_confirm(answer: dict[str, Any]) -> dict[str, Any]:
    """`answer`, which says of the code of a failure that it is a guess."""
    if "error" in answer:
        answer["error"]["suggested"] = True
        answer["advice"] += CONFIRM
    return answer


def _ask(desk: Desk, update: Update) -> dict[str, Any]:
    """Record questions: a needs_input block, or the text itself as one question."""
    if "<result>" in update.output:
        return _complete(desk, update)
    update = replace(update, output=clip(update.output, MAX_OUTPUT))
    question = update.output.strip() or update.error.strip()
    if not question:
        raise InvalidArguments(
            "status 'input_required' came without a question.",
            allowed="output with a needs_input result block, or the question as text",
            next="call again with the question in output",
        )
    workflow_id, task_id = _named(desk, update)
    command = Ask(
        questions=compact([clip(question, ERROR_LIMIT)]),
        summary=clip(question, SUMMARY_LIMIT),
        **common(desk, update, task_id),
    )
    return record_end(desk, workflow_id, task_id, command, [update.output] if update.output else [])


def _release(desk: Desk, update: Update) -> dict[str, Any]:
    workflow_id, task_id = _named(desk, update)
    command = Release(reason=clip(update.error, ERROR_LIMIT), **common(desk, update, task_id))
    return record_end(desk, workflow_id, task_id, command, [])


def _cancel(desk: Desk, update: Update) -> dict[str, Any]:
    workflow_id, task_id = _named(desk, update)
    command = Cancel(
        at=desk.clock(),
        actor=update.actor,
        task_id=task_id,
        reason=clip(update.error or "cancelled", ERROR_LIMIT),
    )
    return record_end(desk, workflow_id, task_id, command, [])


#: What each status means as something to do.
_ACTIONS: Mapping[str, Callable[[Desk, Update], dict[str, Any]]] = {
    "in_progress": _begin,
    "completed": _complete,
    "failed": _fail,
    "input_required": _ask,
    "pending": _release,
    "cancelled": _cancel,
}


def _named(desk: Desk, update: Update) -> tuple[str, str]:
    """The workflow and task meant; the ledger is only asked if the claim has to tell."""
    if _names_both(update):
        return update.workflow_id, update.task_id
    with desk.store.look() as tx:
        return _target(tx, update)


def _names_both(update: Update) -> bool:
    return update.claim is None or bool(update.workflow_id and update.task_id)


def _target(tx: Tx, update: Update) -> tuple[str, str]:
    """The workflow and task meant: by their ids, or by the claim alone."""
    if update.claim is None or _names_both(update):
        return update.workflow_id, update.task_id
    found = find_claim(tx, update.claim)
    if update.task_id in ("", found[1]) and update.workflow_id in ("", found[0]):
        return found
    raise StaleClaim(
        f"This claim is on task {found[1]!r} of workflow {found[0]!r}, not on the one named.",
        allowed="the claim of the task named, or the claim alone",
        next="leave out workflow_id and task_id, or correct them",
    )
