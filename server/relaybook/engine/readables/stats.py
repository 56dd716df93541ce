"""The figures over the whole ledger, as they can be read."""

from collections.abc import Mapping
from typing import Any

from relaybook.core.failure import NO_MODEL_MENDS
from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.items import items_stats
from relaybook.store.base import Tx

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
