"""update_task for several tasks in one call."""

from collections.abc import Sequence
from typing import Any

from relaybook.engine.desk import Desk
from relaybook.engine.request import Update
from relaybook.engine.tasks.update import update_task
from relaybook.errors import InvalidArguments, Refusal, StoreBusy

#: What the answer to several updates of one workflow says once, and what it leaves out: the claim
#: names the attempt, and the spawn arguments have its time.
_OF_WORKFLOW = ("workflow_id", "seq", "workflow_status", "progress", "next")
_OF_ATTEMPT = ("attempt", "lease_seconds")
UPDATES_LIMIT = 10


def update_tasks(desk: Desk, updates: Sequence[Update]) -> dict[str, Any]:
    """Up to ten updates, each by itself: one that is refused leaves the others standing."""
    if not 1 <= len(updates) <= UPDATES_LIMIT:
        raise InvalidArguments(
            f"{len(updates)} updates were sent.",
            allowed=f"1 to {UPDATES_LIMIT}",
            next="send them in several calls" if updates else "say what happened to which task",
        )
    results: list[dict[str, Any]] = []
    for update in updates:
        try:
            results.append(update_task(desk, update))
        except Refusal as refusal:
            if isinstance(refusal, StoreBusy) and not results:
                raise  # all of them may be sent again
            results.append({"task_id": update.task_id, "error": refusal.as_dict()})
    refused = sum("status" not in result for result in results)
    answer: dict[str, Any] = {
        "results": results,
        "summary": f"{len(results) - refused} of {len(results)} updates recorded",
    }
    if len({update.workflow_id for update in updates}) == 1:
        answer |= _said_once(results)
    else:
        answer["next"] = results[-1].get("next", "")
    return answer | ({"next": "see `error` of the refused"} if refused else {})


def _said_once(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Takes from the results what each says of their one workflow; answers what the last said."""
    said: dict[str, Any] = {}
    for result in results:
        for name in _OF_WORKFLOW:
            if name in result:
                said[name] = result.pop(name)
        for name in _OF_ATTEMPT:
            result.pop(name, None)
    return said
