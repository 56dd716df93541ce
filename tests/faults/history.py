"""What clients saw and what the ledger holds in the end: the two things a checker compares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Ended(StrEnum):
    """How a call ended for the one who made it."""

    #: It was answered: what it says is done.
    OK = "ok"
    #: It was refused: it did nothing.
    REFUSED = "refused"
    #: No answer came, or one that says that the outcome is unknown.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of one client. Times are of one clock, in seconds."""

    client: str
    tool: str
    began: float
    ended: float
    how: Ended
    #: Of the workflow and the task that it is about, as far as its caller knows.
    workflow_id: str = ""
    task_id: str = ""
    claim: str = ""
    request_id: str = ""
    #: What a completion hands in: another one for each.
    token: str = ""
    #: Its arguments named `completed`, so that a success is an accepted result.
    completes: bool = False
    answer: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One event of the ledger."""

    seq: int
    type: str
    task_id: str | None = None
    claim: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A workflow as the ledger holds it in the end."""

    seq: int
    request_id: str = ""
    events: Sequence[Recorded]
    #: By task the tasks that it waits for.
    needs: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    #: By task the token of the result on record.
    results: Mapping[str, str] = field(default_factory=dict[str, str])
    #: By claim how its attempt ended; None while it is open.
    attempts: Mapping[str, str | None] = field(default_factory=dict[str, str | None])


#: By id.
Ledger = Mapping[str, Kept]
