"""The figures of skills, one row of them for each, folded from how their attempts ended."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from relaybook.core.learning.skill_stats import (
    SkillStats,
    from_json,
    observe,
    take_back_pass,
    to_json,
)
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

#: The figures of a skill after what an event says of it.
_Counted = Callable[[SkillStats], SkillStats]


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
    for skill in sorted({skill for skill, _ in found}):
        tx.lock(f"skill {skill}")
    for skill, counted in found:
        known = {"skill": skill, "project": project}
        for read, put in ((_STATS, _PUT_STATS), (_OF_PROJECT, _PUT_OF_PROJECT)):
            stats = counted(_stats(tx, read, known))
            tx.rows(put, {**known, "stats": to_json(stats)})


def _outcomes(
    before: Mapping[str, Task], events: Iterable[Event]
) -> Iterator[tuple[str, _Counted]]:
    for event in events:
        task = before.get(str(event.task_id))
        if task is not None and task.skill is not None:
            counted = _counted(task, event)
            if counted is not None:
                yield task.skill, counted


def _counted(task: Task, event: Event) -> _Counted | None:
    """How `event` counts for the skill that does `task`; None if it says nothing of it.

    An attempt counts once, when its fate is known: as passed once its gate passes or the parent
    confirms it, as failed if the gate was waived or the work is done again. A pass that a hook
    overturns is taken back until then.
    """
    at = event.at
    match event.type:
        case EventType.TASK_COMPLETED if "waived" not in event.data:
            minutes = _minutes(task, at)
            return partial(observe, outcome=Outcome.COMPLETED, at=at, minutes=minutes)
        case EventType.TASK_COMPLETED:
            return partial(observe, outcome=Outcome.FAILED, at=at, code=_in_review(task))
        case EventType.TASK_STARTED if task.status is Status.REVIEW:
            return partial(observe, outcome=Outcome.FAILED, at=at, code=_in_review(task))
        case EventType.TASK_FAILED | EventType.ATTEMPT_EXPIRED:
            return partial(observe, outcome=Outcome.FAILED, at=at, code=_code(event))
        case EventType.GATE_FAILED if task.status is Status.COMPLETED:
            return partial(take_back_pass, minutes=_minutes(task, task.ended_at))
        case _:
            return None


def _in_review(task: Task) -> FailureCode:
    """What is wrong with work that its review does not let pass."""
    overturned = task.error_code == FailureCode.VERIFICATION_INCORRECT
    return FailureCode.VERIFICATION_INCORRECT if overturned else FailureCode.VERIFICATION_MISSING


def _minutes(task: Task, until: float | None) -> float | None:
    if task.started_at is None or until is None:
        return None
    return round((until - task.started_at) / 60, 2)


def _code(event: Event) -> FailureCode:
    return FailureCode(event.data.get("error_code") or FailureCode.UNKNOWN)
