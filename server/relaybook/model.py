"""The words of relaybook and its frozen values: what a workflow, a task and an event are.

Knows no rule but which words exist; `core` holds the rules. Times are epoch seconds,
texts that may be large are named by their hash. Rows are named tuples: each call makes several
from what it reads and what it changes, and a frozen dataclass takes a call for every field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple

#: Which tools a caller is offered.
Role = Literal["orchestrator", "worker", "all"]
ROLES: tuple[Role, ...] = ("orchestrator", "worker", "all")


class Pattern(StrEnum):
    """How a workflow's tasks relate."""

    FAN_OUT = "fan_out"
    PIPELINE = "pipeline"
    SUPERVISOR = "supervisor"
    EXPERT_PANEL = "expert_panel"
    MAP_REDUCE = "map_reduce"


class Status(StrEnum):
    """The stored state of a task. Every other word for a task is derived when it is read."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    INPUT_REQUIRED = "input_required"
    REVIEW = "review"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NOT_APPLICABLE = "not_applicable"


#: Statuses that let the tasks after this one start, once its hooks are run or waived.
SETTLED = frozenset({Status.COMPLETED, Status.NOT_APPLICABLE})
#: Statuses that no worker call leaves again.
OVER = frozenset({Status.COMPLETED, Status.CANCELLED, Status.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True)
class Words:
    """What each view calls a stored status, and the icon that stands for it."""

    ledger: str
    item: str
    stage: str
    icon: str


#: The one mapping between the words of the views. A pending item whose task waits for
#: another is called `blocked` instead.
WORDS: Mapping[Status, Words] = {
    Status.PENDING: Words("pending", "todo", "pending", "⏳"),
    Status.IN_PROGRESS: Words("in_progress", "in_progress", "in_progress", "🔄"),
    Status.INPUT_REQUIRED: Words("input_required", "blocked", "in_progress", "❓"),
    Status.REVIEW: Words("review", "review", "in_progress", "🔍"),
    Status.COMPLETED: Words("completed", "done", "done", "✅"),
    Status.FAILED: Words("failed", "failed", "failed", "❌"),
    Status.CANCELLED: Words("cancelled", "failed", "skipped", "🚫"),
    Status.NOT_APPLICABLE: Words("not_applicable", "done", "skipped", "⏭"),
}


class WorkflowStatus(StrEnum):
    """The derived state of a workflow, from its counters and its decision."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    PARTIAL = "partial"
    CANCELLED = "cancelled"


class Decision(StrEnum):
    """What the user or the orchestrator decided about a whole workflow."""

    CANCELLED = "cancelled"
    PARTIAL = "partial"
    FINISHED = "finished"


class Outcome(StrEnum):
    """How an attempt ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    RELEASED = "released"
    ASKED = "asked"
    CANCELLED = "cancelled"


class Tier(StrEnum):
    """How far an action reaches: T1 reads, T2 writes the workspace, T3 and T4 reach the world."""

    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"


class FailureCode(StrEnum):
    """Why a task failed: the 14 modes of MAST (arXiv 2503.13657) and nine operational ones."""

    TASK_SPEC_DISOBEYED = "task_spec_disobeyed"
    ROLE_DISOBEYED = "role_disobeyed"
    STEP_REPETITION = "step_repetition"
    HISTORY_LOST = "history_lost"
    TERMINATION_UNAWARE = "termination_unaware"
    CONVERSATION_RESET = "conversation_reset"
    CLARIFICATION_NOT_ASKED = "clarification_not_asked"
    DERAILED = "derailed"
    INFORMATION_WITHHELD = "information_withheld"
    INPUT_IGNORED = "input_ignored"
    REASONING_ACTION_MISMATCH = "reasoning_action_mismatch"
    PREMATURE_TERMINATION = "premature_termination"
    VERIFICATION_MISSING = "verification_missing"
    VERIFICATION_INCORRECT = "verification_incorrect"
    TIMEOUT = "timeout"
    CRASH = "crash"
    MALFORMED_OUTPUT = "malformed_output"
    SCHEMA_VIOLATION = "schema_violation"
    TIER_VIOLATION = "tier_violation"
    RATE_LIMIT = "rate_limit"
    LOST_SESSION = "lost_session"
    UPSTREAM_FAILED = "upstream_failed"
    UNKNOWN = "unknown"


class EventType(StrEnum):
    """What can happen. Past tense; each concerns at most one task."""

    WORKFLOW_CREATED = "workflow_created"
    PLAN_CHANGED = "plan_changed"
    DECISION_RECORDED = "decision_recorded"
    USER_TOLD = "user_told"
    REVIEW_RECORDED = "review_recorded"
    TASK_ADDED = "task_added"
    TASK_STARTED = "task_started"
    SESSION_BOUND = "session_bound"
    TASK_COMPLETED = "task_completed"
    TASK_FAILED = "task_failed"
    FAILURE_NAMED = "failure_named"
    TASK_ASKED = "task_asked"
    TASK_ANSWERED = "task_answered"
    TASK_RELEASED = "task_released"
    TASK_REOPENED = "task_reopened"
    TASK_CANCELLED = "task_cancelled"
    TASK_REPLACED = "task_replaced"
    TASK_NOT_APPLICABLE = "task_not_applicable"
    ATTEMPT_EXPIRED = "attempt_expired"
    GATE_FAILED = "gate_failed"
    HOOKS_SETTLED = "hooks_settled"
    ARTIFACT_ADDED = "artifact_added"
    TEST_RECORDED = "test_recorded"
    METRIC_RECORDED = "metric_recorded"
    FINDING_ADDED = "finding_added"
    FOLLOWUP_ADDED = "followup_added"
    HANDOFF = "handoff"


#: What the work-item view calls the events of a task. The others are no events of an item.
#: An added task is also one `dependency_added` for each task that it waits for.
ITEM_EVENTS: Mapping[EventType, tuple[str, ...]] = {
    EventType.TASK_ADDED: ("created", "dependency_added"),
    EventType.TASK_REPLACED: ("dependency_added",),
    EventType.TASK_STARTED: ("started",),
    EventType.TASK_ASKED: ("status_change",),
    EventType.TASK_ANSWERED: ("status_change",),
    EventType.TASK_RELEASED: ("status_change",),
    EventType.TASK_REOPENED: ("status_change",),
    EventType.TASK_CANCELLED: ("status_change",),
    EventType.TASK_NOT_APPLICABLE: ("status_change",),
    EventType.ATTEMPT_EXPIRED: ("status_change",),
    EventType.GATE_FAILED: ("status_change",),
    EventType.ARTIFACT_ADDED: ("artifact_added",),
    EventType.METRIC_RECORDED: ("metric_recorded",),
    EventType.TEST_RECORDED: ("test_recorded",),
    EventType.FINDING_ADDED: ("finding_added",),
    EventType.FOLLOWUP_ADDED: ("followup_added",),
    EventType.HANDOFF: ("handoff",),
    EventType.TASK_COMPLETED: ("completed",),
    EventType.TASK_FAILED: ("failed",),
}


class EdgeKind(StrEnum):
    """Why a task waits for another: for its result, for its failure, or to run in its place."""

    NEEDS = "needs"
    ON_FAILURE = "on_failure"
    INSTEAD_OF = "instead_of"


class Workflow(NamedTuple):
    """One plan and its counters; a row of `workflows`."""

    id: str
    name: str
    project: str
    pattern: Pattern
    #: How many of its tasks may be in progress at once.
    max_parallel: int
    created_at: float
    updated_at: float
    #: When a task last started or completed, which is what the stall clock measures from.
    progressed_at: float
    #: Idempotency key of the call that made it, and the hash of that call's arguments.
    request_id: str | None = None
    request_hash: str | None = None
    #: Facts that the caller keeps with it, and options of the pattern, each a JSON object.
    metadata: str = "{}"
    options: str = "{}"
    decision: Decision | None = None
    #: Number of its last event, and of the last event that changed the plan.
    seq: int = 0
    plan_seq: int = 0
    #: Counters over its tasks. `ready` counts pending tasks that wait on nothing, `undecided`
    #: those that wait on a decision alone, `retryable` failed tasks that may start again.
    total: int = 0
    pending: int = 0
    ready: int = 0
    undecided: int = 0
    in_progress: int = 0
    input_required: int = 0
    review: int = 0
    completed: int = 0
    failed: int = 0
    retryable: int = 0
    cancelled: int = 0
    not_applicable: int = 0
    #: Reviews in a row that saw no progress.
    idle_reviews: int = 0
    #: When the orchestrator last recorded that the user was told.
    told_at: float | None = None
    ended_at: float | None = None


class Task(NamedTuple):
    """One piece of work for one worker; a row of `tasks`."""

    workflow_id: str
    id: str
    #: Place in the plan, from 0.
    position: int
    label: str
    #: Hash of the JSON text of its whole specification.
    spec: str
    template: str
    expected_minutes: float
    timeout_seconds: int
    status: Status = Status.PENDING
    #: How many of the tasks before it do not yet let it start, and one more while undecided.
    waiting_on: int = 0
    #: 1 until it is decided whether its condition holds; 0 for a task without one.
    undecided: int = 0
    #: Minutes from its start to the end of the longest chain that hangs on it.
    chain: float = 0.0
    capability: str | None = None
    #: The skill that it is assigned to, by its contract's name.
    skill: str | None = None
    #: The name of its work item, where it is a stage.
    slug: str | None = None
    #: Hooks that must be run or waived before the tasks after it start, a JSON array.
    hooks_due: str | None = None
    #: What it writes, a JSON array; None if it declares nothing.
    writes: str | None = None
    #: Ids of the tasks that took its place, a JSON array; it is then no longer of the plan.
    replaced_by: str | None = None
    #: Number of its last attempt; how many attempts ended failed or expired since the last reopen.
    attempt: int = 0
    failures: int = 0
    #: 1 if its error was marked final: no retry is left whatever the count.
    final: int = 0
    #: Before this time a retry is not offered.
    not_before: float | None = None
    #: Of the last attempt, over or not.
    session_key: str | None = None
    #: Of the attempt in progress.
    claim: str | None = None
    started_at: float | None = None
    lease_until: float | None = None
    last_seen_at: float | None = None
    #: Of the last outcome: hash of the result envelope, its summary, the error.
    result: str | None = None
    summary: str | None = None
    error_code: str | None = None
    error: str | None = None
    #: Its last error without what changes from time to time, and how often in a row it came.
    fingerprint: str | None = None
    same_error: int = 0
    ended_at: float | None = None


class Attempt(NamedTuple):
    """One start of a task and how it ended; a row of `attempts`."""

    workflow_id: str
    task_id: str
    number: int
    claim: str
    actor: str
    started_at: float
    session_key: str | None = None
    ended_at: float | None = None
    outcome: Outcome | None = None
    error_code: str | None = None
    error: str | None = None
    #: Hash of what the worker sent, word for word, and of the prompt that it was given.
    output: str | None = None
    prompt: str | None = None
    #: What it asked and what it was answered, each a JSON array of strings.
    questions: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """`task_id` waits for `needs`."""

    needs: str
    task_id: str
    kind: EdgeKind = EdgeKind.NEEDS


@dataclass(frozen=True, slots=True)
class Scope:
    """A path, folder or resource name that a task in progress is writing."""

    path: str
    workflow_id: str
    task_id: str
    #: How the user closed the workflow, if so.
    closed_as: str | None = None


class Event(NamedTuple):
    """One thing that happened to a workflow, never changed once written; a row of `events`."""

    workflow_id: str
    #: From 1, without a gap, in the order of the commits of its workflow.
    seq: int
    type: EventType
    task_id: str | None
    actor: str
    at: float
    data: Mapping[str, Any]
