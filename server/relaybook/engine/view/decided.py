"""What was decided about a workflow on the way, read from its events a page at a time."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from relaybook.core.digest.decisions import CONFIRM, DECLINE, WAIVE, RecordedDecision
from relaybook.engine.verdict import INTAKE, OUTPUT, PARENT_ACTION
from relaybook.engine.view.stage_ids import has_stages
from relaybook.errors import clip
from relaybook.model import Event, EventType, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_decisions

#: Events read at a time.
PAGE = 50
#: How many questions and answers of a task are told, and how much of a text.
ANSWERS_SHOWN, TEXT_SHOWN = 3, 160


#: What events call the decisions on a deed of the parent.
_OF_PARENT = {"confirmed": CONFIRM, "declined": DECLINE}


@dataclass(slots=True)
class _Open:
    """What waits for a decision, by task: its last questions, what its gate held against it."""

    questions: dict[str | None, str] = field(default_factory=dict[str | None, str])
    items: dict[str | None, list[Any]] = field(default_factory=dict[str | None, list[Any]])


_Reader = Callable[[Event, _Open], RecordedDecision | None]


class RecordedDecisions:
    """The decisions of a workflow in the order in which they were taken."""

    def __init__(self, tx: Tx, workflow: Workflow, has_deeds: Callable[[], bool]) -> None:
        """`has_deeds` is asked when the decisions are read: whether a task leaves any to the parent."""
        self._tx = tx
        self._workflow = workflow
        self._has_deeds = has_deeds

    def __iter__(self) -> Iterator[RecordedDecision]:
        gated = self._has_deeds() or has_stages(self._tx, self._workflow)
        readers = {**_READERS, **_OF_GATES} if gated else _READERS
        known, last = _Open(), 0
        while events := read_decisions(self._tx, self._workflow.id, tuple(readers), last, PAGE):
            for event in events:
                if (found := readers[event.type](event, known)) is not None:
                    yield found
            last = events[-1].seq


def _recorded(event: Event, _: _Open) -> RecordedDecision:
    said = event.data
    if said.get("gate") == INTAKE:
        about = {"gate": INTAKE, "rules": said["findings"]}
        return RecordedDecision(
            decision=WAIVE, reason=said["waived"], task_id=event.task_id, about=about
        )
    return RecordedDecision(
        decision=said["decision"],
        reason=said.get("reason", ""),
        instruction=said.get("instruction", ""),
        task_id=said.get("next_task") or event.task_id,
        about={"reviewed": said["reviewed"]} if "reviewed" in said else {},
        saw={name: said[name] for name in ("satisfied", "looping", "progressing") if name in said},
    )


def _asked(event: Event, known: _Open) -> None:
    known.questions[event.task_id] = event.data["questions"]


def _answered(event: Event, known: _Open) -> RecordedDecision:
    asked = known.questions.pop(event.task_id, "[]")
    about = {"questions": _shown(asked), "answers": _shown(event.data["answer"])}
    return RecordedDecision(decision="answer", task_id=event.task_id, about=about)


def _shown(texts: str) -> list[str]:
    return [clip(text, TEXT_SHOWN) for text in json.loads(texts)[:ANSWERS_SHOWN]]


def _replaced(event: Event, _: _Open) -> RecordedDecision:
    by = event.data["by"]
    return RecordedDecision(
        decision="replaced" if by else "dropped",
        reason=event.data["reason"],
        task_id=event.task_id,
        about={"by": by} if by else {},
    )


def _started(event: Event, _: _Open) -> RecordedDecision | None:
    said = event.data
    if "override" not in said:
        return None
    about = {"gate": INTAKE, "rules": said["findings"]}
    return RecordedDecision(
        decision=WAIVE, reason=said["override"], task_id=event.task_id, about=about
    )


def _judged(event: Event, known: _Open) -> RecordedDecision | None:
    """The gate waived, or a deed of the parent confirmed, whether the task then passed or not."""
    said, held = event.data, known.items.pop(event.task_id, [])
    if event.type is EventType.GATE_FAILED:
        known.items[event.task_id] = said["items"]
    if "waived" in said:
        about = {"gate": OUTPUT} | _held(held)
        return RecordedDecision(
            decision=WAIVE, reason=said["waived"], task_id=event.task_id, about=about
        )
    for word, decision in _OF_PARENT.items():
        if word in said:
            about = _held([item for item in held if item["rule"] == PARENT_ACTION])
            about["by"] = event.actor
            return RecordedDecision(
                decision=decision, reason=said[word], task_id=event.task_id, about=about
            )
    return None


def _held(items: list[Any]) -> dict[str, Any]:
    what = clip("; ".join(item["what"] for item in items), TEXT_SHOWN)
    return {"rules": [item["rule"] for item in items], "what": what}


def _settled(event: Event, _: _Open) -> RecordedDecision | None:
    said = event.data
    if "waived" not in said:
        return None
    about = {"hooks": said["hooks"]}
    return RecordedDecision(
        decision=WAIVE, reason=said["waived"], task_id=event.task_id, about=about
    )


_READERS: Mapping[EventType, _Reader] = {
    EventType.REVIEW_RECORDED: _recorded,
    EventType.DECISION_RECORDED: _recorded,
    EventType.TASK_ASKED: _asked,
    EventType.TASK_ANSWERED: _answered,
    EventType.TASK_REPLACED: _replaced,
}
#: Where there are gates and hooks.
_OF_GATES: Mapping[EventType, _Reader] = {
    EventType.TASK_STARTED: _started,
    EventType.GATE_FAILED: _judged,
    EventType.TASK_COMPLETED: _judged,
    EventType.HOOKS_SETTLED: _settled,
}
