"""record: facts about a task or workflow that belong in the ledger beside its results."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.core.result.record import OF_WORKFLOW, read_record, refuse_kind
from relaybook.core.task.case import Case
from relaybook.core.task.command import Fact, Note
from relaybook.core.task.machine import decide
from relaybook.engine.desk import Desk
from relaybook.engine.fit import refuse_unfit
from relaybook.engine.view.unsettled import next_now
from relaybook.errors import InvalidArguments, UnknownTask
from relaybook.store.base import Tx
from relaybook.store.cases import find_claim, get_task, get_workflow, load_case, load_workflow_case
from relaybook.store.ledger import apply

ENTRIES_LIMIT = 20


def record(
    desk: Desk,
    kind: str,
    entries: Sequence[Mapping[str, Any]],
    *,
    workflow_id: str = "",
    task_id: str = "",
    claim: str | None = None,
    actor: str = "orchestrator",
) -> dict[str, Any]:
    """Record up to twenty entries of one kind; a worker names its claim, others the task.

    Raises:
        InvalidArguments: an entry is not of its kind's form; none was recorded.
        Forbidden: a worker may not record this kind.
        UnknownContract: a stage is handed to a skill that there is not.
        UnknownWorkflow, UnknownTask, StaleClaim: what is named is not there, the next task of a
            review included.
    """
    refuse_kind(kind, actor)
    notes = _notes(kind, entries)
    with desk.store.transaction() as tx:
        if claim is not None:
            workflow_id, task_id = find_claim(tx, claim)
        case = _case(tx, kind, workflow_id, task_id, claim)
        if kind == "handoff" and case.tasks[task_id].capability is not None:
            for _, said in notes:
                refuse_unfit(desk, case.tasks[task_id], said["to"])
        if kind == "review" and task_id:
            get_task(tx, workflow_id, task_id)
            notes = [(event, {**said, "reviewed": task_id}) for event, said in notes]
        for _, said in notes:
            if said.get("decision") == "retry" and (again := said.get("next_task")):
                _refuse_unplanned(tx, workflow_id, again)
        command = Note(
            at=desk.clock(),
            actor=actor,
            task_id=None if kind in OF_WORKFLOW else task_id,
            claim=claim,
            notes=notes,
        )
        after = apply(tx, case, decide(case, command)).workflow
        call = next_now(tx, after, desk.clock())
    return {
        "workflow_id": after.id,
        "seq": after.seq,
        "summary": f"{len(notes)} {kind} recorded",
        "next": call,
    }


def _notes(kind: str, entries: Sequence[Mapping[str, Any]]) -> list[Fact]:
    if 1 <= len(entries) <= ENTRIES_LIMIT:
        return [read_record(kind, entry) for entry in entries]
    raise InvalidArguments(
        f"{len(entries)} entries were sent.",
        allowed=f"1 to {ENTRIES_LIMIT}",
        next="split them" if entries else "say what to record in entries=[{…}]",
    )


def _refuse_unplanned(tx: Tx, workflow_id: str, task_id: str) -> None:
    try:
        get_task(tx, workflow_id, task_id)
    except UnknownTask as refusal:
        raise refusal.with_next(
            "name one of these as next_task: only a task of the plan is tried again"
        ) from None


def _case(tx: Tx, kind: str, workflow_id: str, task_id: str, claim: str | None) -> Case:
    if kind in OF_WORKFLOW:
        return load_workflow_case(tx, workflow_id)
    if not task_id:
        get_workflow(tx, workflow_id)
        raise InvalidArguments(
            f"A record of kind {kind!r} belongs to a task.",
            allowed="task_id of the workflow",
            next="call again with the task_id",
        )
    return load_case(tx, workflow_id, task_id, claim)
