"""The shapes of the tools' answers; what is not always there is left out, never null."""

from typing import Any, TypedDict

# Each class is published as a tool's output schema, so its members are few and its words none.


class Told(TypedDict, total=False):
    workflow_id: str
    seq: int
    summary: str
    next: str


class Created(Told, total=False):
    status: str
    progress: str
    ready: list[str]
    findings: list[dict[str, Any]]
    dry_run: bool
    tasks: list[dict[str, Any]]
    stages: list[dict[str, Any]]
    cost: dict[str, Any]
    repeated: bool


class Planned(Told, total=False):
    pattern: str
    why: str
    decided_by: str
    order: str
    also_matched: list[dict[str, Any]]
    runner_up: str
    mode: dict[str, Any]
    workers: dict[str, int]
    tool_calls_per_worker: list[int]
    sweet_spot: list[int]
    waves: list[int]
    compare: list[dict[str, Any]]
    batches: dict[str, Any]
    cost: dict[str, Any]
    expected: dict[str, Any]
    recipe: str
    unanswered: list[str]
    warnings: list[dict[str, Any]]


class Changed(Told, total=False):
    progress: str
    findings: list[dict[str, Any]]


class Resolved(Told, total=False):
    decision: str
    status: str
    progress: str
    open: list[dict[str, Any]]
    lessons: list[dict[str, Any]]
    reopened: list[str]
    repeated: bool


class Cleaned(Told, total=False):
    removed: int
    found: int
    workflows: list[str]


class Updated(Told, total=False):
    task_id: str
    status: str
    attempt: int
    claim: str
    lease_seconds: int
    workflow_status: str
    progress: str
    ready: list[str]
    error: dict[str, Any]
    flags: list[str]
    gaps: list[str]
    spawn: dict[str, Any]
    prompt: str
    coverage: dict[str, list[str]]
    repeated: bool
    results: list[dict[str, Any]]


class Claimed(Told, total=False):
    claimed: bool
    task_id: str
    attempt: int
    claim: str
    lease_seconds: int
    spawn: dict[str, Any]
    prompt: str
    reason: str
    retry_after_seconds: int


class Rendered(Told, total=False):
    task_id: str
    prompt: str
    spawn: dict[str, Any]
    gate: dict[str, Any]
    findings: list[dict[str, Any]]
    budget: dict[str, Any]
    flags: list[str]
    removed_characters: int


class Shown(Told, total=False):
    name: str
    type: str
    project: str
    status: str
    progress: str
    counts: dict[str, int]
    elapsed_seconds: int
    created_at: str
    updated_at: str
    breaker_open: bool
    blocked: bool
    stalled: bool
    update_due: bool
    replan: bool
    standing_still: str
    tasks: list[dict[str, Any]]
    ready: list[str]
    failed: list[dict[str, Any]]
    asking: list[dict[str, Any]]
    overdue: list[str]
    undecided: list[str]
    held: list[dict[str, Any]]
    too_large: list[str]
    sessions: list[dict[str, Any]]
    events: list[dict[str, Any]]
    more_events: bool
    goal: str
    decisions: list[str]
    done: list[dict[str, Any]]
    running: list[dict[str, Any]]
    lessons: list[dict[str, Any]]
    waiting_for_user: list[dict[str, Any]]
    shared_decisions: list[str]
    metadata: str
    cut: dict[str, str]
    workflows: list[dict[str, Any]]
    cursor: str


class Aggregated(Told, total=False):
    type: str
    status: str
    counts: dict[str, int]
    totals: dict[str, int]
    tasks: list[dict[str, Any]]
    gaps: list[dict[str, Any]]
    parent_actions: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]
    duplicates: list[dict[str, Any]]
    dissent: list[dict[str, Any]]
    coverage_problems: list[dict[str, Any]]
    carry_over: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    records: list[dict[str, Any]]
    merged: dict[str, Any]
    chain: dict[str, Any]
    supervision: dict[str, Any]
    panel: dict[str, Any]
    choice: dict[str, Any]
    risk: dict[str, Any]
    coverage: dict[str, Any]
    brief: dict[str, Any]
    changed: dict[str, Any]
    cursor: str


class Page(TypedDict, total=False):
    uri: str
    mime_type: str
    text: str
    total_chars: int
    cursor: str


class Advanced(Told, total=False):
    stage: int
    task_id: str
    status: str
    progress: str
    gate: dict[str, Any]
    hooks: list[dict[str, Any]]
    current: dict[str, Any]
    blocked: dict[str, Any]
    complete: bool
    repeated: bool
    not_recorded: str


class Found(Told, total=False):
    skills: list[dict[str, Any]]
    pipeline: list[dict[str, Any]]
    problems: list[str]
