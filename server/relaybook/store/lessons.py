"""Lessons in the ledger: proposed by findings, counted when they are said again, decided by users."""

import hashlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from relaybook.core.learning.lessons import (
    CONFIDENCES,
    Lesson,
    fingerprint,
    near_duplicate,
    propose,
)
from relaybook.errors import InvalidArguments, UnknownLesson, nearest
from relaybook.model import Event, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.table import Table

#: With how many of its project's latest lessons a new one is compared.
COMPARED = 100


class LessonStatus(StrEnum):
    """What became of a proposal."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class KeptLesson(NamedTuple):
    """A lesson in the ledger; a row of `lessons`."""

    id: str
    project: str
    fingerprint: str
    text: str
    target: str
    confidence: str
    evidence: str
    workflow_id: str
    task_id: str
    skill: str | None
    template: str
    created_at: float
    #: How often it was proposed.
    times: int = 1
    status: LessonStatus = LessonStatus.PROPOSED
    decided_at: float | None = None
    decided_by: str | None = None
    reason: str | None = None

    def lesson(self) -> Lesson:
        """The lesson itself, as the core knows it."""
        return Lesson(
            text=self.text,
            target=self.target,
            confidence=self.confidence,
            source_task=f"{self.workflow_id}/{self.task_id}",
            evidence=self.evidence,
        )


LESSONS = Table("lessons", KeptLesson, key=["id"])

#: Decisions about a lesson, and what each makes of it.
LESSON_DECISIONS: Mapping[str, LessonStatus] = {
    "accept_lesson": LessonStatus.ACCEPTED,
    "reject_lesson": LessonStatus.REJECTED,
}


def get_lesson(tx: Tx, lesson_id: str) -> KeptLesson:
    """The lesson of that id.

    Raises:
        UnknownLesson: there is none; the error names the latest that wait for a decision.
    """
    found = LESSONS.find(tx, f"WHERE id = :id AND {tx.sight.of_project}", id=lesson_id)
    if found:
        return found[0]
    sql = (
        f"SELECT id FROM lessons WHERE status = 'proposed' AND {tx.sight.of_project}"
        " ORDER BY created_at DESC LIMIT 50"
    )
    raise UnknownLesson(
        f"There is no lesson {lesson_id[:64]!r}.",
        allowed=nearest(lesson_id, [row[0] for row in tx.rows(sql)]),
        next="look at ledger://lessons for their ids",
    )


def latest_lessons(tx: Tx, project: str, target: str, limit: int) -> list[KeptLesson]:
    """The lessons for `target` that were proposed last, whatever became of them."""
    where = (
        "WHERE project = :project AND target = :target ORDER BY created_at DESC, id LIMIT :limit"
    )
    return LESSONS.find(tx, where, project=project, target=target, limit=limit)


def proposed_by(tx: Tx, workflow: Workflow, task: Task | None = None) -> list[KeptLesson]:
    """The lessons that a workflow proposed, or one task of it, and nobody has decided, the latest
    first."""
    where = (
        "WHERE project = :project AND workflow_id = :workflow_id AND status = 'proposed'"
        + (" AND task_id = :task_id" if task is not None else "")
        + " ORDER BY created_at DESC, id LIMIT :limit"
    )
    said = {"project": workflow.project, "workflow_id": workflow.id, "limit": COMPARED}
    return LESSONS.find(tx, where, **said, task_id=task.id if task is not None else None)


def accepted_lessons(
    tx: Tx, project: str, skill: str | None, template: str, limit: int
) -> tuple[str, ...]:
    """The texts of accepted lessons that concern a skill or a template, the latest decision first."""
    sql = (
        "SELECT text FROM lessons WHERE project = :project AND status = 'accepted'"
        " AND (target = :target OR skill = :skill OR template = :template)"
        " ORDER BY decided_at DESC, id LIMIT :limit"
    )
    params = {
        "project": project,
        "target": f"skill:{skill}",
        "skill": skill,
        "template": template,
        "limit": limit,
    }
    return tuple(row[0] for row in tx.rows(sql, params))


def keep_finding(tx: Tx, workflow: Workflow, task: Task, event: Event) -> None:
    """A finding as a proposed lesson; said again it counts, and may raise the confidence."""
    lesson = _proposal(task, event)
    if lesson is None:
        return
    tx.lock(f"lessons of {workflow.project}")
    mark = fingerprint(lesson.text)
    same = next(_same(tx, workflow.project, lesson, mark), None)
    if same is None:
        kept = _kept(workflow, task, event, lesson, mark)
        LESSONS.insert(tx, [kept])
    else:
        surer = max(same.confidence, lesson.confidence, key=CONFIDENCES.index)
        LESSONS.update(tx, same, same._replace(times=same.times + 1, confidence=surer))


def _proposal(task: Task, event: Event) -> Lesson | None:
    said = event.data
    try:
        return propose(
            said["text"],
            said.get("target") or f"skill:{task.skill}",
            said.get("confidence") or CONFIDENCES[0],
            f"{task.workflow_id}/{task.id}",
            said.get("evidence", ""),
            task.skill,
        )
    except InvalidArguments:  # it says nothing, or is meant for nothing that keeps lessons
        return None


def _same(tx: Tx, project: str, lesson: Lesson, mark: str) -> Iterator[KeptLesson]:
    """The kept lesson that says the same, by its words in order or nearly all of its words."""
    where = "WHERE project = :project AND fingerprint = :mark"
    yield from LESSONS.find(tx, where, project=project, mark=mark)
    latest = latest_lessons(tx, project, lesson.target, COMPARED)
    near = near_duplicate(lesson.text, (kept.text for kept in latest))
    yield from (kept for kept in latest if kept.text == near)


def _kept(workflow: Workflow, task: Task, event: Event, lesson: Lesson, mark: str) -> KeptLesson:
    named = hashlib.blake2b(f"{workflow.project}\n{mark}".encode(), digest_size=5).hexdigest()
    return KeptLesson(
        id=f"l_{named}",
        project=workflow.project,
        fingerprint=mark,
        text=lesson.text,
        target=lesson.target,
        confidence=lesson.confidence,
        evidence=lesson.evidence,
        workflow_id=workflow.id,
        task_id=task.id,
        skill=task.skill,
        template=task.template,
        created_at=event.at,
    )


def decide(tx: Tx, event: Event) -> None:
    """Keep what the user decided of a lesson."""
    where = "WHERE id = :id"
    for kept in LESSONS.find(tx, where, id=event.data["lesson"]):
        decided = kept._replace(
            status=LESSON_DECISIONS[event.data["decision"]],
            decided_at=event.at,
            decided_by=event.actor,
            reason=event.data.get("reason"),
        )
        LESSONS.update(tx, kept, decided)
