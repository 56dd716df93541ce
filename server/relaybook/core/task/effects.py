"""What each event means for the one task that it moves, as tables."""

from collections.abc import Callable, Mapping
from typing import Any

from relaybook.core.task.status import COUNTERS
from relaybook.core.text import compact
from relaybook.model import Event, EventType, FailureCode, Outcome, Status, Task

#: Which statuses an event may find a task in, and the one it leaves it in.
MOVES: Mapping[EventType, tuple[frozenset[Status], Status]] = {
    EventType.TASK_STARTED: (
        frozenset({Status.PENDING, Status.FAILED, Status.REVIEW}),
        Status.IN_PROGRESS,
    ),
    EventType.TASK_COMPLETED: (frozenset({Status.IN_PROGRESS, Status.REVIEW}), Status.COMPLETED),
    EventType.TASK_FAILED: (frozenset({Status.IN_PROGRESS, Status.REVIEW}), Status.FAILED),
    EventType.TASK_ASKED: (frozenset({Status.IN_PROGRESS}), Status.INPUT_REQUIRED),
    EventType.TASK_ANSWERED: (frozenset({Status.INPUT_REQUIRED}), Status.PENDING),
    EventType.TASK_RELEASED: (frozenset({Status.IN_PROGRESS}), Status.PENDING),
    EventType.ATTEMPT_EXPIRED: (frozenset({Status.IN_PROGRESS}), Status.PENDING),
    EventType.GATE_FAILED: (
        frozenset({Status.IN_PROGRESS, Status.REVIEW, Status.COMPLETED}),
        Status.REVIEW,
    ),
    EventType.TASK_REOPENED: (frozenset({Status.FAILED}), Status.PENDING),
    # A handler whose source works after all is called off, however far it is.
    EventType.TASK_NOT_APPLICABLE: (
        frozenset(
            {
                Status.PENDING,
                Status.IN_PROGRESS,
                Status.INPUT_REQUIRED,
                Status.FAILED,
                Status.REVIEW,
            }
        ),
        Status.NOT_APPLICABLE,
    ),
    EventType.TASK_CANCELLED: (
        frozenset(
            {
                Status.PENDING,
                Status.IN_PROGRESS,
                Status.INPUT_REQUIRED,
                Status.REVIEW,
                Status.FAILED,
            }
        ),
        Status.CANCELLED,
    ),
    EventType.TASK_REPLACED: (
        frozenset({Status.PENDING, Status.INPUT_REQUIRED, Status.FAILED, Status.CANCELLED}),
        Status.CANCELLED,
    ),
}
#: How the attempt in progress ends when its task leaves `in_progress` by this event.
OUTCOMES: Mapping[EventType, Outcome] = {
    EventType.TASK_COMPLETED: Outcome.COMPLETED,
    EventType.GATE_FAILED: Outcome.COMPLETED,
    EventType.TASK_FAILED: Outcome.FAILED,
    EventType.ATTEMPT_EXPIRED: Outcome.EXPIRED,
    EventType.TASK_RELEASED: Outcome.RELEASED,
    EventType.TASK_ASKED: Outcome.ASKED,
    EventType.TASK_CANCELLED: Outcome.CANCELLED,
    EventType.TASK_NOT_APPLICABLE: Outcome.CANCELLED,
}


def _at_rest() -> dict[str, Any]:
    return {"claim": None, "lease_until": None, "last_seen_at": None}


def _started(task: Task, event: Event) -> dict[str, Any]:
    return {
        "attempt": task.attempt + 1,
        "claim": event.data["claim"],
        "session_key": event.data.get("session_key"),
        "started_at": event.at,
        "lease_until": event.at + event.data["lease_seconds"],
        "last_seen_at": event.at,
        "not_before": None,
        "hooks_due": None,
        "ended_at": None,
        # A start from review is a retry of work that was handed in.
        "failures": task.failures + (task.status is Status.REVIEW),
    }


def _completed(_task: Task, event: Event) -> dict[str, Any]:
    said = {"result": event.data.get("result"), "summary": event.data.get("summary")}
    hooks = {"hooks_due": _hooks_of(event), "ended_at": event.at}
    cleared = {"error": None, "error_code": None, **hooks}
    return _at_rest() | said | cleared


def _sent_back(task: Task, event: Event) -> dict[str, Any]:
    """To review; work that was completed before had its gate pass, and a hook overturned that."""
    overturned = task.status is Status.COMPLETED
    kept = task.error_code if task.status is Status.REVIEW else None
    code = str(FailureCode.VERIFICATION_INCORRECT) if overturned else kept
    return _completed(task, event) | {"error_code": code}


def _hooks_of(event: Event) -> str | None:
    return compact(event.data["hooks"]) if event.data.get("hooks") else None


def _failed(task: Task, event: Event) -> dict[str, Any]:
    return _at_rest() | {
        "failures": task.failures + 1,
        "final": int(event.data.get("final", False)),
        "not_before": event.data.get("not_before"),
        "error_code": event.data.get("error_code"),
        "error": event.data.get("error"),
        "fingerprint": event.data.get("fingerprint"),
        "same_error": _in_a_row(task, event),
        "hooks_due": _hooks_of(event),
        "ended_at": event.at,
    }


def _in_a_row(task: Task, event: Event) -> int:
    """How often the same error has now ended the task, one after the other."""
    same = task.fingerprint is not None and task.fingerprint == event.data.get("fingerprint")
    return task.same_error + 1 if same else 1


def _expired(task: Task, event: Event) -> dict[str, Any]:
    return _at_rest() | {
        "failures": task.failures + 1,
        "error_code": event.data.get("error_code"),
        "error": event.data.get("error"),
    }


def _asked(_task: Task, event: Event) -> dict[str, Any]:
    return _at_rest() | {"summary": event.data.get("summary")}


def _reopened(_task: Task, _event: Event) -> dict[str, Any]:
    return {"failures": 0, "final": 0, "not_before": None, "ended_at": None}


def _rested(_task: Task, _event: Event) -> dict[str, Any]:
    return _at_rest()


def _closed(_task: Task, event: Event) -> dict[str, Any]:
    rest = {"error": event.data.get("reason"), "hooks_due": None, "ended_at": event.at}
    return _at_rest() | rest


def _replaced(task: Task, event: Event) -> dict[str, Any]:
    return _closed(task, event) | {"replaced_by": compact(list(event.data["by"]))}


#: The fields of a task, its status apart, that an event changes.
TASK_CHANGES: Mapping[EventType, Callable[[Task, Event], dict[str, Any]]] = {
    EventType.TASK_STARTED: _started,
    EventType.TASK_COMPLETED: _completed,
    EventType.GATE_FAILED: _sent_back,
    EventType.TASK_FAILED: _failed,
    EventType.ATTEMPT_EXPIRED: _expired,
    EventType.TASK_ASKED: _asked,
    EventType.TASK_ANSWERED: _rested,
    EventType.TASK_RELEASED: _rested,
    EventType.TASK_REOPENED: _reopened,
    EventType.TASK_CANCELLED: _closed,
    EventType.TASK_NOT_APPLICABLE: _closed,
    EventType.TASK_REPLACED: _replaced,
}
assert set(TASK_CHANGES) == set(MOVES)
assert {*COUNTERS} >= {str(status) for status in Status}
