"""The ledger's readable views: workflows, one workflow, its events, the figures over all."""

from collections.abc import Mapping
from typing import Any

from relaybook.core.failure import NO_MODEL_MENDS
from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.items import items_stats
from relaybook.engine.view import event_line, list_workflows, show_workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow
from relaybook.store.events import read_events

#: How many lines one text holds at most; the tools page through the rest.
WORKFLOWS_SHOWN = 100
TASKS_SHOWN = 300
EVENTS_SHOWN = 500

_STATUSES = """
    SELECT CASE
        WHEN decision IN ('cancelled', 'partial') THEN decision
        WHEN ended_at IS NULL THEN 'open'
        WHEN completed + not_applicable = total THEN 'completed'
        ELSE 'failed' END AS word, count(*)
    FROM workflows WHERE {sight.of_project} GROUP BY word ORDER BY word
"""
_PATTERNS = """
    SELECT pattern, count(*) FROM workflows WHERE {sight.of_project}
    GROUP BY pattern ORDER BY pattern
"""
_TASKS = """
    SELECT status, count(*) FROM tasks WHERE {sight.of_workflow} GROUP BY status ORDER BY status
"""
_OUTCOMES = """
    SELECT coalesce(outcome, 'in_progress'), count(*) FROM attempts
    WHERE {sight.of_workflow} GROUP BY outcome ORDER BY outcome
"""
_FAILURES = """
    SELECT coalesce(error_code, 'unknown'), count(*) FROM attempts
    WHERE outcome IN ('failed', 'expired') AND {sight.of_workflow} GROUP BY error_code ORDER BY error_code
"""


def read_workflows(desk: Desk) -> str:
    """All workflows, newest change first."""
    return _workflows(desk, active=False)


def read_active(desk: Desk) -> str:
    """The workflows that are not ended, newest change first."""
    return _workflows(desk, active=True)


def _workflows(desk: Desk, *, active: bool) -> str:
    answer = list_workflows(desk, active=active)
    rows = answer["workflows"]
    while "cursor" in answer and len(rows) < WORKFLOWS_SHOWN:
        answer = list_workflows(desk, active=active, cursor=answer["cursor"])
        rows += answer["workflows"]
    return compact(_with_rest({"workflows": rows}, answer))


def read_workflow(desk: Desk, id: str) -> str:
    """One workflow with its tasks in plan order."""
    answer = show_workflow(desk, id, detail="detailed")
    page = answer
    while "cursor" in page and len(answer["tasks"]) < TASKS_SHOWN:
        page = show_workflow(desk, id, detail="detailed", cursor=page["cursor"])
        answer["tasks"] += page["tasks"]
    answer.pop("cursor", None)
    return compact(_with_rest(answer, page))


def _with_rest(said: dict[str, Any], page: dict[str, Any]) -> dict[str, Any]:
    """`said`, and if more follows the last `page`, how to get it."""
    if "cursor" not in page:
        return said
    return said | {"more": f"get_workflow(cursor={page['cursor']!r}) goes on from here"}


def read_workflow_events(desk: Desk, id: str) -> str:
    """The last events of a workflow, oldest first."""
    with desk.store.read() as tx:
        workflow = get_workflow(tx, id)
        earlier = max(workflow.seq - EVENTS_SHOWN, 0)
        events = read_events(tx, id, after=earlier, limit=EVENTS_SHOWN)
    answer: dict[str, Any] = {
        "workflow_id": id,
        "seq": workflow.seq,
        "events": [event_line(event) | {"actor": event.actor} for event in events],
    }
    if earlier:
        answer["more"] = f"get_workflow(since=0) begins with the {earlier} earlier ones"
    return compact(answer)


def read_stats(desk: Desk) -> str:
    """Figures over the whole ledger."""
    with desk.store.read() as tx:
        answer: dict[str, Any] = {
            "workflows": _counted(tx, _STATUSES),
            "patterns": _counted(tx, _PATTERNS),
            "tasks": _counted(tx, _TASKS),
            "attempts": _counted(tx, _OUTCOMES),
            "failures": _counted(tx, _FAILURES),
        }
    answer |= _beyond_models(answer["failures"])
    return compact(answer | {"items": items_stats(desk)})


def _beyond_models(failures: Mapping[str, int]) -> dict[str, Any]:
    """How many of the failures, by code, no other model would mend, and their share of all."""
    if not failures:
        return {}
    count = sum(failures.get(code, 0) for code in NO_MODEL_MENDS)
    share = round(count / sum(failures.values()), 3)
    return {"no_model_mends": {"count": count, "share": share}}


def _counted(tx: Tx, sql: str) -> dict[str, int]:
    return dict(tx.rows(sql.format(sight=tx.sight)))
