"""get_workflow without an id: all workflows, by page."""

from collections.abc import Sequence
from typing import Any

from relaybook.engine.desk import Desk
from relaybook.engine.view.attention import IDS_SHOWN, is_overdue, running_tasks
from relaybook.engine.view.overview import overview
from relaybook.engine.view.paging import ANSWER_BYTES, PAGE, fitting, position
from relaybook.model import Workflow
from relaybook.store.base import Tx
from relaybook.store.tables import WORKFLOWS

#: What the summary counts workflows by.
ALARMS = ("breaker_open", "stalled", "overdue", "update_due")


def list_workflows(
    desk: Desk, *, active: bool = False, project: str | None = None, cursor: str = ""
) -> dict[str, Any]:
    """All workflows, or those not ended, newest change first, with what needs attention."""
    now, page = desk.clock(), PAGE["concise"]
    where = f"WHERE {'ended_at IS NULL' if active else 'TRUE'}"
    if project is not None:
        where += " AND project = :project"
    skip = position(cursor)
    with desk.store.read() as tx:
        found = WORKFLOWS.find(
            tx,
            f"{where} AND {tx.sight.of_project} ORDER BY updated_at DESC, id"
            " LIMIT :limit OFFSET :skip",
            project=project,
            limit=page + 1,
            skip=skip,
        )
        rows = [_row(tx, each, now) for each in found[:page]]
    shown = fitting(rows, ANSWER_BYTES["concise"] - 200)
    answer: dict[str, Any] = {"workflows": shown}
    if len(found) > len(shown):
        answer["cursor"] = str(skip + len(shown))
    answer["summary"] = _summary(shown, bool(answer.get("cursor")))
    answer["next"] = _next(rows)
    return answer


def _row(tx: Tx, workflow: Workflow, now: float) -> dict[str, Any]:
    running = running_tasks(tx, workflow)
    overdue = [task.id for task in running if is_overdue(task, now)][:IDS_SHOWN]
    return overview(workflow, running, now) | ({"overdue": overdue} if overdue else {})


def _summary(rows: Sequence[dict[str, Any]], more: bool) -> str:
    def total(flag: str) -> int:
        return sum(bool(row.get(flag)) for row in rows)

    alarms = ", ".join(f"{total(flag)} {flag}" for flag in ALARMS if total(flag))
    shown = f"{len(rows)} workflow(s)" + (", more with cursor" if more else "")
    return f"{shown}; {alarms}" if alarms else shown


def _next(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "create_workflow"
    return "get_workflow(workflow_id) for one of them"
