"""What workers report beside their results: failed tests, findings, questions, blockers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from relaybook.core.digest.account import named
from relaybook.core.digest.parts import Part
from relaybook.core.digest.task_outcome import TaskOutcome
from relaybook.core.names import Names
from relaybook.core.result.envelope import Envelope
from relaybook.core.result.evidence import gather
from relaybook.model import Event

#: What may be reported, and its words in a sentence.
KINDS = {
    "failed_tests": "failed tests",
    "unproven": "criteria not proven",
    "blockers": "blockers",
    "errors": "errors",
    "findings": "findings",
    "questions": "questions",
}
#: The words of a test that did not pass and was not skipped.
_FAILED = frozenset({"fail", "failed", "error"})
#: Bytes for the names of tasks in the sentence.
_ROOM = 90


class Reports(Part):
    """How much of each kind is reported, and by which tasks."""

    name = "reports"

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._tasks = Names()

    def add(self, outcome: TaskOutcome) -> None:
        if outcome.reported:
            self._counts.update({kind: len(said) for kind, said in outcome.reported.items()})
            self._tasks.add(outcome.task_id, outcome.position)

    def mention(self) -> Iterator[str]:
        if self._tasks.count:
            told = (f"{words} {self._counts[kind]}" for kind, words in KINDS.items())
            found = [text for kind, text in zip(KINDS, told, strict=True) if self._counts[kind]]
            yield f"Reported by workers: {', '.join(found)} (by {named(self._tasks, _ROOM)})."


def reported(result: Envelope | None, events: Iterable[Event]) -> dict[str, tuple[str, ...]]:
    """What a task reports by kind: in its result, and in the `events` of its last attempt.

    A test or criterion counts by what is said of it last, a finding once.
    """
    records = gather(events)
    said: dict[str, list[str]] = {"findings": [each["text"] for each in records.findings]}
    tests: list[Mapping[str, Any]] = [*records.tests.values()]
    criteria: list[Mapping[str, Any]] = [*records.criteria.values()]
    if result is not None:
        data: Mapping[str, Any] = result.data if isinstance(result.data, dict) else {}
        tests = [*_objects(data.get("tests")), *result.tests, *tests]
        criteria = [*_objects(data.get("evidence")), *_objects(data.get("criteria")), *criteria]
        said["findings"] += [str(each.get("text", "")) for each in result.findings]
        said["questions"] = list(result.questions)
        said["blockers"] = _texts(data.get("blockers"))
        said["errors"] = [str(result.error.get("message", ""))] if result.error else []
    words = {str(each.get("name", "")): str(each.get("status", "")).lower() for each in tests}
    proven = {str(each.get("criterion", "")): each.get("proven") for each in criteria}
    said["failed_tests"] = [name for name, word in words.items() if word in _FAILED]
    said["unproven"] = [text for text, holds in proven.items() if holds is False]
    return {kind: tuple(dict.fromkeys(said[kind])) for kind in KINDS if said.get(kind)}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    """The texts of a list, whose members may be objects that hold them under `text`."""
    members = value if isinstance(value, list) else []
    texts = [each.get("text") if isinstance(each, dict) else each for each in members]
    return [text for text in texts if isinstance(text, str) and text.strip()]
