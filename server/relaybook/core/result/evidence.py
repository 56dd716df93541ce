"""What is recorded of a stage, gathered from its events for the OUTPUT gate to judge.

A worker's result is the first source: what its data holds under the names that the templates
use is recorded as if it had been reported apart. A criterion is shown to be met by a record of
its own, or by a passing test that names it; the goal, where it stands for criteria that nobody
gave, by any passing test.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relaybook.core.result.envelope import Envelope
from relaybook.core.result.gates import (
    PASSED,
    ActionTaken,
    Criterion,
    Evidence,
    RecordedTest,
)
from relaybook.core.result.record import CARRIED_LIMIT, read_record
from relaybook.core.task.command import Fact
from relaybook.errors import InvalidArguments, clip
from relaybook.model import Event, EventType, Tier

#: The words of templates for the outcome of a test.
TEST_WORDS: Mapping[str, str] = {
    "pass": "passed",
    "fail": "failed",
    "skip": "skipped",
    "not_run": "error",
}
#: The longest criterion.
CRITERION_LIMIT = 500
#: Longer texts of a result are cut for a record; in the result they stay whole.
TEXT_SHOWN = 1_000


@dataclass(slots=True)
class Records:
    """What the events of a stage say, the last word on each thing."""

    artifacts: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    tests: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    #: By their text without case and spacing.
    criteria: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    metrics: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    findings: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    followups: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])

    def add(self, kind: EventType, data: Mapping[str, Any]) -> None:
        match kind:
            case EventType.ARTIFACT_ADDED:
                self.artifacts[data["path"]] = data
            case EventType.TEST_RECORDED if "criterion" in data:
                self.criteria[_key(data["criterion"])] = data
            case EventType.TEST_RECORDED:
                self.tests[data["name"]] = data
            case EventType.METRIC_RECORDED:
                self.metrics[data["name"]] = data
            case EventType.FINDING_ADDED:
                self.findings.append(data)
            case EventType.FOLLOWUP_ADDED:
                self.followups.append(data)
            case _:
                pass


def gather(events: Iterable[Event], notes: Iterable[Fact] = ()) -> Records:
    """The records in `events`, and those about to be made after them."""
    records = Records()
    for event in events:
        records.add(event.type, event.data)
    for kind, data in notes:
        records.add(kind, data)
    return records


def of_attempt(events: Sequence[Event]) -> Sequence[Event]:
    """The events since the last start: earlier attempts prove nothing of this one."""
    starts = [n for n, event in enumerate(events) if event.type is EventType.TASK_STARTED]
    return events[starts[-1] :] if starts else events


def parent_decision(events: Iterable[Event]) -> tuple[str, str] | None:
    """What became of the parent's actions in the attempt that `events` are of, and the reason.

    `confirmed`, or `declined`, be it by the waiver of all that held the work in review. None
    while nobody has decided.
    """
    found: tuple[str, str] | None = None
    for event in events:
        if "confirmed" in event.data:
            return "confirmed", str(event.data["confirmed"])
        if event.type is EventType.TASK_COMPLETED:
            reason = event.data.get("declined", event.data.get("waived"))
            found = found if reason is None else ("declined", str(reason))
    return found


def evidence(
    records: Records,
    *,
    goal: str,
    done: Sequence[str],
    writes: Sequence[str] = (),
    result: Envelope | None = None,
) -> Evidence:
    """The evidence for completed work."""
    tests = tuple(
        RecordedTest(data["name"], data["status"], data.get("evidence", ""))
        for data in records.tests.values()
    )
    return Evidence(
        artifacts=tuple(records.artifacts),
        tests=tests,
        metrics={name: data["value"] for name, data in records.metrics.items()},
        criteria=tuple(
            _criterion(records, text, by_any_test=text == goal_criterion(goal)) for text in done
        ),
        texts=_texts(result),
        writes=tuple(writes),
        actions_taken=_actions(result),
    )


def goal_criterion(goal: str) -> str:
    """The goal of a stage as its criterion, where nobody gave one."""
    return clip(goal, CRITERION_LIMIT)


def _criterion(records: Records, text: str, *, by_any_test: bool) -> Criterion:
    said = records.criteria.get(_key(text))
    if said is not None:
        return Criterion(text, bool(said["proven"]), str(said.get("evidence", "")))
    proving = [
        data["name"]
        for data in records.tests.values()
        if data["status"] in PASSED and (by_any_test or _key(data.get("proves", "")) == _key(text))
    ]
    shown = f"tests passed: {', '.join(proving[:5])}" if proving else ""
    return Criterion(text, bool(proving), shown)


def _key(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")


def _texts(result: Envelope | None) -> dict[str, str]:
    if result is None:
        return {}
    data: Mapping[str, Any] = result.data if isinstance(result.data, Mapping) else {}
    said = {name: value for name, value in data.items() if isinstance(value, str)}
    return {"summary": result.summary, **said}


def _actions(result: Envelope | None) -> tuple[ActionTaken, ...]:
    taken = result.actions_taken if result is not None else ()
    return tuple(
        ActionTaken(str(each.get("action", "")), Tier(each["tier"]))
        for each in taken
        if each.get("tier") in list(Tier)
    )


def notes_of_result(result: Envelope) -> list[Fact]:
    """What the data of a result says under the names that the templates use, as records.

    What has not the form of a record is left out; it stays readable in the result itself.
    """
    if not isinstance(result.data, Mapping):
        return []
    notes = [
        note
        for member, read in _MEMBERS.items()
        for entry in _listed(result.data.get(member))
        if (note := _read(*read(entry))) is not None
    ]
    claims = [_claim(entry) for entry in result.evidence[:CARRIED_LIMIT]]
    return notes + [note for kind, said in claims if (note := _read(kind, said)) is not None]


def _read(kind: str, said: Mapping[str, Any]) -> Fact | None:
    try:
        return read_record(kind, said)
    except InvalidArguments:
        return None


def _listed(value: Any) -> list[Any]:
    return list(value[:CARRIED_LIMIT]) if isinstance(value, list) else []


def _members(entry: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """The members of `entry` that a record has, under the names of the record."""
    if not isinstance(entry, Mapping):
        return {}
    return {
        to: clip(value, TEXT_SHOWN) if isinstance(value := entry[name], str) else value
        for name, to in names.items()
        if entry.get(name) not in (None, "")
    }


def _file(entry: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, str):
        return "artifact", {"path": entry}
    names = {name: name for name in ("path", "hash", "type", "description")}
    return "artifact", _members(entry, {**names, "change": "description"})


def _test(entry: Any) -> tuple[str, dict[str, Any]]:
    names = ("name", "status", "evidence", "proves")
    said = _members(entry, {name: name for name in names})
    return "test", said | {"status": TEST_WORDS.get(said.get("status", ""), said.get("status"))}


def _metric(entry: Any) -> tuple[str, dict[str, Any]]:
    return "metric", _members(entry, {name: name for name in ("name", "value", "unit")})


def _finding(entry: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, str):
        return "finding", {"text": entry}
    names = ("text", "severity", "evidence", "target", "confidence")
    return "finding", _members(entry, {name: name for name in names})


def _criterion_said(entry: Any) -> tuple[str, dict[str, Any]]:
    names = {name: name for name in ("criterion", "evidence", "proven")}
    said = _members(entry, {**names, "text": "criterion"})
    if isinstance(entry, Mapping) and "verdict" in entry:
        said["proven"] = entry["verdict"] == "proven"
    return "criterion", said


def _claim(entry: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A claim with its source proves the criterion that has the same words."""
    said = _members(entry, {"claim": "criterion", "source": "evidence"})
    return "criterion", said | {"proven": "evidence" in said}


#: Members of a result's data, and the record that an entry of each means.
_MEMBERS = {
    "files": _file,
    "tests": _test,
    "metrics": _metric,
    "findings": _finding,
    "criteria": _criterion_said,
}


def digest(records: Records, *, goal: str, summary: str, limit: int = 6_000) -> str:
    """A stage's record as text, for a judge to read."""
    said: dict[str, Any] = {
        "goal": goal,
        "summary": summary,
        "artifacts": list(records.artifacts.values()),
        "tests": list(records.tests.values()),
        "criteria": list(records.criteria.values()),
        "metrics": list(records.metrics.values()),
        "findings": records.findings,
    }
    shown = {name: value for name, value in said.items() if value}
    return clip(json.dumps(shown, ensure_ascii=False, indent=1), limit)
