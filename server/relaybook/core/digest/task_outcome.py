"""What one task came to, as the synthesis sees it, and the gap that it leaves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from relaybook.core.merge.plan import MergePlan
from relaybook.model import Status, Tier


class Gap(StrEnum):
    """Why a task adds nothing, or less than it should."""

    FAILED = "failed"
    NOT_STARTED = "not_started"
    #: It was started before, came to nothing, and may be started again.
    TO_BE_TRIED_AGAIN = "to_be_tried_again"
    RUNNING = "running"
    #: Nothing was heard of its session for longer than was agreed.
    UNKNOWN = "unknown"
    ASKING = "asking"
    IN_REVIEW = "in_review"
    CANCELLED = "cancelled"
    #: It completed and names itself what it left out.
    PARTIAL = "partial"


_GAPS = {
    Status.FAILED: Gap.FAILED,
    Status.PENDING: Gap.NOT_STARTED,
    Status.IN_PROGRESS: Gap.RUNNING,
    Status.INPUT_REQUIRED: Gap.ASKING,
    Status.REVIEW: Gap.IN_REVIEW,
    Status.CANCELLED: Gap.CANCELLED,
}
#: The reason where none is recorded.
_REASONS = {
    Gap.FAILED: "no reason recorded",
    Gap.NOT_STARTED: "not started",
    Gap.RUNNING: "no result yet",
    Gap.UNKNOWN: "no sign of life since its lease ran out; its session may be lost",
    Gap.ASKING: "waits for an answer",
    Gap.IN_REVIEW: "its output gate failed",
    Gap.CANCELLED: "no reason recorded",
}
_WORKER_TIERS = frozenset({Tier.T1, Tier.T2})


def beyond_workers(actions: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of proposed actions those of tier T3, T4, or of no stated tier."""
    return [each for each in actions if str(each.get("tier", "")).upper() not in _WORKER_TIERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutcome:
    """One task of a workflow; a task that was replaced by another is left out by the caller."""

    task_id: str
    label: str
    status: Status
    #: Place in the plan, and so in every answer.
    position: int
    #: Minutes from its start to the end of the longest chain that waits for it: more than that of
    #: any task after it.
    chain: float = 0.0
    summary: str = ""
    #: low, medium or high, or a number from 0 to 1, as the worker said.
    confidence: str | float | None = None
    #: What the scan of its output found.
    flags: tuple[str, ...] = ()
    #: The data of its result, parsed; None if it has none.
    data: Any = None
    #: How results of its kind merge; None if its output schema does not say.
    merge: MergePlan | None = None
    #: Objects {action, target, tier, why}, as the worker proposes them.
    proposed_actions: tuple[Mapping[str, Any], ...] = ()
    #: Objects {action, tier}, as the plan leaves them to the parent once the task is completed.
    planned_actions: tuple[Mapping[str, Any], ...] = ()
    #: What it was given of earlier results: `task` or `task.field`.
    took: tuple[str, ...] = ()
    #: Of a map-reduce: the ids of its items.
    items: tuple[str, ...] = ()
    #: Of a panel: the criteria that it was asked to score, where it was given some.
    criteria: tuple[str, ...] = ()
    #: How much each criterion decides, where the plan says so.
    weights: Mapping[str, float] = field(default_factory=dict[str, float])
    #: Of a panel: the options that it was asked to rank, where it was given some.
    options: tuple[str, ...] = ()
    #: How often it was started, and the error of the last failure.
    attempts: int = 0
    error_code: str | None = None
    error: str | None = None
    #: The task that completed in handling its failure.
    handled_by: str | None = None
    questions: tuple[str, ...] = ()
    #: What a completed result says, or shows, that it left out.
    gaps: tuple[str, ...] = ()
    #: What it reports beside its result, by kind.
    reported: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    #: Where its whole result can be read.
    link: str | None = None
    #: Length of its result.
    words: int = 0
    #: Its expert role or domain, in a panel.
    role: str = ""
    #: Whether nothing was heard of its session for longer than was agreed.
    lost: bool = False

    @property
    def completed(self) -> bool:
        return self.status is Status.COMPLETED

    @property
    def unsure(self) -> bool:
        """Completed with a low confidence, by word or below a half."""
        stated = self.confidence
        return self.completed and (stated < 0.5 if isinstance(stated, float) else stated == "low")

    @property
    def name(self) -> str:
        """What a panel calls it."""
        return self.role or self.label or self.task_id

    @property
    def gap(self) -> Gap | None:
        if self.lost and self.status is Status.IN_PROGRESS:
            return Gap.UNKNOWN
        if self.completed and self.gaps:
            return Gap.PARTIAL
        if self.attempts and self.status is Status.PENDING:
            return Gap.TO_BE_TRIED_AGAIN
        return _GAPS.get(self.status)

    @property
    def reason(self) -> str:
        """Why it left a gap."""
        gap = self.gap
        if gap is Gap.PARTIAL:
            return "; ".join(self.gaps)
        if gap is Gap.TO_BE_TRIED_AGAIN:
            last = f"; its last error: {self.error}" if self.error else ""
            return f"{self.attempts} attempt(s) without a result, to be tried again{last}"
        told = self.error if gap in {Gap.FAILED, Gap.CANCELLED, Gap.IN_REVIEW} else None
        return told or (_REASONS[gap] if gap else "")

    @property
    def parent_actions(self) -> list[Mapping[str, Any]]:
        """The actions that no worker may take and nobody has decided on, each with its source."""
        if not (self.completed or self.status is Status.REVIEW):
            return []
        proposed = [{"from": "worker", **each} for each in beyond_workers(self.proposed_actions)]
        return [*({"from": "plan", **action} for action in self.planned_actions), *proposed]

    @property
    def gave(self) -> list[str]:
        """The members of its data, or nothing where it has none."""
        return list(self.data) if isinstance(self.data, dict) else []


def stated_confidence(data: Any) -> float | None:
    """The member `confidence` of a result's data, if it is a number from 0 to 1."""
    said = data.get("confidence") if isinstance(data, dict) else None
    if isinstance(said, int | float) and not isinstance(said, bool) and 0 <= said <= 1:
        return float(said)
    return None
