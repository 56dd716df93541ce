"""How long tasks of a template take, by the latest runs in this ledger."""

from relaybook.core.cost import expected_minutes_from
from relaybook.store.base import Tx

#: How many of the latest runs of a template are looked at.
RUNS_LOOKED_AT = 50

_RUNS = (
    "SELECT ended_at - started_at FROM tasks WHERE template = :template"
    " AND status = 'completed' AND started_at IS NOT NULL AND {}"
    " ORDER BY ended_at DESC LIMIT :limit"
)


def minutes_taken(tx: Tx, template: str) -> list[float]:
    """The minutes that the latest runs of a template took, in the projects that are seen."""
    params = {"template": template, "limit": RUNS_LOOKED_AT}
    return [row[0] / 60 for row in tx.rows(_RUNS.format(tx.sight.of_workflow), params)]


def expected_minutes(tx: Tx, template: str, default: float) -> tuple[float, str]:
    """Minutes that a task of `template` will take, and where the number is from."""
    return expected_minutes_from(minutes_taken(tx, template), default)
