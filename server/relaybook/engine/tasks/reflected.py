"""What reflection made of the findings of a stage: lessons to propose, proposals to take back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relaybook.core.hooks import finding_id
from relaybook.core.learning.lessons import TEXT_LIMIT, fingerprint, near_duplicate, one_line
from relaybook.core.task.command import Fact
from relaybook.errors import clip
from relaybook.model import EventType, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.lessons import proposed_by

#: How much of a text a record keeps.
TEXT_SHOWN = 1_000


def reflection(
    tx: Tx, workflow: Workflow, task: Task, data: Mapping[str, Any], findings: Sequence[str]
) -> Iterator[Fact]:
    """The records that the result of the hook means; it names `findings` by their ids.

    A lesson is a finding that knows where it belongs, and the ledger proposes it, with the
    findings that it rests on as evidence. What was proposed for a finding as it came is taken
    back where the finding is rejected, or kept in the words of a lesson.
    """
    texts = {finding_id(place): text for place, text in enumerate(findings)}
    why: dict[str, str] = {}
    for lesson in data.get("lessons", ()):
        said = [str(texts.get(each, each)) for each in lesson["evidence"]]
        yield (
            EventType.FINDING_ADDED,
            {
                "text": clip(lesson["text"], TEXT_SHOWN),
                "target": lesson["target"],
                "confidence": lesson["confidence"],
                "evidence": clip("; ".join(said), TEXT_SHOWN),
            },
        )
        same = near_duplicate(lesson["text"], said)
        why |= {text: f"kept as: {lesson['text']}" for text in said if text != same}
    kept = {lesson["text"] for lesson in data.get("lessons", ())}
    why |= {texts.get(each["id"], ""): each["why"] for each in data.get("rejected", ())}
    yield from _taken_back(tx, workflow, task, why, kept)


def _taken_back(
    tx: Tx, workflow: Workflow, task: Task, why: Mapping[str, str], kept: set[str]
) -> Iterator[Fact]:
    """The rejections of what the stage proposed, by the texts of its findings."""
    staying = {_mark(text) for text in kept}
    reasons = {_mark(text): reason for text, reason in why.items() if text}
    for lesson in proposed_by(tx, workflow, task):
        reason = reasons.get(lesson.fingerprint)
        if reason is not None and lesson.fingerprint not in staying:
            said = {"decision": "reject_lesson", "lesson": lesson.id}
            yield (
                EventType.DECISION_RECORDED,
                said | {"reason": clip(f"reflection: {reason}", TEXT_SHOWN)},
            )


def _mark(text: str) -> str:
    return fingerprint(one_line(text, TEXT_LIMIT))
