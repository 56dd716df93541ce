"""Work items, lessons, health and contracts as they can be read."""

from dataclasses import asdict
from typing import Any

from relaybook.core.item import WorkItem
from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.items import (
    EVENTS_LIMIT,
    hook_events,
    item_events,
    items_stats,
    list_items,
    load_item,
)
from relaybook.engine.learned import export_lessons, list_lessons, loop_view, skill_history
from relaybook.engine.view.advice import timestamp
from relaybook.errors import clip

#: How many of the records of each kind a text holds, and how much of each goal.
RECORDS_SHOWN, GOAL_SHOWN = 60, 120


def read_items(desk: Desk) -> str:
    """The newest work items in a line each, what they wait for, and how many there are by status."""
    found = list_items(desk)
    lines = [
        {
            "slug": item.slug,
            "status": item.status,
            "goal": clip(item.goal, GOAL_SHOWN),
            "skill": item.skill,
            "project": item.project,
        }
        | ({"blockers": list(item.blockers)} if item.blockers else {})
        for item in found
    ]
    return compact({"items": lines, "counts": items_stats(desk)["status"]})


def read_item(desk: Desk, slug: str) -> str:
    """One work item, its latest records."""
    return _item(load_item(desk, slug))


def read_task_item(desk: Desk, id: str, task_id: str) -> str:
    """The work item of a task, whether it has a slug of its own or not."""
    return _item(load_item(desk, workflow_id=id, task_id=task_id))


def _item(item: WorkItem) -> str:
    said = {name: value for name, value in asdict(item).items() if value}
    return compact({name: _shown(name, value) for name, value in said.items()})


def _shown(name: str, value: Any) -> Any:
    """The last records of each kind, and times as everywhere else."""
    if isinstance(value, tuple):
        return value[-RECORDS_SHOWN:]
    return timestamp(value) if name.endswith("_at") else value


def _timed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**event, "at": timestamp(event["at"])} for event in events]


def read_item_events(desk: Desk, slug: str) -> str:
    """The last events of a work item, oldest first."""
    return compact({"events": _timed(item_events(desk, slug, limit=EVENTS_LIMIT))})


def read_hook_events(desk: Desk, event: str, since: str) -> str:
    """The events of all work items under one of the twelve names, from a date on."""
    return compact({"events": _timed(hook_events(desk, event, since=since))})


def read_lessons(desk: Desk) -> str:
    """The latest lessons, proposed, accepted and rejected."""
    return compact({"lessons": list_lessons(desk)})


def read_lesson_patch(desk: Desk, project: str, target: str) -> str:
    """The accepted lessons of a project for one file, as a patch that makes it anew."""
    patch = export_lessons(desk, target, project=project)
    return compact({"project": project, "target": target, "patch": patch, "apply": _APPLY})


#: How such a patch is used: the server edits no file of an agent.
_APPLY = (
    "git apply makes the file; where it is there already, add the lines that begin with '+-' "
    "to its section Lessons, or let `relaybook lessons export --file` make the patch"
)


def read_health(desk: Desk) -> str:
    """The health of each skill, and its last outcomes."""
    return compact({"skills": skill_history(desk)})


def read_loop(desk: Desk) -> str:
    """What was done, what was learned, what changed."""
    return compact(loop_view(desk))


def read_contract_index(desk: Desk) -> str:
    """Capability by capability, the skills that have it; and files that give no contract."""
    problems = [f"{each.path}: {clip(each.reason, 200)}" for each in desk.contracts.problems()]
    return compact({"capabilities": desk.contracts.index(), "problems": problems})


def read_contract(desk: Desk, name: str) -> str:
    """The file of one contract, word for word."""
    return desk.contracts.get(name).path.read_text(encoding="utf-8")
