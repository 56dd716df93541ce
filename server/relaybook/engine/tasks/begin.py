"""An attempt begins, or its lease is renewed."""

from functools import partial
from typing import Any

from relaybook.core.task.case import Case
from relaybook.core.task.close import refuse_decided
from relaybook.core.task.command import Release, Start
from relaybook.core.task.finish import attempt_meant
from relaybook.engine.desk import Desk
from relaybook.engine.request import Update
from relaybook.engine.tasks.claim import start_attempt, started
from relaybook.engine.tasks.expire import past_the_lost, without_expired
from relaybook.engine.tasks.outcome import settle, told
from relaybook.engine.tasks.target import target
from relaybook.model import Status
from relaybook.store.base import Tx
from relaybook.store.cases import load_case
from relaybook.store.ledger import renew_lease


def begin(desk: Desk, update: Update) -> dict[str, Any]:
    """Start the task; with the claim of the attempt in progress, renew its lease instead."""
    once = partial(_begin_once, desk, update)
    return past_the_lost(desk, update.workflow_id, update.actor, once)


def _begin_once(desk: Desk, update: Update) -> dict[str, Any]:
    with desk.store.transaction() as tx:
        workflow_id, task_id = target(tx, update)
        case = load_case(tx, workflow_id, task_id, update.claim)
        task = case.tasks[task_id]
        if update.claim is not None:
            return _renew(desk, tx, case, task_id, update)
        if update.session_key is None or update.session_key != task.session_key:
            found, case = case, without_expired(desk, tx, case, task_id, update.actor)
            if case is not found and case.tasks[task_id].status is Status.FAILED:
                return told(desk, tx, found, case, task_id)  # that was its last attempt
        if case.tasks[task_id].status is not Status.IN_PROGRESS:
            begun = start_attempt(
                desk,
                tx,
                case,
                task_id,
                lease_seconds=update.lease_seconds,
                session_key=update.session_key,
                override=update.override,
                actor=update.actor,
            )
            answer = told(desk, tx, case, begun.case, task_id) | started(begun)
            if update.session_key is not None:
                del answer["prompt"]  # its worker runs already
            return answer
        command = Start(
            at=desk.clock(),
            actor=update.actor,
            task_id=task_id,
            claim="",
            lease_seconds=0,
            session_key=update.session_key,
        )
        after = settle(tx, case, command, [])
        answer = told(desk, tx, case, after, task_id, repeated=after is case)
        answer["next"] = f"{answer['next']}; render_prompt shows its prompt again"
        return answer | {"claim": task.claim}


def _renew(desk: Desk, tx: Tx, case: Case, task_id: str, update: Update) -> dict[str, Any]:
    beat = Release(at=desk.clock(), actor=update.actor, task_id=task_id, claim=update.claim)
    refuse_decided(case.workflow, case.tasks[task_id])
    attempt_meant(case, beat, None)
    task = case.tasks[task_id]
    asked = (task.lease_until or 0.0) - (task.last_seen_at or 0.0)  # when it was claimed, or since
    lease = min(update.lease_seconds or asked, task.timeout_seconds)
    renew_lease(tx, task, desk.clock(), lease)
    return told(desk, tx, case, case, task_id) | {"lease_seconds": round(lease)}
