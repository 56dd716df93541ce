"""What the prompts of a workflow have in common: how many of its tasks hold each key.

The keys of a prompt are few and so are the rows that one more prompt reads and writes,
however many tasks there are. The rows are derived from the texts of the first prompts, not
from events: replaying events into an empty ledger makes none of them.
"""

from collections.abc import Collection
from functools import lru_cache

from relaybook.store.base import Tx

#: The key that every prompt has: it counts the prompts.
EVERY = 0


def add_prints(tx: Tx, workflow_id: str, keys: Collection[int]) -> None:
    """Count the first prompt of a task in."""
    tx.rows(_adding(len(keys) + 1), _params(workflow_id, keys))


def read_prints(tx: Tx, workflow_id: str, keys: Collection[int]) -> dict[int, int]:
    """How many prompts of the workflow were counted that hold each of these keys."""
    return dict(tx.rows(_reading(len(keys) + 1), _params(workflow_id, keys)))


@lru_cache
def _adding(count: int) -> str:
    values = ", ".join(f"(:workflow_id, :key_{place}, 1)" for place in range(count))
    return (
        f"INSERT INTO prints (workflow_id, key, tasks) VALUES {values}"
        " ON CONFLICT (workflow_id, key) DO UPDATE SET tasks = prints.tasks + 1"
    )


@lru_cache
def _reading(count: int) -> str:
    names = ", ".join(f":key_{place}" for place in range(count))
    return f"SELECT key, tasks FROM prints WHERE workflow_id = :workflow_id AND key IN ({names})"


def _params(workflow_id: str, keys: Collection[int]) -> dict[str, int | str]:
    said: dict[str, int | str] = {"workflow_id": workflow_id}
    said.update((f"key_{place}", key) for place, key in enumerate((EVERY, *sorted(keys))))
    return said
