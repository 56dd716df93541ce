"""All that waits for the user, over every workflow, the latest change first."""

from typing import Any

from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.learned import list_lessons
from relaybook.engine.view.advice import timestamp
from relaybook.engine.view.open_decisions import open_questions
from relaybook.model import Workflow
from relaybook.store.base import Tx
from relaybook.store.lessons import LessonStatus
from relaybook.store.tables import WORKFLOWS

#: How many workflows one text speaks of.
WORKFLOWS_SHOWN = 50

#: Only in such a workflow can a question be open.
_MAY_ASK = """
    WHERE (decision IS NULL AND input_required + review + failed > 0
    OR decision IS NULL AND ended_at IS NOT NULL AND cancelled > 0
    OR ended_at IS NULL AND input_required + review + undecided > 0) AND {sight.of_project}
    ORDER BY updated_at DESC, id LIMIT :limit
"""


def read_decisions(desk: Desk) -> str:
    """Each open question with its workflow and the decisions that answer it."""
    with desk.store.read() as tx:
        asking = WORKFLOWS.find(tx, _MAY_ASK.format(sight=tx.sight), limit=WORKFLOWS_SHOWN)
        found = [line for workflow in asking for line in _lines(desk, tx, workflow)]
    lessons = list_lessons(desk, status=LessonStatus.PROPOSED)
    return compact({"decisions": found} | ({"lessons": lessons} if lessons else {}))


def _lines(desk: Desk, tx: Tx, workflow: Workflow) -> list[dict[str, Any]]:
    of = {
        "workflow_id": workflow.id,
        "workflow": workflow.name,
        "since": timestamp(workflow.updated_at),
    }
    return [of | question for question in open_questions(desk, tx, workflow)]
