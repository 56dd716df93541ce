"""report: a workflow gathered for people to read outside of relaybook."""

import json
from collections.abc import Sequence
from typing import Any

from relaybook.core.report import Report, Run, TaskLine
from relaybook.core.result.envelope import from_json
from relaybook.core.task.status import workflow_status
from relaybook.engine.aggregate import aggregate
from relaybook.engine.desk import Desk
from relaybook.engine.readables.graph import read_graph
from relaybook.engine.view.advice import progress, timestamp
from relaybook.model import WORDS, Attempt, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow
from relaybook.store.tables import ATTEMPTS, TASKS
from relaybook.store.texts import get_text

_NEEDS = "SELECT task_id, needs FROM edges WHERE workflow_id = :id ORDER BY task_id, needs"


def report(desk: Desk, workflow_id: str) -> Report:
    """Everything that a person asks of a workflow, at this moment.

    Raises:
        UnknownWorkflow: there is none of that id.
    """
    graph = read_graph(desk, workflow_id)
    digest = aggregate(desk, workflow_id)
    now = desk.clock()
    with desk.store.read() as tx:
        workflow = get_workflow(tx, workflow_id)
        tasks = _task_lines(tx, workflow)
    runs = [run for task in tasks for run in task.runs]
    ends = [run.ended_at if run.ended_at is not None else now for run in runs]
    return Report(
        title=f"{workflow.name} ({workflow.id})",
        facts=_facts(workflow),
        sentence=digest["summary"],
        mention=_mention(digest),
        tasks=tasks,
        span=(min((run.started_at for run in runs), default=now), max(ends, default=now)),
        graph=graph,
    )


def _facts(workflow: Workflow) -> dict[str, str]:
    facts = {
        "pattern": str(workflow.pattern),
        "project": workflow.project,
        "status": str(workflow_status(workflow)),
        "progress": progress(workflow),
        "created": timestamp(workflow.created_at),
    }
    return facts | ({"ended": timestamp(workflow.ended_at)} if workflow.ended_at else {})


def _mention(digest: dict[str, Any]) -> Sequence[str]:
    return [str(line) for line in (digest.get("brief") or {}).get("must_mention", ())]


def _task_lines(tx: Tx, workflow: Workflow) -> list[TaskLine]:
    where = "WHERE workflow_id = :id"
    needs: dict[str, list[str]] = {}
    for task_id, need in tx.rows(_NEEDS, {"id": workflow.id}):
        needs.setdefault(task_id, []).append(need)
    runs: dict[str, list[Run]] = {}
    for attempt in ATTEMPTS.find(tx, f"{where} ORDER BY task_id, number", id=workflow.id):
        runs.setdefault(attempt.task_id, []).append(_run(attempt))
    tasks = TASKS.find(tx, f"{where} AND replaced_by IS NULL ORDER BY position", id=workflow.id)
    return [_task_line(tx, task, needs.get(task.id, ()), runs.get(task.id, ())) for task in tasks]


def _run(attempt: Attempt) -> Run:
    return Run(
        number=attempt.number,
        outcome=str(attempt.outcome or "in_progress"),
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        session=attempt.session_key or "",
        error=attempt.error or "",
    )


def _task_line(tx: Tx, task: Task, needs: Sequence[str], runs: Sequence[Run]) -> TaskLine:
    words = WORDS[task.status]
    data = from_json(get_text(tx, task.workflow_id, task.result)).data if task.result else None
    return TaskLine(
        id=task.id,
        label=task.label,
        status=f"{words.icon} {words.ledger}",
        needs=needs,
        expected_minutes=task.expected_minutes,
        runs=runs,
        summary=task.summary or "",
        result="" if data is None else json.dumps(data, indent=1, ensure_ascii=False),
    )
