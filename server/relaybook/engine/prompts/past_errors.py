"""Why the attempts at a task before this one did not do, for the prompt of the next."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from relaybook.engine.verdict import PARENT_ACTION
from relaybook.model import Attempt, Event, EventType, FailureCode, Outcome, Task
from relaybook.registry.frame import PastError
from relaybook.store.base import Tx
from relaybook.store.events import read_task_events


def errors_of(tx: Tx, task: Task, attempts: Sequence[Attempt]) -> tuple[PastError, ...]:
    """How each of `attempts` failed, or what was held against what it handed in, in their order."""
    found = past_errors(attempts)
    handed_in = [each.number for each in attempts if each.outcome is Outcome.COMPLETED]
    if not handed_in:
        return found
    events = read_task_events(tx, task.workflow_id, task.id)
    starts = [n for n, event in enumerate(events) if event.type is EventType.TASK_STARTED]
    parts = [events[first:after] for first, after in pairwise([*starts, len(events)])]
    judged = [error for number in handed_in for error in _judged(number, parts[number - 1])]
    return tuple(sorted([*found, *judged], key=lambda error: error.number))


def past_errors(attempts: Sequence[Attempt]) -> tuple[PastError, ...]:
    """How the attempts that did not work ended."""
    return tuple(
        PastError(attempt.number, attempt.error_code or "unknown", attempt.error or "")
        for attempt in attempts
        if attempt.outcome in (Outcome.FAILED, Outcome.EXPIRED)
    )


def _judged(number: int, events: Sequence[Event]) -> Iterator[PastError]:
    """What became in review of an attempt that was handed in; `events` are those since its start."""
    gates = [event.data for event in events if event.type is EventType.GATE_FAILED]
    told = tuple(map(_told, filter(_can_mend, gates[-1]["items"]))) if gates else ()
    failed = [event.data for event in events if event.type is EventType.TASK_FAILED]
    if failed:
        yield PastError(number, failed[-1]["error_code"], failed[-1]["error"], told)
    elif told:
        code = str(FailureCode.VERIFICATION_MISSING)
        yield PastError(number, code, "its output gate failed", told)


def _can_mend(item: Mapping[str, str]) -> bool:
    """Whether a worker can do something about it: what waits for the parent it cannot mend."""
    return item["rule"] != PARENT_ACTION


def _told(item: Mapping[str, str]) -> str:
    return f"{item['what'].rstrip('.')}; {item['fix']}"
