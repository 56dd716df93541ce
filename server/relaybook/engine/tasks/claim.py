"""claim_task: a worker takes the next task that may start, and gets its prompt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.core.result.gates import Verdict
from relaybook.core.task.case import Case
from relaybook.core.task.close import refuse_decided
from relaybook.core.task.command import Start
from relaybook.core.task.machine import decide
from relaybook.core.task.start import refuse_held, refuse_start
from relaybook.core.text import storable, text_hash
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.judge import pass_intake
from relaybook.engine.prompts.prompt import Draft, spawn, task_prompt
from relaybook.engine.tasks.expire import end_lost_holders, without_expired
from relaybook.engine.tasks.offer import Nothing, candidates, idle, nothing, offering, why_not
from relaybook.engine.verdict import INTAKE, gate_told
from relaybook.engine.view.skill_breaker import refuse_resting
from relaybook.engine.view.unsettled import unsettled, why_unsettled
from relaybook.engine.view.waiting import blocked
from relaybook.errors import Blocked, Held, InvalidArguments, Refusal
from relaybook.model import Status, Task, Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow, load_case
from relaybook.store.ledger import apply
from relaybook.store.scopes import load_holders
from relaybook.store.texts import put_texts

LEASE_BOUNDS_SECONDS = (5, 24 * 3600)
SESSION_KEY_LIMIT = 200


@dataclass(frozen=True, slots=True)
class _Ask:
    """What a worker says of itself."""

    capabilities: Sequence[str]
    lease_seconds: float | None
    session_key: str | None
    actor: str


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that has begun."""

    case: Case
    task_id: str
    draft: Draft
    #: The verdict of its INTAKE gate; None where no rule of it could be broken.
    intake: Verdict | None

    @property
    def task(self) -> Task:
        return self.case.tasks[self.task_id]


def claim_task(
    desk: Desk,
    workflow_id: str | None = None,
    *,
    project: str | None = None,
    capabilities: Sequence[str] = (),
    lease_seconds: float | None = None,
    session_key: str | None = None,
    actor: str = "worker",
) -> dict[str, Any]:
    """Start the next task: retries first, then the one with the longest chain hanging on it.

    Without a workflow, the oldest open one of the project that has something to do. The
    lease is the task's timeout unless a shorter one is asked for. When nothing can start the
    answer has `claimed` false, says why, and when to ask again.

    Raises:
        UnknownWorkflow: `workflow_id` names none.
    """
    check_lease(lease_seconds)
    session_key = checked_session(session_key)
    ask = _Ask(capabilities, lease_seconds, session_key, actor)
    found: list[Nothing] = []
    faults: dict[str, Refusal] = {}
    for name in [workflow_id] if workflow_id else offering(desk, project, capabilities):
        claimed = None
        while claimed is None:
            claimed = _claim_in(desk, name, ask, faults)
        if not isinstance(claimed, Nothing):
            return claimed
        found.append(claimed)
    return nothing(found or idle(desk, project), faults)


def _claim_in(
    desk: Desk, workflow_id: str, ask: _Ask, faults: dict[str, Refusal]
) -> dict[str, Any] | Nothing | None:
    """Start a task of the workflow in one transaction, or say why none can start.

    None: an attempt that ran out of time was ended, and the workflow is to be tried again.
    """
    held: list[str] = []
    refused = 0
    with desk.store.transaction() as tx:
        workflow = get_workflow(tx, workflow_id, lock=True)
        for task_id in candidates(tx, workflow, ask.capabilities, desk.clock()):
            found = load_case(tx, workflow_id, task_id)
            case = without_expired(desk, tx, found, task_id, ask.actor)
            try:
                begun = start_attempt(
                    desk,
                    tx,
                    case,
                    task_id,
                    lease_seconds=ask.lease_seconds,
                    session_key=ask.session_key,
                    actor=ask.actor,
                )
            except Refusal as refusal:
                faults[task_id] = refusal
                refused += found.tasks[task_id].status is Status.PENDING
                if case is not found:
                    return None  # the locks of another start would come in the wrong order
                if isinstance(refusal, Held):
                    held.append(task_id)
            else:
                return {"claimed": True} | started(begun)
        left = why_not(tx, workflow, desk.clock(), refused)
    # A list: each of them is to be freed, not the first alone.
    freed = [end_lost_holders(desk, workflow_id, name, ask.actor) for name in held]
    return None if any(freed) else left


def check_lease(lease_seconds: float | None) -> None:
    """Refuse a lease that is too short or too long.

    Raises:
        InvalidArguments: with the bounds.
    """
    low, high = LEASE_BOUNDS_SECONDS
    if lease_seconds is not None and not low <= lease_seconds <= high:
        raise InvalidArguments(
            f"lease_seconds is {lease_seconds}.",
            allowed=f"{low} to {high}",
            next="leave it out for the task's own timeout",
        )


def checked_session(session_key: str | None) -> str | None:
    """`session_key` as it is stored.

    Raises:
        InvalidArguments: it is empty or too long.
    """
    if session_key is None or 1 <= len(session_key) <= SESSION_KEY_LIMIT:
        return session_key and storable(session_key)
    raise InvalidArguments(
        f"session_key is {len(session_key)} characters long.",
        allowed=f"1 to {SESSION_KEY_LIMIT} characters",
        next="send the key that your host lists the session under",
    )


def start_attempt(
    desk: Desk,
    tx: Tx,
    case: Case,
    task_id: str,
    *,
    lease_seconds: float | None = None,
    session_key: str | None = None,
    override: str = "",
    actor: str,
) -> Begun:
    """Begin an attempt: the one way in, for a claim and for an orchestrator's start.

    Raises:
        PromptBlocked: its INTAKE gate fails, and no `override` says why it starts all the same.
        Held: others write what it would; `past_the_lost` sees whether they still do.
        Refusal: the task may not start, or has no prompt; nothing was written.
    """
    task = case.tasks[task_id]
    refuse_decided(case.workflow)
    _refuse_behind_unsettled(tx, case.workflow, task)
    try:
        refuse_start(case.workflow, task)
    except Blocked as refusal:
        raise blocked(tx, task, refusal) from None
    refuse_resting(desk, tx, task, desk.clock())
    case = load_holders(tx, case, task_id)
    refuse_held(case, task)
    draft = task_prompt(desk, tx, case.workflow, task)
    verdict, overrides = pass_intake(desk, tx, case.workflow, task, draft, override)
    longest = float(task.timeout_seconds)
    command = Start(
        at=desk.clock(),
        actor=actor,
        task_id=task_id,
        claim=desk.token(16),
        lease_seconds=min(lease_seconds or longest, longest),
        session_key=session_key,
        prompt=text_hash(draft.prompt.text),
        override=override if overrides else "",
        overrides=overrides,
    )
    after = apply(tx, case, decide(case, command))
    put_texts(tx, case.workflow.id, [draft.prompt.text])
    desk.keep_spec(case.workflow.id, task_id, draft.spec)  # its end will ask for it
    return Begun(after, task_id, draft, verdict)


def _refuse_behind_unsettled(tx: Tx, workflow: Workflow, task: Task) -> None:
    """Refuse a task that waits for a stage which is unsettled.

    Raises:
        HooksPending, InReview: with the call that goes on.
    """
    if task.waiting_on <= task.undecided:
        return
    stage = unsettled(tx, workflow)
    if stage is not None and stage.slug is not None and stage.position < task.position:
        raise why_unsettled(tx, stage)


def started(begun: Begun) -> dict[str, Any]:
    """What a worker needs: the claim, the prompt, the time it has; of a stage its gate too."""
    case, task = begun.case, begun.task
    lease = (task.lease_until or 0.0) - (task.last_seen_at or 0.0)
    said: dict[str, Any] = {
        "workflow_id": case.workflow.id,
        "task_id": task.id,
        "attempt": task.attempt,
        "claim": task.claim,
        "lease_seconds": round(lease),
        "seq": case.workflow.seq,
        "spawn": spawn(task, begun.draft.template),
        "prompt": begun.draft.prompt.text,
    }
    return said | ({"gate": gate_told(INTAKE, begun.intake)} if begun.intake else {})
