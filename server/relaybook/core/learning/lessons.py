"""Lessons: what a worker proposes to remember, for the orchestrator to accept or reject.

Nothing here or elsewhere writes the files of an agent. A lesson is untrusted text until it is
accepted; it is kept to one line without control characters, so that it cannot break out of the
list that it is added to.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from relaybook.errors import InvalidArguments, clip

TARGETS = "SOUL.md, TOOLS.md or skill:<name>"
CONFIDENCES = ("low", "medium", "high")
#: In characters. A target is `skill:` and a name of at most 64.
TEXT_LIMIT, EVIDENCE_LIMIT, TASK_LIMIT, TARGET_LIMIT = 500, 500, 200, 70
#: Two lessons with at least this share of their words in common say the same.
SAME_WORDS = 0.8
_TARGET = re.compile(r"SOUL\.md|TOOLS\.md|skill:[a-z0-9]+(?:-[a-z0-9]+)*")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One thing to remember, and why it should be believed."""

    text: str
    #: SOUL.md, TOOLS.md or skill:<name>.
    target: str
    #: One of CONFIDENCES.
    confidence: str
    source_task: str
    evidence: str = ""


def check_target(target: str) -> None:
    """Refuse what keeps no lessons.

    Raises:
        InvalidArguments: with what does.
    """
    if len(target) > TARGET_LIMIT or not _TARGET.fullmatch(target):
        raise InvalidArguments(f"A lesson cannot go to {target[:80]!r}.", allowed=TARGETS)


def propose(
    text: str,
    target: str,
    confidence: str,
    source_task: str,
    evidence: str = "",
    skill: str | None = None,
) -> Lesson:
    """The lesson, its texts made safe and cut to their limits.

    `target` may also be a word of the reflect template: agent, tools, or skill, which is `skill`.

    Raises:
        InvalidArguments: it says nothing, is meant for another file, or is sure in other words.
    """
    clean = one_line(text, TEXT_LIMIT)
    if not _words(clean):
        raise InvalidArguments(
            "A lesson has no words.", next="say in one sentence what to remember"
        )
    files = {"agent": "SOUL.md", "tools": "TOOLS.md", "skill": f"skill:{skill or ''}"}
    file = files.get(target, target)
    check_target(file)
    if confidence not in CONFIDENCES:
        raise InvalidArguments(
            f"A lesson cannot be of {confidence[:80]!r} confidence.",
            allowed=", ".join(CONFIDENCES),
        )
    return Lesson(
        text=clean,
        target=file,
        confidence=confidence,
        source_task=one_line(source_task, TASK_LIMIT),
        evidence=one_line(evidence, EVIDENCE_LIMIT),
    )


def one_line(text: str, limit: int) -> str:
    """`text` in one line of at most `limit` characters, without control or invisible ones."""
    visible = (" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 4 * limit])
    return clip(" ".join("".join(visible).split()), limit)


def fingerprint(text: str) -> str:
    """16 hex digits, equal for texts of the same words in the same order, letter case apart."""
    return sha256(" ".join(_words(text)).encode()).hexdigest()[:16]


def near_duplicate(text: str, known: Iterable[str]) -> str | None:
    """The first known text that says nearly the same, by the words they share."""
    words = set(_words(text))
    return next(
        (other for other in known if _likeness(words, set(_words(other))) >= SAME_WORDS), None
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _likeness(one: set[str], other: set[str]) -> float:
    """Words in common as a share of all (Jaccard)."""
    return len(one & other) / len(one | other) if one or other else 1.0
