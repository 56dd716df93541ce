"""What a worker is told where a call of it is refused: nothing of tools that it does not have.

The verbs are the same for all roles, and what they advise is for an orchestrator.
"""

import re
from collections.abc import Mapping

from relaybook.errors import OutcomeUnknown, Refusal, UnknownWorkflow

#: The tools that a worker does not have, whose names are no other words; and those that are.
NAMES = (
    *("create_workflow", "change_plan", "render_prompt", "advance_stage", "get_workflow"),
    "find_skills",
)
WORDS = ("plan", "aggregate", "resolve", "cleanup")
_FOREIGN = re.compile(
    rf"\b({'|'.join(NAMES)})\b|\b({'|'.join(WORDS)})\(|\b(call|with) ({'|'.join(WORDS)})\b"
)

GO_ON = "go on with your task, or give it back with update_task(status='pending')"
#: What is allowed, and what to do, where that is another thing for a worker.
_OWN: Mapping[type[Refusal], tuple[str, str]] = {
    UnknownWorkflow: (
        "a workflow_id that you were given, or none",
        "call claim_task without workflow_id for the next task of any workflow",
    ),
    OutcomeUnknown: ("", "repeat the call; one that names its claim is taken once"),
}


def to_worker(refusal: Refusal) -> Refusal:
    """The same refusal with a way on that a worker has."""
    allowed, following = _OWN.get(type(refusal), (refusal.allowed, refusal.next))
    if _FOREIGN.search(allowed):
        allowed = ""
    if _FOREIGN.search(following):
        following = GO_ON
    # A worker names its task by the claim alone.
    following = following.replace("task_id, claim", "claim")
    return type(refusal)(refusal.message, allowed=allowed, next=following, **refusal.data)
