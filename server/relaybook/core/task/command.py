"""What a caller may want done to a case, and what comes of it. Values only; `machine.decide` judges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relaybook.model import Decision, EventType

#: One fact to record: the type of its event, and its data.
Fact = tuple[EventType, Mapping[str, Any]]
#: One event to be: its type, its task, its data.
Change = tuple[EventType, str | None, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something wanted, by whom and when (epoch seconds)."""

    at: float
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Command):
    """Begin an attempt at a task, under a fresh claim."""

    task_id: str
    claim: str
    lease_seconds: float
    session_key: str | None = None
    #: Hash of the prompt that the worker is given.
    prompt: str | None = None
    #: Why it starts although its prompt breaks these rules.
    override: str = ""
    overrides: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish(Command):
    """End the attempt that `claim` names, or the one in progress if it names none."""

    task_id: str
    claim: str | None = None
    #: Of whoever reports the end; without a claim it must not differ from that of the attempt.
    session_key: str | None = None
    #: Hash of what the worker sent, word for word; tells a repeat from another answer.
    output: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(Finish):
    #: Hash of the result envelope.
    result: str
    summary: str
    #: What the result carries besides its data.
    notes: Sequence[Fact] = ()
    #: What the OUTPUT gate of a stage holds against it; any sends it to review.
    objections: Sequence[Mapping[str, str]] = ()
    #: The hooks of a stage that hold the tasks after it.
    hooks: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconsider(Command):
    """Judge a task in review again, by what was recorded since or by a decision."""

    task_id: str
    #: Of a result that takes the place of the one in review; None leaves that.
    result: str | None = None
    summary: str | None = None
    notes: Sequence[Fact] = ()
    objections: Sequence[Mapping[str, str]] = ()
    hooks: Sequence[str] = ()
    #: `waived` or `confirmed`, with its reason, where the parent decided.
    decision: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleHooks(Command):
    """Record that hooks of a stage were run, or waived for a reason."""

    task_id: str
    hooks: Sequence[str]
    notes: Sequence[Fact] = ()
    #: What a hook found against the stage; any takes its completion back.
    objections: Sequence[Mapping[str, str]] = ()
    waived: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(Finish):
    error_code: str
    error: str
    #: The error without what changes from time to time; the same one twice is worth a word.
    fingerprint: str | None = None
    #: The error will not go away by trying again.
    final: bool = False
    #: What is known besides, and the hooks of a stage.
    notes: Sequence[Fact] = ()
    hooks: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFailure(Command):
    """Say why a task failed, in place of what its error text suggested."""

    task_id: str
    error_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Finish):
    #: JSON array of the worker's questions.
    questions: str
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Finish):
    """Give the claim back, with nothing done."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire(Command):
    """End the attempt in progress of a task whose lease has run out."""

    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Command):
    task_id: str
    #: JSON array of the answers, in the order of the questions.
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Command):
    task_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryFailed(Command):
    """Reopen failed tasks with fresh attempts: the one named, or all of them."""

    task_id: str = ""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Command):
    """Decide how a workflow ends."""

    decision: Decision
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(Command):
    """Decide whether the condition of a task holds."""

    task_id: str
    #: The condition that the plan declares for it; empty if none.
    when: str
    holds: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan(Command):
    """Add tasks, and put them in the place of others; with none added, drop the others."""

    #: The `task_added` changes, in plan order.
    added: Sequence[tuple[EventType, str, Mapping[str, Any]]] = ()
    replaces: Sequence[str] = ()
    #: The last of `added` on each way through: what waited for a replaced task waits for these.
    stand_ins: Sequence[str] = ()
    #: Minutes of the chains that the added tasks make longer, by the task each begins with.
    chains: Mapping[str, float] = field(default_factory=dict[str, float])
    reason: str
    #: Refused if the plan changed after this event.
    if_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Command):
    """Record facts: the event each becomes, with its data."""

    #: None for what belongs to the workflow.
    task_id: str | None
    claim: str | None = None
    notes: Sequence[Fact]
