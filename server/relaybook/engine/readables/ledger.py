"""The ledger's readable views: workflows, one workflow, its events."""

from typing import Any

from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.view.workflow import event_line, show_workflow
from relaybook.engine.view.workflows import by_id, list_workflows
from relaybook.store.cases import get_workflow
from relaybook.store.events import read_events

#: How many lines one text holds at most; the tools page through the rest.
WORKFLOWS_SHOWN = 100
TASKS_SHOWN = 300
EVENTS_SHOWN = 500


def read_workflows(desk: Desk) -> str:
    """All workflows, newest change first."""
    return _workflows(desk, active=False)


def read_active(desk: Desk) -> str:
    """The workflows that are not ended, newest change first."""
    return _workflows(desk, active=True)


def _workflows(desk: Desk, *, active: bool) -> str:
    answer = list_workflows(desk, active=active)
    rows = by_id(answer)
    while "cursor" in answer and len(rows) < WORKFLOWS_SHOWN:
        answer = list_workflows(desk, active=active, cursor=answer["cursor"])
        rows |= by_id(answer)
    return compact(_with_rest({"workflows": list(rows.values())}, answer))


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
