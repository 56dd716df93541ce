"""A worker's output is handed in: a result, a failure, or questions."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relaybook.core.digest.result_flags import result_flags
from relaybook.core.merge.coverage import item_ids, items_given, uncovered
from relaybook.core.merge.plan import plan_merge
from relaybook.core.panel.ballot import asked_options, off_options
from relaybook.core.panel.criteria import asked_criteria, off_criteria
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.result.block import MAX_OUTPUT, NEXT, NEXT_FOR_WORKER
from relaybook.core.result.envelope import Envelope, ResultStatus, raw_result, read_result
from relaybook.core.task.close import refuse_decided
from relaybook.core.task.command import Ask, NameFailure, Release
from relaybook.core.task.finish import attempt_meant
from relaybook.core.text import compact, storable
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import required_schema
from relaybook.engine.request import Update
from relaybook.engine.tasks.outcome import (
    ERROR_LIMIT,
    FAILURE_CODES,
    SUMMARY_LIMIT,
    common,
    failed_with,
    finish,
    known_code,
    record_end,
    reported,
)
from relaybook.engine.tasks.target import named, target
from relaybook.errors import InvalidArguments, MalformedOutput, clip, nearest
from relaybook.model import Status, WorkflowStatus
from relaybook.store.cases import get_task, load_case

#: How much of a failure code that the ledger does not know is kept before its error.
OWN_CODE_LIMIT = 80
#: How many gaps of a result are told when it is handed in, and how much of each.
GAPS_SHOWN, GAP_SHOWN = 5, 160
UNCOVERED = "the result is recorded as it is and the digest names these items"
#: What to do for items that are missing, while the plan is open and once the workflow has ended.
ADD_FOR_MISSING = "; for those that are missing change_plan(add=[a task for them])"
MAKE_FOR_MISSING = (
    "; for those that are missing create_workflow(items=[them]): this workflow has ended"
)
OFF_CRITERIA = (
    "the result is recorded as it is; the digest names these criteria, and counts no score of one "
    "that was not asked for"
)
OFF_OPTIONS = (
    "the result is recorded as it is; the digest names these options, and counts no place of one "
    "that was not asked for"
)
CONFIRM = "; error.code is a guess: if it is wrong, send status 'failed' with error_code alone"


def complete(desk: Desk, update: Update) -> dict[str, Any]:
    """Record a result; a block that says error or needs_input is recorded as what it says."""
    workflow_id, task_id = named(desk, update)
    spec = desk.spec_of(workflow_id, task_id)
    schema: Mapping[str, Any] | None = None
    try:
        if update.accept_raw:
            result = raw_result(_required(update.output))
        else:
            schema = required_schema(desk, spec)
            result = read_result(update.output, schema)
    except MalformedOutput as refusal:
        _refuse_late(desk, workflow_id, task_id, update)
        # A worker cannot accept its own output.
        of_worker = update.actor == "worker" and refusal.next == NEXT
        raise (refusal.with_next(NEXT_FOR_WORKER) if of_worker else refusal) from None
    answer = finish(desk, workflow_id, task_id, update, result)
    if flags := result_flags(result):
        answer["flags"] = list(flags)
    if answer["status"] == Status.COMPLETED:
        if result.left_out:
            answer["gaps"] = [clip(gap, GAP_SHOWN) for gap in result.left_out[:GAPS_SHOWN]]
        answer |= _coverage(spec, schema, result, answer["workflow_status"])
    guessed = result.status is ResultStatus.ERROR and not reported(result)[0]
    return _to_confirm(answer) if guessed else answer


def _coverage(
    spec: TaskSpec, schema: Mapping[str, Any] | None, result: Envelope, status: str
) -> dict[str, Any]:
    """What a result leaves out of its items, criteria or options, or names besides."""
    if items := items_given(spec):
        returned = item_ids(result.data, plan_merge(schema or {}))
        found = uncovered(items, returned) if returned is not None else {}
        return {"coverage": found, "advice": _advice(found, status)} if found else {}
    if not spec.expert_role:
        return {}
    if off := off_criteria(result.data, asked_criteria(spec.args)):
        return {"coverage": off, "advice": OFF_CRITERIA}
    if off := off_options(result.data, asked_options(spec.args)):
        return {"coverage": off, "advice": OFF_OPTIONS}
    return {}


def _advice(found: Mapping[str, Any], status: str) -> str:
    """What to do about items, by their problems, in a workflow of that status."""
    if "missing" not in found:
        return UNCOVERED
    ended = status == WorkflowStatus.COMPLETED
    return UNCOVERED + (MAKE_FOR_MISSING if ended else ADD_FOR_MISSING)


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


def fail(desk: Desk, update: Update) -> dict[str, Any]:
    """Record a failure, or name the one that is recorded; a code of the caller's own is kept."""
    update = replace(update, output=clip(update.output, MAX_OUTPUT))
    code, error = failure_of(update)
    with desk.store.look() as tx:
        workflow_id, task_id = target(tx, update)
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


def failure_of(update: Update) -> tuple[str, str]:
    """The code, empty if none is known, and the error; a code of the caller's own stays in that."""
    code = known_code(update.error_code)
    own = "" if code else clip(storable(update.error_code.strip()), OWN_CODE_LIMIT)
    told = update.error.strip()
    error = told or update.output[-ERROR_LIMIT:].strip() or "no reason given"
    if not told and (reported_error := _reported_in(update)):
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


def ask(desk: Desk, update: Update) -> dict[str, Any]:
    """Record questions: a needs_input block, or the text itself as one question."""
    if "<result>" in update.output:
        return complete(desk, update)
    update = replace(update, output=clip(update.output, MAX_OUTPUT))
    question = update.output.strip() or update.error.strip()
    if not question:
        raise InvalidArguments(
            "status 'input_required' came without a question.",
            allowed="output with a needs_input result block, or the question as text",
            next="call again with the question in output",
        )
    workflow_id, task_id = named(desk, update)
    command = Ask(
        questions=compact([clip(question, ERROR_LIMIT)]),
        summary=clip(question, SUMMARY_LIMIT),
        **common(desk, update, task_id),
    )
    return record_end(desk, workflow_id, task_id, command, [update.output] if update.output else [])
