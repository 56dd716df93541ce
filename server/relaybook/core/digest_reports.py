"""What workers report beside their results: failed tests, findings, questions, blockers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from relaybook.core.digest_account import named
from relaybook.core.digest_parts import Part
from relaybook.core.envelope import Envelope
from relaybook.core.evidence import gather
from relaybook.core.merge import reach
from relaybook.core.names import Names
from relaybook.core.task_outcome import TaskOutcome
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

Reported = Mapping[str, tuple[str, ...]]


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
    tests = {name: said["status"] for name, said in records.tests.items()}
    proven = {said["criterion"]: said["proven"] for said in records.criteria.values()}
    said: dict[str, list[str]] = {"findings": [each["text"] for each in records.findings]}
    if result is not None:
        tests = _tests(result) | tests
        proven = _proven(result.data) | proven
        said["findings"] += [str(each.get("text", "")) for each in result.findings]
        said["questions"] = list(result.questions)
        said["blockers"] = _texts(result.data, "blockers")
        said["errors"] = [str(result.error.get("message", ""))] if result.error else []
    said["failed_tests"] = [name for name, word in tests.items() if word in _FAILED]
    said["unproven"] = [text for text, holds in proven.items() if holds is False]
    return {kind: tuple(dict.fromkeys(said[kind])) for kind in KINDS if said.get(kind)}


def _tests(result: Envelope) -> dict[str, str]:
    entries = [*_entries(result.data, "tests"), *result.tests]
    return {
        str(each.get("name", "")): each["status"].strip().lower()
        for each in entries
        if isinstance(each.get("status"), str)
    }


def _proven(data: Any) -> dict[str, bool]:
    entries = [*_entries(data, "evidence"), *_entries(data, "criteria")]
    return {str(each.get("criterion", "")): each["proven"] for each in entries if "proven" in each}


def _texts(data: Any, name: str) -> list[str]:
    members = [value for value, _ in reach(data, (name,)) or []]
    texts = [each.get("text") if isinstance(each, dict) else each for each in members]
    return [text for text in texts if isinstance(text, str) and text.strip()]


def _entries(data: Any, name: str) -> list[dict[str, Any]]:
    return [value for value, _ in reach(data, (name,)) or [] if isinstance(value, dict)]
