"""One task as it can be read: what was asked, each attempt at it, and its texts in full."""

import json
from typing import Any

from relaybook.core.item import item_slug
from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import earlier_attempts
from relaybook.engine.view.advice import timestamp
from relaybook.errors import UnknownResource, clip
from relaybook.model import WORDS, Attempt, Status, Task
from relaybook.store.base import Tx
from relaybook.store.cases import get_task
from relaybook.store.texts import get_text

#: A text of more characters is named by its URI in place of being shown.
INLINE_LIMIT = 8_000
ATTEMPTS_SHOWN = 12
ERROR_SHOWN = 2_000
#: States that a reason stands beside in place of a result.
_SET_ASIDE = frozenset({Status.CANCELLED, Status.NOT_APPLICABLE})


def read_task(desk: Desk, id: str, task_id: str) -> str:
    """Specification, status, attempts with their errors, and the result or why there is none."""
    with desk.store.read() as tx:
        task = get_task(tx, id, task_id)
        attempts = earlier_attempts(tx, task)
        words = WORDS[task.status]
        answer: dict[str, Any] = {
            "workflow_id": id,
            "task_id": task_id,
            "label": task.label,
            "status": words.ledger,
            "item_status": words.item,
            "icon": words.icon,
            "failures": task.failures,
            "expected_minutes": task.expected_minutes,
            "timeout_seconds": task.timeout_seconds,
            "item": item_slug(task),
            "spec": _inline(tx, task, task.spec, "spec"),
            "attempts": [_attempt(each) for each in attempts[-ATTEMPTS_SHOWN:]],
        }
        if task.status in _SET_ASIDE and task.error:
            answer["reason"] = task.error
        if attempts:
            answer["prompt"] = _uri(task, "prompt")
        if task.result is not None:
            answer["result"] = _inline(tx, task, task.result, "result")
    return compact(answer)


def read_spec_text(desk: Desk, id: str, task_id: str) -> str:
    """What the plan says of a task."""
    with desk.store.read() as tx:
        return get_text(tx, id, get_task(tx, id, task_id).spec)


def read_prompt_text(desk: Desk, id: str, task_id: str) -> str:
    """The prompt of the last attempt, word for word."""
    with desk.store.read() as tx:
        attempts = earlier_attempts(tx, get_task(tx, id, task_id))
        if attempts and attempts[-1].prompt is not None:
            return get_text(tx, id, attempts[-1].prompt)
    raise UnknownResource(
        f"Task {task_id!r} has not started, so it was given no prompt.",
        next="call render_prompt for the prompt that it would get",
    )


def read_result_text(desk: Desk, id: str, task_id: str) -> str:
    """The envelope of the recorded result, in full; of a failed task with its last error."""
    with desk.store.read() as tx:
        task = get_task(tx, id, task_id)
        given = get_text(tx, id, task.result) if task.result is not None else ""
    if task.status is Status.FAILED:
        error = {"code": task.error_code, "message": task.error}
        return compact(json.loads(given or "{}") | {"status": "error", "error": error})
    if given:
        return given
    raise UnknownResource(
        f"Task {task_id!r} is {WORDS[task.status].ledger} and has no result.",
        next="call get_workflow to follow it",
    )


def _attempt(attempt: Attempt) -> dict[str, Any]:
    shown = {
        "number": attempt.number,
        "outcome": str(attempt.outcome or "in_progress"),
        "started_at": timestamp(attempt.started_at),
        "ended_at": timestamp(attempt.ended_at) if attempt.ended_at is not None else None,
        "actor": attempt.actor,
        "session_key": attempt.session_key,
        "error_code": attempt.error_code,
        "error": attempt.error and clip(attempt.error, ERROR_SHOWN),
        "prompt_hash": attempt.prompt,
        "questions": attempt.questions and json.loads(attempt.questions),
        "answers": attempt.answer and json.loads(attempt.answer),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _inline(tx: Tx, task: Task, name: str, part: str) -> Any:
    """The JSON text of that hash as a value; where it lies, if it is long."""
    text = get_text(tx, task.workflow_id, name)
    if len(text) <= INLINE_LIMIT:
        return json.loads(text)
    return {"uri": _uri(task, part), "characters": len(text)}


def _uri(task: Task, part: str) -> str:
    return f"ledger://workflows/{task.workflow_id}/tasks/{task.id}/{part}"
