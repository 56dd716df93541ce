"""update_task: everything that can happen to a task once it is in the plan."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from relaybook.core.task.command import Cancel, Release
from relaybook.core.text import storable
from relaybook.engine.desk import Desk
from relaybook.engine.request import Update
from relaybook.engine.tasks.begin import begin
from relaybook.engine.tasks.claim import check_lease, checked_session
from relaybook.engine.tasks.hand_in import ask, complete, fail
from relaybook.engine.tasks.outcome import ERROR_LIMIT, common, record_end
from relaybook.engine.tasks.target import named
from relaybook.errors import InvalidArguments, clip

OVERRIDE_LIMIT = 500


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
    if update.output or update.error:
        _refuse_unkept(update)
    return action(desk, _checked(update))


def names_its_attempt(_: Desk, update: Update) -> bool:
    """Whether a repeat of the call answers the outcome that is recorded."""
    return update.claim is not None


def _refuse_unkept(update: Update) -> None:
    """Refuse a text that its status has no place for."""
    for name, kept_with in _KEPT_WITH.items():
        if getattr(update, name).strip() and update.status not in kept_with:
            raise InvalidArguments(
                f"{name} came with status {update.status!r}, which does not keep it.",
                allowed=f"{name} with {', '.join(kept_with)}",
                next="call again with one of these, or leave it out",
            )


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


def _release(desk: Desk, update: Update) -> dict[str, Any]:
    workflow_id, task_id = named(desk, update)
    command = Release(reason=clip(update.error, ERROR_LIMIT), **common(desk, update, task_id))
    return record_end(desk, workflow_id, task_id, command, [])


def _cancel(desk: Desk, update: Update) -> dict[str, Any]:
    workflow_id, task_id = named(desk, update)
    command = Cancel(
        at=desk.clock(),
        actor=update.actor,
        task_id=task_id,
        reason=clip(update.error or "cancelled", ERROR_LIMIT),
    )
    return record_end(desk, workflow_id, task_id, command, [])


#: The statuses with which a text is kept: as the result, the reason, or the question.
_KEPT_WITH: Mapping[str, Sequence[str]] = {
    "output": ("completed", "failed", "input_required"),
    "error": ("failed", "input_required", "pending", "cancelled"),
}

#: What each status means as something to do.
_ACTIONS: Mapping[str, Callable[[Desk, Update], dict[str, Any]]] = {
    "in_progress": begin,
    "completed": complete,
    "failed": fail,
    "input_required": ask,
    "pending": _release,
    "cancelled": _cancel,
}
