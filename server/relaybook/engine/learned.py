"""What was learned: lessons and their export, the health of skills, and the loop in one view."""

from typing import Any

from relaybook.core.learning.health import health
from relaybook.core.learning.lessons import check_target
from relaybook.core.learning.patch import as_patch
from relaybook.engine.desk import Desk
from relaybook.engine.tasks.hooks import figures
from relaybook.engine.view.advice import timestamp
from relaybook.errors import InvalidArguments, clip
from relaybook.model import WORDS
from relaybook.store.base import Tx
from relaybook.store.lessons import LESSONS, KeptLesson, LessonStatus
from relaybook.store.skills import all_skill_stats
from relaybook.store.tables import TASKS

SHOWN = 50
#: How much of the work done and changed the loop shows.
DONE_SHOWN = 20
TEXT_SHOWN = 300


def list_lessons(
    desk: Desk, *, project: str = "", status: str = "", limit: int = SHOWN
) -> list[dict[str, Any]]:
    """Lessons, the latest first, of every project and status unless one is named.

    Raises:
        InvalidArguments: there is no such status.
    """
    if status and status not in list(LessonStatus):
        raise InvalidArguments(
            f"status is {status[:40]!r}.", allowed=", ".join(LessonStatus), next="use one of these"
        )
    with desk.store.read() as tx:
        return [_lesson(kept) for kept in _lessons(tx, project, status, limit)]


def _lessons(tx: Tx, project: str, status: str, limit: int) -> list[KeptLesson]:
    named = {"project": project, "status": status}
    where = [f"{name} = :{name}" for name, value in named.items() if value]
    said = " AND ".join([*where, tx.sight.of_project])
    return LESSONS.find(
        tx, f"WHERE {said} ORDER BY created_at DESC, id LIMIT :limit", limit=limit, **named
    )


def _lesson(kept: KeptLesson) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": kept.id,
        "status": str(kept.status),
        "text": clip(kept.text, TEXT_SHOWN),
        "target": kept.target,
        "confidence": kept.confidence,
        "source": f"{kept.workflow_id}/{kept.task_id}",
        "times": kept.times,
        "project": kept.project,
        "at": timestamp(kept.created_at),
    }
    optional = {
        "evidence": kept.evidence,
        "skill": kept.skill,
        "decided_by": kept.decided_by,
        "reason": kept.reason,
    }
    return said | {name: value for name, value in optional.items() if value}


def export_lessons(desk: Desk, target: str, *, project: str = "default", current: str = "") -> str:
    """A patch that adds the accepted lessons for `target` to its file, whose text is `current`.

    `target` is SOUL.md, TOOLS.md or skill:<name>. The file itself is left to whoever applies it.

    Raises:
        InvalidArguments: there is no such target.
    """
    check_target(target)
    with desk.store.read() as tx:
        accepted = LESSONS.find(
            tx,
            "WHERE project = :project AND target = :target AND status = 'accepted'"
            f" AND {tx.sight.of_project} ORDER BY decided_at, id",
            project=project,
            target=target,
        )
    return as_patch([kept.lesson() for kept in accepted], target, current)


def skill_health(desk: Desk) -> dict[str, dict[str, Any]]:
    """The health of each skill that ever ended an attempt, with the repair that it needs."""
    with desk.store.read() as tx:
        stats = all_skill_stats(tx)
    return {skill: figures(health(found, desk.clock())) for skill, found in stats.items()}


#: What an outcome that is no failure is called.
PASSED = "passed"


def skill_history(desk: Desk) -> dict[str, dict[str, Any]]:
    """The health of each skill with its last outcomes, oldest first: passed, or the failure code.

    `minutes` are those of its last passes, oldest first.
    """
    with desk.store.read() as tx:
        stats = all_skill_stats(tx)
    return {
        skill: figures(health(found, desk.clock()))
        | {"recent": [code or PASSED for code in found.recent]}
        | {"minutes": [round(each, 2) for each in found.minutes]}
        for skill, found in stats.items()
    }


def loop_view(desk: Desk, *, project: str = "") -> dict[str, Any]:
    """What was done, what was learned from it, and what changed since."""
    with desk.store.read() as tx:
        done = _done(tx, project)
        changed = _changed(tx, project)
        lessons = _lessons(tx, project, "", DONE_SHOWN)
    return {
        "done": done,
        "learned": {
            "lessons": [_lesson(kept) for kept in lessons],
            "health": skill_health(desk),
        },
        "changed": changed,
    }


def _of_project(project: str) -> str:
    found = "workflow_id IN (SELECT id FROM workflows WHERE project = :project)"
    return f" AND {found}" if project else ""


def _done(tx: Tx, project: str) -> list[dict[str, Any]]:
    """The stages that ended last, each with what it left."""
    found = TASKS.find(
        tx,
        "WHERE slug IS NOT NULL AND ended_at IS NOT NULL"
        f" AND {tx.sight.of_workflow}{_of_project(project)} ORDER BY ended_at DESC, slug LIMIT :limit",
        project=project,
        limit=DONE_SHOWN,
    )
    return [
        {
            "item": task.slug,
            "status": WORDS[task.status].item,
            "skill": task.skill,
            "at": timestamp(task.ended_at or 0.0),
            "summary": clip(task.summary or task.error or "", 160),
        }
        for task in found
    ]


def _changed(tx: Tx, project: str) -> list[dict[str, Any]]:
    """The decisions about lessons that were taken last: what the next work is told."""
    found = LESSONS.find(
        tx,
        f"WHERE decided_at IS NOT NULL AND {tx.sight.of_project}"
        + (" AND project = :project" if project else "")
        + " ORDER BY decided_at DESC, id LIMIT :limit",
        project=project,
        limit=DONE_SHOWN,
    )
    return [_decided(kept) for kept in found]


def _decided(kept: KeptLesson) -> dict[str, Any]:
    return {
        "lesson": kept.id,
        "status": str(kept.status),
        "target": kept.target,
        "text": clip(kept.text, TEXT_SHOWN),
        "by": kept.decided_by,
        "at": timestamp(kept.decided_at or 0.0),
    }
