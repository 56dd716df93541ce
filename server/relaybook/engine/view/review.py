"""A task in review: what holds it there, and the calls that lead out of it."""

from collections.abc import Mapping, Sequence

from relaybook.core.policy import MAX_FAILURES
from relaybook.engine.verdict import PARENT_ACTION
from relaybook.errors import NEXT_LIMIT, clip
from relaybook.model import EventType, Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.events import read_task_events
from relaybook.store.tables import TASKS

#: A call says what the gate lacks where there is room for that many characters of it.
LEAST_SHOWN = 20
_SAYS = "; its gate says: "


def gate_items(tx: Tx, task: Task) -> list[dict[str, str]]:
    """What sent a task to review, as its gate said it last."""
    events = read_task_events(tx, task.workflow_id, task.id)
    failed = [event for event in events if event.type is EventType.GATE_FAILED]
    return list(failed[-1].data["items"]) if failed else []


def review_next(task: Task, items: Sequence[Mapping[str, str]]) -> str:
    """How to go on from a task in review; `items` are what is held against it."""
    confirm, waive = (
        f"resolve(decision={decision!r}, task_id={task.id!r}, reason)"
        for decision in ("confirm", "waive")
    )
    lacks = [item["what"] for item in items if item["rule"] != PARENT_ACTION]
    if not lacks:
        return f"ask the user; do the parent action, then {confirm}; if they decline it, {waive}"
    evident = f"advance_stage(stage={task.position}, outcome='completed', …) with new evidence"
    again = again_call(task)
    call = f"{evident}, {f'{again} to redo it, ' if again else ''}or {waive}"
    if len(lacks) < len(items):
        call += "; for its parent action decision='confirm'"
    room = NEXT_LIMIT - len(call) - len(_SAYS)
    return f"{call}{_SAYS}{clip('; '.join(lacks), room)}" if room >= LEAST_SHOWN else call


def again_call(task: Task) -> str:
    """The call that has the work done again, which counts as a retry; empty if none is left."""
    if task.failures + 1 >= MAX_FAILURES:
        return ""
    return f"update_task(task_id={task.id!r}, status='in_progress')"


def next_of_review(tx: Tx, workflow: Workflow) -> str:
    """How to go on from the first task in review; empty if none is."""
    if not workflow.review:
        return ""
    where = "WHERE workflow_id = :id AND status = :status ORDER BY position LIMIT 1"
    found = TASKS.find(tx, where, id=workflow.id, status=str(Status.REVIEW))
    return review_next(found[0], gate_items(tx, found[0])) if found else ""
