"""A workflow as a document: its events and the texts that they name. Pure.

Rows are not part of it: they follow from the events, where it is read as where it was written.
The digest tells a document that was changed by hand or cut short.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.core.task.case import Case, evolve, opened
from relaybook.core.task.effects import MOVES
from relaybook.core.text import canonical, is_json, text_hash
from relaybook.errors import InvalidExport
from relaybook.model import Event, EventType, Status

FORMAT, VERSION = "relaybook workflow", 1
_ID = re.compile(r"wf_[0-9a-z]{1,64}")
_MEMBERS = ("seq", "type", "task_id", "actor", "at", "data")
_TYPES = {str(kind): kind for kind in EventType}


@dataclass(frozen=True, slots=True)
class Exported:
    """What a document holds, and the case that its events lead to."""

    events: Sequence[Event]
    #: By the hash that events name.
    texts: Mapping[str, str]
    case: Case


def document(events: Iterable[Event], texts: Mapping[str, str], writer: str) -> dict[str, Any]:
    """The document of the workflow that has exactly these events; `writer` is a version of ours."""
    lines = [{name: getattr(event, name) for name in _MEMBERS} | {"type": str(event.type)}
             for event in events]  # fmt: skip
    content = {
        "workflow_id": next(iter(events)).workflow_id,
        "events": lines,
        "texts": dict(sorted(texts.items())),
    }
    return {
        "format": FORMAT,
        "version": VERSION,
        "written_by": writer,
        "digest": text_hash(canonical(content)),
        **content,
    }


def read_document(said: Mapping[str, Any]) -> Exported:
    """The workflow in a document.

    Raises:
        InvalidExport: it is none, or it is not as it was written.
    """
    if said.get("format") != FORMAT or not is_json(said):
        raise _invalid("This is no export of a workflow.")
    if said.get("version") != VERSION:
        raise _invalid(f"This export has version {said.get('version')!r}, not {VERSION}.")
    content = {name: said.get(name) for name in ("workflow_id", "events", "texts")}
    if said.get("digest") != text_hash(canonical(content)):
        raise _invalid("The export was changed or cut short after it was written.")
    if not _ID.fullmatch(str(said.get("workflow_id"))):
        raise _invalid("Its workflow_id is no id of a workflow.")
    try:
        events = [_event(str(said["workflow_id"]), line) for line in said["events"]]
        _check_order(events)
        case = evolve(opened(events[0]), events[1:])
        _check_rows(case)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise _invalid("Its events cannot have happened in this order.") from error
    return Exported(events, {str(name): str(body) for name, body in said["texts"].items()}, case)


def _event(workflow_id: str, line: Mapping[str, Any]) -> Event:
    kind = _TYPES.get(line["type"])
    if kind is None:
        raise _invalid(f"This relaybook knows no event {line['type']!r}.")
    rest = {name: line[name] for name in _MEMBERS if name != "type"}
    return Event(workflow_id=workflow_id, type=kind, **rest)


def _check_order(events: Sequence[Event]) -> None:
    """Raises ValueError where an event finds its task in a state that it cannot follow."""
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        raise ValueError("a number is missing")
    states: dict[str | None, Status] = {}
    for event in events:
        if event.type is EventType.TASK_ADDED:
            states[event.task_id] = Status.PENDING
        elif event.type in MOVES:
            sources, target = MOVES[event.type]
            if states[event.task_id] not in sources:
                raise ValueError(f"event {event.seq} follows {states[event.task_id]}")
            states[event.task_id] = target


def _check_rows(case: Case) -> None:
    """Raises ValueError where a row could not have come of events that happened."""
    if any(isinstance(value, list | dict) for row in case.attempts.values() for value in row):
        raise ValueError("an attempt holds what is no text and no number")
    for task in case.tasks.values():
        if (task.claim is not None) != (task.status is Status.IN_PROGRESS):
            raise ValueError(f"task {task.id!r} has no claim, or one too many")


def _invalid(message: str) -> InvalidExport:
    return InvalidExport(
        message,
        allowed=f"what relaybook export --format json wrote, version {VERSION}",
        next="export the workflow again, with a relaybook no newer than this one",
    )
