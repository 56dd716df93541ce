"""Tasks that may start and never will: what is handed to them makes their prompt too large."""

from collections.abc import Sequence

from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import task_prompt
from relaybook.errors import PromptTooLarge, clip
from relaybook.model import Task, Workflow
from relaybook.registry.prompt import PROMPT_LIMIT
from relaybook.store.base import Tx

#: How many of the tasks that may start are looked at, the best first.
LOOKED_AT = 10
#: A prompt is rendered to see its size if the results before it have that many characters.
SUSPECT = PROMPT_LIMIT // 8
#: How much of their names a call tells.
NAMES_SHOWN = 300

_HANDED_MUCH = """SELECT edges.task_id FROM edges
    JOIN tasks ON tasks.workflow_id = edges.workflow_id AND tasks.id = edges.needs
    JOIN texts ON texts.workflow_id = tasks.workflow_id AND texts.hash = tasks.result
    WHERE edges.workflow_id = :id AND edges.task_id IN ({names})
    GROUP BY edges.task_id HAVING sum(length(texts.body)) > :suspect"""


def oversized(desk: Desk, tx: Tx, workflow: Workflow, ready: Sequence[Task]) -> list[str]:
    """The first of the tasks in `ready` whose prompt would be too large; asked where none runs."""
    if workflow.in_progress or not workflow.completed or not ready:
        return []
    looked_at = {f"ready_{place}": task.id for place, task in enumerate(ready[:LOOKED_AT])}
    sql = _HANDED_MUCH.format(names=", ".join(f":{name}" for name in looked_at))
    rows = tx.rows(sql, {"id": workflow.id, "suspect": SUSPECT, **looked_at})
    suspects = {row[0] for row in rows}
    return [t.id for t in ready if t.id in suspects and _is_oversized(desk, tx, workflow, t)]


def instead(names: Sequence[str]) -> str:
    """What to do with such tasks."""
    shown = clip(", ".join(map(repr, names)), NAMES_SHOWN)
    return (
        f"change_plan(replaces=[{shown}], add=[tasks that take less]): their prompts are too large"
    )


def _is_oversized(desk: Desk, tx: Tx, workflow: Workflow, task: Task) -> bool:
    try:
        task_prompt(desk, tx, workflow, task)
    except PromptTooLarge:
        return True
    return False
