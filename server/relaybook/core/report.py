"""What a report of a workflow says, whatever it is printed as. Pure values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at a task; times are epoch seconds."""

    number: int
    outcome: str
    started_at: float
    #: None while it is in progress.
    ended_at: float | None
    session: str
    error: str


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task, with what came of it."""

    id: str
    label: str
    #: Its icon and its word.
    status: str
    needs: Sequence[str]
    expected_minutes: float
    runs: Sequence[Run]
    summary: str
    #: JSON of the result's data; empty without one.
    result: str


@dataclass(frozen=True, slots=True)
class Report:
    """One workflow at one moment."""

    title: str
    facts: Mapping[str, str]
    #: The digest in one sentence, and what a synthesis of it must say.
    sentence: str
    mention: Sequence[str]
    tasks: Sequence[TaskLine]
    #: When the first attempt began and the last one ended; equal where nothing ran.
    span: tuple[float, float]
    #: Mermaid.
    graph: str


def minutes(run: Run, now: float) -> str:
    """How long a run took, or takes until `now`."""
    seconds = (run.ended_at if run.ended_at is not None else now) - run.started_at
    return f"{seconds / 60:.1f} min"
