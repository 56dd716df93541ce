"""What the ledger learns as events are applied: the figures of skills, and proposed lessons.

Both are folded from the events of all workflows in the order of their commits, in the same
transaction, at a cost that does not grow: one row of figures read and written for each ended
attempt of a skill, and for a finding a look at the latest lessons of its project. They outlive
the workflows that they came from.
"""

from collections.abc import Mapping, Sequence

from relaybook.model import Event, EventType, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.lessons import decide, keep_finding
from relaybook.store.skills import keep_outcomes


def learn(
    tx: Tx,
    workflow: Workflow,
    before: Mapping[str, Task],
    after: Mapping[str, Task],
    events: Sequence[Event],
) -> None:
    """Keep what `events` teach; `before` and `after` are the tasks on either side of them."""
    keep_outcomes(tx, workflow.project, before, events)
    for event in events:
        if event.type is EventType.FINDING_ADDED:
            task = after.get(str(event.task_id))
            if task is not None and task.skill is not None:
                keep_finding(tx, workflow, task, event)
        elif event.type is EventType.DECISION_RECORDED and "lesson" in event.data:
            decide(tx, event)
