"""What may happen: `decide` turns a case and a command into events, or refuses.

Pure. Time, ids and claims come with the command. An empty answer means that the
command repeats what is recorded already, word for word.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from relaybook.core.task.case import Case
from relaybook.core.task.close import close
from relaybook.core.task.command import (
    Answer,
    Ask,
    Cancel,
    Change,
    ChangePlan,
    Close,
    Command,
    Complete,
    Decide,
    Expire,
    Fail,
    NameFailure,
    Note,
    Reconsider,
    Release,
    RetryFailed,
    SettleHooks,
    Start,
)
from relaybook.core.task.decision import (
    answer,
    cancel,
    decide_condition,
    name_failure,
    retry_failed,
)
from relaybook.core.task.finish import ask, complete, expire, fail, note, release
from relaybook.core.task.replan import change_plan
from relaybook.core.task.review import reconsider, settle_hooks
from relaybook.core.task.start import start
from relaybook.model import Event


def decide(case: Case, command: Command) -> tuple[Event, ...]:
    """The events that `command` means for `case`.

    Raises:
        Refusal: the command is not allowed; nothing happens.
    """
    changes = _DECIDERS[type(command)](case, command)
    return number(case.workflow.id, case.workflow.seq, command, changes)


def number(
    workflow_id: str, seq: int, command: Command, changes: Iterable[Change]
) -> tuple[Event, ...]:
    """Events for `changes`, numbered on from `seq`, the last one of the workflow."""
    return tuple(
        Event(
            workflow_id=workflow_id,
            seq=place,
            type=kind,
            task_id=task_id,
            actor=command.actor,
            at=command.at,
            data=data,
        )
        for place, (kind, task_id, data) in enumerate(changes, seq + 1)
    )


_DECIDERS: Mapping[type[Command], Callable[[Case, Any], list[Change]]] = {
    Start: start,
    Complete: complete,
    Fail: fail,
    NameFailure: name_failure,
    Ask: ask,
    Release: release,
    Expire: expire,
    Answer: answer,
    Cancel: cancel,
    RetryFailed: retry_failed,
    Close: close,
    Decide: decide_condition,
    ChangePlan: change_plan,
    Note: note,
    Reconsider: reconsider,
    SettleHooks: settle_hooks,
}
