"""The figures of skills, one row of them for each, folded from how their attempts ended."""

from collections.abc import Iterable, Iterator, Mapping

from relaybook.core.learning.skill_stats import SkillStats, from_json, observe, to_json
from relaybook.model import Event, EventType, FailureCode, Outcome, Status, Task
from relaybook.store.base import Tx

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


def keep_outcomes(
    tx: Tx, project: str, before: Mapping[str, Task], events: Iterable[Event]
) -> None:
    """Count how `events` ended attempts of tasks that are as `before` says."""
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
