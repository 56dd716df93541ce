"""What callers ask of a task, of a stage and of a decision: the longer arguments of the verbs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relaybook.core.task.command import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a caller says of one task."""

    status: str
    workflow_id: str = ""
    task_id: str = ""
    claim: str | None = None
    session_key: str | None = None
    #: The worker's message, word for word.
    output: str = ""
    error: str = ""
    error_code: str = ""
    final: bool = False
    accept_raw: bool = False
    lease_seconds: float | None = None
    #: Why the task starts although its prompt has errors.
    override: str = ""
    actor: str = "orchestrator"
    #: What is to be recorded with an end, beside what the output carries.
    notes: Sequence["Fact"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the user decided."""

    workflow_id: str
    decision: str
    task_id: str = ""
    #: The id of a lesson, for the decisions about one.
    lesson: str = ""
    answers: tuple[str, ...] = ()
    reason: str = ""
    actor: str = "orchestrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport:
    """How a stage ended, and which of its hooks were run."""

    workflow_id: str
    #: Place of the stage, from 0.
    stage: int | None = None
    #: completed or failed; empty reports no end.
    outcome: str = ""
    #: The worker's message, word for word, where a worker did it.
    output: str = ""
    #: Paths, or {path, hash?, type?, description?}.
    artifacts: Sequence[Any] = ()
    #: {name, status, evidence?, proves?}.
    tests: Sequence[Any] = ()
    #: {name, value, unit?}, or an object of names and values.
    metrics: Any = ()
    #: Texts, or {text, severity?, evidence?, target?, confidence?}.
    findings: Sequence[Any] = ()
    #: {criterion, proven?, evidence?}.
    criteria: Sequence[Any] = ()
    #: What was done, or why it failed.
    reason: str = ""
    error_code: str = ""
    #: Names, or {hook, output} with the message of whoever judged.
    hooks_run: Sequence[Any] = ()
    session_key: str | None = None
    actor: str = "orchestrator"

    @property
    def has_evidence(self) -> bool:
        return any((self.artifacts, self.tests, self.metrics, self.findings, self.criteria))
