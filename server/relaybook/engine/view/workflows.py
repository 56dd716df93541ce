"""get_workflow without an id: all workflows, by page."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.engine.desk import Desk
from relaybook.engine.view.attention import IDS_SHOWN, is_overdue, running_tasks
from relaybook.engine.view.list_pages import Place, place_of, rows_from
from relaybook.engine.view.overview import overview
from relaybook.engine.view.paging import ANSWER_BYTES, PAGE, fitting
from relaybook.model import Workflow
from relaybook.store.base import Tx

#: What the summary counts workflows by.
ALARMS = ("breaker_open", "stalled", "overdue", "update_due")


def list_workflows(
    desk: Desk, *, active: bool = False, project: str | None = None, cursor: str = ""
) -> dict[str, Any]:
    """All workflows, or those not ended, newest change first, with what needs attention.

    The last pages tell again those that changed since the first.

    Raises:
        InvalidArguments: a cursor that no list gave.
    """
    now, page = desk.clock(), PAGE["concise"]
    where = f"WHERE {'ended_at IS NULL' if active else 'TRUE'}"
    if project is not None:
        where += " AND project = :project"
    place = place_of(cursor)
    with desk.store.read() as tx:
        where += f" AND {tx.sight.of_project}"
        found = rows_from(tx, where, {"project": project}, place, page + 1)
        rows = [_row(tx, each, now) for each in found[:page]]
    shown = fitting(rows, ANSWER_BYTES["concise"] - 200)
    answer: dict[str, Any] = {"workflows": shown}
    if len(found) > len(shown):
        last, newest = found[len(shown) - 1], found[0].updated_at
        answer["cursor"] = str((place or Place(newest, newest, "")).after(last))
    changed = sum(
        place is not None and each.updated_at > place.begun for each in found[: len(shown)]
    )
    answer["summary"] = _summary(shown, changed, "cursor" in answer)
    answer["next"] = _next(rows)
    return answer


def by_id(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of a page, to be joined with those of others: what is told last holds."""
    return {row["workflow_id"]: row for row in answer["workflows"]}


def _row(tx: Tx, workflow: Workflow, now: float) -> dict[str, Any]:
    running = running_tasks(tx, workflow)
    overdue = [task.id for task in running if is_overdue(task, now)][:IDS_SHOWN]
    return overview(workflow, running, now) | ({"overdue": overdue} if overdue else {})


def _summary(rows: Sequence[dict[str, Any]], changed: int, more: bool) -> str:
    def total(flag: str) -> int:
        return sum(bool(row.get(flag)) for row in rows)

    alarms = ", ".join(f"{total(flag)} {flag}" for flag in ALARMS if total(flag))
    shown = f"{len(rows)} workflow(s)"
    if changed:
        shown += f", {changed} of them changed since the first page"
    if more:
        shown += ", more with cursor"
    return f"{shown}; {alarms}" if alarms else shown


def _next(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "create_workflow"
    return "get_workflow(workflow_id) for one of them"
