"""The attempts of a workflow in time: who, when, how long, how it ended, what was expected."""

from typing import Any

from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.view.advice import timestamp
from relaybook.errors import clip
from relaybook.store.cases import get_workflow

#: How many attempts, the last to start, one text holds.
ATTEMPTS_SHOWN = 300
LABEL_SHOWN, WHO_SHOWN = 60, 80

_COUNT = "SELECT count(*) FROM attempts WHERE workflow_id = :id"
_LATEST = """
    SELECT a.task_id, t.label, a.number, a.session_key, a.actor, a.started_at, a.ended_at,
        a.outcome, a.error_code, t.expected_minutes
    FROM attempts a JOIN tasks t ON t.workflow_id = a.workflow_id AND t.id = a.task_id
    WHERE a.workflow_id = :id ORDER BY a.started_at DESC, t.position DESC LIMIT :limit
"""


def read_attempts(desk: Desk, id: str) -> str:
    """The attempts that started last, oldest first, and the time of the ledger's clock."""
    with desk.store.read() as tx:
        get_workflow(tx, id)
        total = tx.rows(_COUNT, {"id": id})[0][0]
        rows = tx.rows(_LATEST, {"id": id, "limit": ATTEMPTS_SHOWN})
    return compact(
        {
            "workflow_id": id,
            "now": timestamp(desk.clock()),
            "total": total,
            "attempts": [_line(row) for row in reversed(rows)],
        }
    )


def _line(row: Any) -> dict[str, Any]:
    task_id, label, number, session_key, actor, started_at, ended_at, outcome, code, minutes = row
    said = {
        "task_id": task_id,
        "label": clip(label, LABEL_SHOWN),
        "attempt": number,
        "who": clip(session_key or actor, WHO_SHOWN),
        "started_at": timestamp(started_at),
        "ended_at": timestamp(ended_at) if ended_at is not None else None,
        "outcome": outcome or "in_progress",
        "error_code": code,
        "expected_minutes": minutes,
    }
    return {name: value for name, value in said.items() if value is not None}
