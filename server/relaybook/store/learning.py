"""What the ledger learns as events are applied: the figures of skills, and proposed lessons.

Both are folded from the events of all workflows in the order of their commits, in the same
transaction, at a cost that does not grow: one row of figures read and written for each ended
attempt of a skill, and for a finding a look at the latest lessons of its project. They outlive
the workflows that they came from.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from relaybook.core.lessons import (
    CONFIDENCES,
    Lesson,
    fingerprint,
    near_duplicate,
    propose,
)
from relaybook.core.skill_stats import SkillStats, from_json, observe, to_json
from relaybook.errors import InvalidArguments, UnknownLesson, nearest
from relaybook.model import Event, EventType, FailureCode, Outcome, Status, Task, Workflow
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

_STATS = "SELECT stats FROM skill_stats WHERE skill = :skill"
_PUT_STATS = (
    "INSERT INTO skill_stats (skill, stats) VALUES (:skill, :stats)"
    " ON CONFLICT (skill) DO UPDATE SET stats = excluded.stats"
)
_OF_PROJECT = "SELECT stats FROM project_skill_stats WHERE project = :project AND skill = :skill"
_PUT_OF_PROJECT = (
    "INSERT INTO project_skill_stats (project, skill, stats) VALUES (:project, :skill, :stats)"
    " ON CONFLICT (project, skill) DO UPDATE SET stats = excluded.stats"
)

#: Decisions about a lesson, and what each makes of it.
LESSON_DECISIONS: Mapping[str, LessonStatus] = {
    "accept_lesson": LessonStatus.ACCEPTED,
    "reject_lesson": LessonStatus.REJECTED,
}


def learn(
    tx: Tx,
    workflow: Workflow,
    before: Mapping[str, Task],
    after: Mapping[str, Task],
    events: Sequence[Event],
) -> None:
    """Keep what `events` teach; `before` and `after` are the tasks on either side of them."""
    _keep_outcomes(tx, workflow.project, before, events)
    for event in events:
        if event.type is EventType.FINDING_ADDED:
            task = after.get(str(event.task_id))
            if task is not None and task.skill is not None:
                _keep_finding(tx, workflow, task, event)
        elif event.type is EventType.DECISION_RECORDED and "lesson" in event.data:
            _decide(tx, event)


def skill_stats(tx: Tx, skill: str) -> SkillStats:
    """The figures of `skill`; those of a new one if it never ended anything."""
    return _stats(tx, _STATS, {"skill": skill})


def _stats(tx: Tx, sql: str, known: dict[str, str]) -> SkillStats:
    found = tx.rows(sql, known)
    return from_json(found[0][0]) if found else SkillStats()


def all_skill_stats(tx: Tx) -> dict[str, SkillStats]:
    """The figures of every skill, by name; where only some projects are seen, those of each."""
    if tx.sight.projects is None:
        rows = tx.rows("SELECT skill, stats FROM skill_stats ORDER BY skill")
        return {skill: from_json(stats) for skill, stats in rows}
    rows = tx.rows(
        f"SELECT skill, project, stats FROM project_skill_stats WHERE {tx.sight.of_project}"
        " ORDER BY skill, project"
    )
    alone = len(tx.sight.projects) == 1
    return {
        skill if alone else f"{skill} in {project}": from_json(stats)
        for skill, project, stats in rows
    }


def _keep_outcomes(
    tx: Tx, project: str, before: Mapping[str, Task], events: Iterable[Event]
) -> None:
    found = list(_outcomes(before, events))
    for skill in sorted({skill for skill, _, _ in found}):
        tx.lock(f"skill {skill}")
    for skill, at, (outcome, minutes, code) in found:
        known = {"skill": skill, "project": project}
        for read, put in ((_STATS, _PUT_STATS), (_OF_PROJECT, _PUT_OF_PROJECT)):
            stats = observe(_stats(tx, read, known), outcome, at, minutes, code)
            tx.rows(put, {**known, "stats": to_json(stats)})


def _outcomes(
    before: Mapping[str, Task], events: Iterable[Event]
) -> Iterator[tuple[str, float, tuple[Outcome, float | None, FailureCode]]]:
    for event in events:
        task = before.get(str(event.task_id))
        if task is not None and task.skill is not None:
            outcome = outcome_of(task, event)
            if outcome is not None:
                yield task.skill, event.at, outcome


def outcome_of(task: Task, event: Event) -> tuple[Outcome, float | None, FailureCode] | None:
    """What `event` says of the skill that does `task`: outcome, minutes, failure code.

    Work in review counts when its fate is known: as passed once its gate passes or the parent
    confirms it, as failed if the gate was waived or the work is done again.
    """
    match event.type:
        case EventType.TASK_COMPLETED if "waived" in event.data:
            return Outcome.FAILED, None, FailureCode.VERIFICATION_MISSING
        case EventType.TASK_COMPLETED:
            return Outcome.COMPLETED, _minutes(task, event), FailureCode.UNKNOWN
        case EventType.TASK_FAILED | EventType.ATTEMPT_EXPIRED:
            return Outcome.FAILED, None, _code(event)
        case EventType.TASK_STARTED if task.status is Status.REVIEW:
            return Outcome.FAILED, None, FailureCode.VERIFICATION_MISSING
        case EventType.GATE_FAILED if task.status is Status.COMPLETED:
            return Outcome.FAILED, None, FailureCode.VERIFICATION_INCORRECT
        case _:
            return None


def _minutes(task: Task, event: Event) -> float | None:
    return None if task.started_at is None else round((event.at - task.started_at) / 60, 2)


def _code(event: Event) -> FailureCode:
    return FailureCode(event.data.get("error_code") or FailureCode.UNKNOWN)


def _keep_finding(tx: Tx, workflow: Workflow, task: Task, event: Event) -> None:
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


def _decide(tx: Tx, event: Event) -> None:
    where = "WHERE id = :id"
    for kept in LESSONS.find(tx, where, id=event.data["lesson"]):
        decided = kept._replace(
            status=LESSON_DECISIONS[event.data["decision"]],
            decided_at=event.at,
            decided_by=event.actor,
            reason=event.data.get("reason"),
        )
        LESSONS.update(tx, kept, decided)
