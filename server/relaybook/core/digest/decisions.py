"""What a digest tells of the decisions on the way, and of a supervisor's progress."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from relaybook.core.digest.parts import Entries, Part
from relaybook.model import Decision

#: Decisions that let a gate or hooks pass, that a deed of the parent is done, and that it is not.
WAIVE, CONFIRM, DECLINE = "waive", "confirm", "decline"
#: The decision of a review that nothing more is needed.
FINISH = "finish"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecision:
    """What was decided on the way, and what was seen if a result was reviewed first."""

    decision: str
    reason: str = ""
    #: What the next worker was told.
    instruction: str = ""
    task_id: str | None = None
    #: satisfied, looping, progressing: each true or false.
    saw: Mapping[str, bool] = field(default_factory=dict[str, bool])
    #: What it was about: a gate and its rules, hooks, questions with their answers.
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Decisions(Part):
    """The decisions on the way; where there is a supervisor, also the progress that it saw."""

    name = "supervision"

    def __init__(
        self, decisions: Iterable[RecordedDecision], *, supervised: bool, lessons: int = 0
    ) -> None:
        """`decisions` are gone through once, by `entries`, which comes before the other views."""
        self._decisions = decisions
        self._supervised = supervised
        self._lessons = lessons
        self.count = self.reviews = self.idle = self.waived = self.confirmed = self.declined = 0
        self.finished = False
        #: What the last review decided; empty if there was none.
        self.review = ""
        self.last: Mapping[str, bool] = {}

    def _count(self, one: RecordedDecision) -> None:
        self.count += 1
        self.finished = self.finished or one.decision == Decision.FINISHED
        self.waived += one.decision == WAIVE
        self.confirmed += one.decision == CONFIRM
        self.declined += one.decision == DECLINE
        if one.saw:
            self.reviews += 1
            self.idle += not one.saw.get("progressing", True)
            self.last, self.review = one.saw, one.decision

    def head(self) -> dict[str, Any]:
        if not self._supervised:
            return {}
        head: dict[str, Any] = {"decisions": self.count, "finished": self.finished}
        if self.reviews:
            seen = {"reviews": self.reviews, "without_progress": self.idle, "last": self.last}
            head["progress"] = seen
        return head

    def entries(self) -> Entries:
        for one in self._decisions:
            self._count(one)
            entry: dict[str, Any] = {
                "task_id": one.task_id,
                "decision": one.decision,
                "reason": one.reason,
                "instruction": one.instruction,
                **one.about,
                **one.saw,
            }
            kept = {name: value for name, value in entry.items() if value not in (None, "")}
            yield "decisions", kept

    def mention(self) -> Iterator[str]:
        if self._supervised and not self.finished:
            yield (
                "The last review decided to finish; resolve(decision='finish') has yet to close the "
                "work."
                if self.review == FINISH
                else "The work is not finished: no decision to finish is recorded."
            )
        if self.waived:
            yield f"Gates or hooks waived ({self.waived}): each with its rule and reason."
        if self._lessons:
            yield f"Lessons proposed that nobody has decided ({self._lessons}): resolve lists them."
        if self.confirmed:
            yield f"Parent actions confirmed ({self.confirmed}): what was done, by `decisions`."
        if self.declined:
            yield f"Parent actions declined ({self.declined}): not done; the reason in `decisions`."
