"""What is reported of a stage without a worker's result: read strictly, and put in a result's form."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relaybook.core.result.envelope import Envelope, ResultStatus
from relaybook.core.result.record import read_record
from relaybook.core.task.command import Fact
from relaybook.core.text import MAX_DEPTH, is_json, storable
from relaybook.engine.request import StageReport
from relaybook.engine.tasks.outcome import SUMMARY_LIMIT
from relaybook.errors import InvalidArguments, clip

ENTRIES_LIMIT = 50


def notes_of(report: StageReport) -> list[Fact]:
    """The records that the report means.

    Raises:
        InvalidArguments: an entry has not the form of its kind; nothing was recorded.
    """
    return [note for kind, entries in _entries(report) for note in _read(kind, entries)]


def envelope_of(report: StageReport) -> Envelope:
    """The report as the result that the next stage takes its fields from."""
    data: dict[str, Any] = {"outcome": storable(report.reason)} if report.reason else {}
    for kind, entries in _entries(report):
        if entries:
            data[_MEMBER[kind]] = [dict(note[1]) for note in _read(kind, entries)]
    summary = clip(" ".join(storable(report.reason).split()), SUMMARY_LIMIT)
    return Envelope(status=ResultStatus.OK, data=data, summary=summary)


#: What a result calls the records of a kind.
_MEMBER = {
    "artifact": "files",
    "test": "tests",
    "metric": "metrics",
    "finding": "findings",
    "criterion": "criteria",
}


def _entries(report: StageReport) -> list[tuple[str, Sequence[Any]]]:
    metrics = report.metrics
    if isinstance(metrics, Mapping):
        metrics = [{"name": name, "value": value} for name, value in metrics.items()]
    return [
        ("artifact", report.artifacts),
        ("test", report.tests),
        ("metric", metrics),
        ("finding", report.findings),
        ("criterion", report.criteria),
    ]


def _read(kind: str, entries: Sequence[Any]) -> list[Fact]:
    if len(entries) > ENTRIES_LIMIT:
        raise InvalidArguments(
            f"{len(entries)} entries of kind {kind!r} were sent.",
            allowed=f"at most {ENTRIES_LIMIT}",
            next="send the rest with record, then call again",
        )
    return [read_record(kind, _object(kind, entry)) for entry in entries]


def _object(kind: str, entry: Any) -> Mapping[str, Any]:
    """The entry as an object; some kinds have a short form."""
    if isinstance(entry, str) and kind in _SHORT:
        entry = {_SHORT[kind]: entry}
    if not isinstance(entry, Mapping) or not is_json(entry):
        raise InvalidArguments(
            f"An entry of kind {kind!r} is no object of at most {MAX_DEPTH} levels.",
            next="correct it and call again; nothing was recorded",
        )
    said = {name: storable(v) if isinstance(v, str) else v for name, v in entry.items()}
    return _FILL.get(kind, dict)(said)


_SHORT = {"artifact": "path", "finding": "text"}


def _shown(said: dict[str, Any]) -> dict[str, Any]:
    """A criterion that comes with evidence is proven, unless it says that it is not."""
    return {"proven": bool(said.get("evidence")), **said}


_FILL: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"criterion": _shown}
