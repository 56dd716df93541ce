"""What the prompts of a workflow have in common: how many of its tasks hold each key.

The keys of a prompt are few, and so are the rows that judging one more prompt reads, however many
tasks there are. A start counts nothing: the rows are derived from the texts of the first prompts
when a prompt is judged, from those that were started since that was last done. Replaying events
into an empty ledger makes none of them.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

from relaybook.store.base import Tx

#: The key that every prompt has: it counts the prompts.
EVERY = 0
#: The key that counts the events of the workflow that were looked through for prompts.
LOOKED_THROUGH = -1
#: How many first prompts are read at once.
AT_ONCE = 100

_FIRST_PROMPTS = (
    "SELECT events.seq, texts.body, specs.body, tasks.timeout_seconds FROM events"
    " JOIN tasks ON tasks.workflow_id = events.workflow_id AND tasks.id = events.task_id"
    " JOIN attempts ON attempts.workflow_id = tasks.workflow_id"
    " AND attempts.task_id = tasks.id AND attempts.number = 1"
    " JOIN texts ON texts.workflow_id = attempts.workflow_id AND texts.hash = attempts.prompt"
    " JOIN texts AS specs ON specs.workflow_id = tasks.workflow_id AND specs.hash = tasks.spec"
    " WHERE events.workflow_id = :workflow_id AND events.seq > :after"
    " AND events.type = 'task_started' AND NOT EXISTS (SELECT 1 FROM events AS earlier"
    " WHERE earlier.workflow_id = events.workflow_id AND earlier.task_id = events.task_id"
    " AND earlier.seq < events.seq AND earlier.type = 'task_started')"
    " ORDER BY events.seq LIMIT :limit"
)
_ADD = (
    "INSERT INTO prints (workflow_id, key, tasks) VALUES (:workflow_id, :key, :tasks)"
    " ON CONFLICT (workflow_id, key) DO UPDATE SET tasks = prints.tasks + excluded.tasks"
)


class FirstPrompt(NamedTuple):
    """The prompt of a task's first attempt, which the event `seq` began."""

    seq: int
    text: str
    #: The task's specification, as it is kept.
    spec: str
    timeout_seconds: int


def first_prompts(tx: Tx, workflow_id: str, after: int) -> list[FirstPrompt]:
    """Up to `AT_ONCE` first prompts of attempts that began after event `after`, in order."""
    params = {"workflow_id": workflow_id, "after": after, "limit": AT_ONCE}
    return [FirstPrompt._make(row) for row in tx.rows(_FIRST_PROMPTS, params)]


def read_prints(tx: Tx, workflow_id: str, keys: Collection[int]) -> dict[int, int]:
    """What was counted of each of these keys, and of `EVERY` and `LOOKED_THROUGH`."""
    names = (EVERY, LOOKED_THROUGH, *sorted(keys))
    params: dict[str, int | str] = {f"key_{place}": key for place, key in enumerate(names)}
    return dict(tx.rows(_reading(len(names)), {"workflow_id": workflow_id, **params}))


def add_prints(tx: Tx, workflow_id: str, more: Mapping[int, int]) -> None:
    """Add to what was counted of each key."""
    tx.many(
        _ADD,
        [{"workflow_id": workflow_id, "key": key, "tasks": tasks} for key, tasks in more.items()],
    )


@lru_cache
def _reading(count: int) -> str:
    names = ", ".join(f":key_{place}" for place in range(count))
    return f"SELECT key, tasks FROM prints WHERE workflow_id = :workflow_id AND key IN ({names})"
