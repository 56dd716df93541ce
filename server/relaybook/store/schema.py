"""The tables of the ledger, as numbered migrations that never change once released.

One text serves both engines: `{int}`, `{real}`, `{strict}` and `{keyed}` are the words that
differ. Small rows that are found by their key alone are `{keyed}`: SQLite keeps them in the index
of the key, so that a write touches one page and not two.
Times are epoch seconds, JSON is TEXT, identifiers are made by the program.
"""

from collections.abc import Mapping

#: Marks a file as ours in SQLite's header ("rlyb").
APPLICATION_ID = 0x726C7962

WORKFLOWS = """
CREATE TABLE workflows (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    pattern TEXT NOT NULL
        CHECK (pattern IN ('fan_out', 'pipeline', 'supervisor', 'expert_panel', 'map_reduce')),
    max_parallel {int} NOT NULL CHECK (max_parallel > 0),
    request_id TEXT UNIQUE,
    request_hash TEXT,
    metadata TEXT NOT NULL,
    options TEXT NOT NULL,
    decision TEXT CHECK (decision IN ('cancelled', 'partial', 'finished')),
    seq {int} NOT NULL CHECK (seq > 0),
    plan_seq {int} NOT NULL CHECK (plan_seq <= seq),
    total {int} NOT NULL,
    pending {int} NOT NULL CHECK (pending >= 0),
    ready {int} NOT NULL CHECK (ready BETWEEN 0 AND pending),
    undecided {int} NOT NULL CHECK (undecided BETWEEN 0 AND pending),
    in_progress {int} NOT NULL CHECK (in_progress >= 0),
    input_required {int} NOT NULL CHECK (input_required >= 0),
    review {int} NOT NULL CHECK (review >= 0),
    completed {int} NOT NULL CHECK (completed >= 0),
    failed {int} NOT NULL CHECK (failed >= 0),
    retryable {int} NOT NULL CHECK (retryable BETWEEN 0 AND failed),
    cancelled {int} NOT NULL CHECK (cancelled >= 0),
    not_applicable {int} NOT NULL CHECK (not_applicable >= 0),
    idle_reviews {int} NOT NULL CHECK (idle_reviews >= 0),
    created_at {real} NOT NULL,
    updated_at {real} NOT NULL,
    progressed_at {real} NOT NULL,
    told_at {real},
    ended_at {real},
    CHECK (total = pending + in_progress + input_required + review
        + completed + failed + cancelled + not_applicable)
) {strict}
"""

TASKS = """
CREATE TABLE tasks (
    workflow_id TEXT NOT NULL REFERENCES workflows ON DELETE CASCADE,
    id TEXT NOT NULL,
    position {int} NOT NULL,
    label TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'in_progress', 'input_required', 'review',
        'completed', 'failed', 'cancelled', 'not_applicable')),
    waiting_on {int} NOT NULL CHECK (waiting_on >= undecided),
    undecided {int} NOT NULL CHECK (undecided IN (0, 1)),
    chain {real} NOT NULL,
    expected_minutes {real} NOT NULL,
    timeout_seconds {int} NOT NULL,
    template TEXT NOT NULL,
    capability TEXT,
    skill TEXT,
    slug TEXT UNIQUE,
    hooks_due TEXT,
    spec TEXT NOT NULL,
    writes TEXT,
    replaced_by TEXT,
    attempt {int} NOT NULL CHECK (attempt >= 0),
    failures {int} NOT NULL CHECK (failures >= 0),
    final {int} NOT NULL CHECK (final IN (0, 1)),
    not_before {real},
    claim TEXT,
    session_key TEXT,
    started_at {real},
    lease_until {real},
    last_seen_at {real},
    result TEXT,
    summary TEXT,
    error_code TEXT,
    error TEXT,
    fingerprint TEXT,
    same_error {int} NOT NULL CHECK (same_error >= 0),
    ended_at {real},
    PRIMARY KEY (workflow_id, id),
    CHECK ((claim IS NOT NULL) = (status = 'in_progress')),
    CHECK ((lease_until IS NOT NULL) = (status = 'in_progress')),
    CHECK (replaced_by IS NULL OR status = 'cancelled'),
    CHECK ((ended_at IS NULL) = (status IN ('pending', 'in_progress', 'input_required')))
) {strict}
"""

ATTEMPTS = """
CREATE TABLE attempts (
    workflow_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    number {int} NOT NULL CHECK (number > 0),
    claim TEXT NOT NULL UNIQUE,
    session_key TEXT,
    actor TEXT NOT NULL,
    started_at {real} NOT NULL,
    ended_at {real},
    outcome TEXT CHECK (outcome IN
        ('completed', 'failed', 'expired', 'released', 'asked', 'cancelled')),
    error_code TEXT,
    error TEXT,
    output TEXT,
    prompt TEXT,
    questions TEXT,
    answer TEXT,
    PRIMARY KEY (workflow_id, task_id, number),
    FOREIGN KEY (workflow_id, task_id) REFERENCES tasks ON DELETE CASCADE,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) {keyed}
"""

EDGES = """
CREATE TABLE edges (
    workflow_id TEXT NOT NULL,
    needs TEXT NOT NULL,
    task_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('needs', 'on_failure', 'instead_of')),
    PRIMARY KEY (workflow_id, needs, task_id),
    FOREIGN KEY (workflow_id, needs) REFERENCES tasks ON DELETE CASCADE,
    FOREIGN KEY (workflow_id, task_id) REFERENCES tasks ON DELETE CASCADE
) {keyed}
"""

EVENTS = """
CREATE TABLE events (
    workflow_id TEXT NOT NULL REFERENCES workflows ON DELETE CASCADE,
    seq {int} NOT NULL,
    type TEXT NOT NULL,
    task_id TEXT,
    actor TEXT NOT NULL,
    at {real} NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (workflow_id, seq)
) {keyed}
"""

SCOPES = """
CREATE TABLE scopes (
    project TEXT NOT NULL,
    path TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    PRIMARY KEY (project, path),
    FOREIGN KEY (workflow_id, task_id) REFERENCES tasks ON DELETE CASCADE
) {keyed}
"""

TEXTS = """
CREATE TABLE texts (
    workflow_id TEXT NOT NULL REFERENCES workflows ON DELETE CASCADE,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (workflow_id, hash)
) {strict}
"""

PRINTS = """
CREATE TABLE prints (
    workflow_id TEXT NOT NULL REFERENCES workflows ON DELETE CASCADE,
    key {int} NOT NULL,
    tasks {int} NOT NULL CHECK (tasks > 0),
    PRIMARY KEY (workflow_id, key)
) {keyed}
"""

LESSONS = """
CREATE TABLE lessons (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    text TEXT NOT NULL,
    target TEXT NOT NULL,
    confidence TEXT NOT NULL CHECK (confidence IN ('low', 'medium', 'high')),
    evidence TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    skill TEXT,
    template TEXT NOT NULL,
    times {int} NOT NULL CHECK (times > 0),
    status TEXT NOT NULL CHECK (status IN ('proposed', 'accepted', 'rejected')),
    created_at {real} NOT NULL,
    decided_at {real},
    decided_by TEXT,
    reason TEXT,
    UNIQUE (project, fingerprint),
    CHECK ((decided_at IS NULL) = (status = 'proposed'))
) {strict}
"""

SKILL_STATS = """
CREATE TABLE skill_stats (
    skill TEXT PRIMARY KEY,
    stats TEXT NOT NULL
) {strict}
"""

#: What holds of a workflow that may have a task to offer; the breaker's rule is in `core.status`.
OFFERING = (
    "ended_at IS NULL AND ready + retryable > 0 AND in_progress < max_parallel"
    " AND failed < 3 AND failed < total"
)

#: What holds of a workflow that workers are busy with, one of whom may be gone.
BUSY = "ended_at IS NULL AND in_progress > 0"

INDEXES = (
    f"CREATE INDEX workflows_offering ON workflows (created_at, id) WHERE {OFFERING}",
    "CREATE INDEX workflows_open ON workflows (project, created_at) WHERE ended_at IS NULL",
    "CREATE INDEX workflows_made ON workflows (created_at DESC, id)",
    "CREATE INDEX workflows_recent ON workflows (updated_at)",
    "CREATE INDEX workflows_ended ON workflows (ended_at) WHERE ended_at IS NOT NULL",
    """CREATE INDEX tasks_by_status
        ON tasks (workflow_id, status, waiting_on, chain DESC, position)""",
    "CREATE INDEX tasks_in_order ON tasks (workflow_id, position)",
    "CREATE INDEX scopes_of ON scopes (workflow_id, task_id)",
    "CREATE INDEX tasks_timed ON tasks (template, ended_at) WHERE status = 'completed'",
    """CREATE INDEX events_of_task ON events (workflow_id, task_id, seq)
        WHERE task_id IS NOT NULL""",
    "CREATE INDEX edges_to ON edges (workflow_id, task_id)",
    "CREATE INDEX lessons_of ON lessons (project, target, created_at)",
    "CREATE INDEX lessons_accepted ON lessons (project, decided_at) WHERE status = 'accepted'",
    """CREATE INDEX tasks_of_skill ON tasks (skill)
        WHERE status = 'in_progress' AND skill IS NOT NULL""",
    "CREATE INDEX lessons_latest ON lessons (created_at DESC, id)",
    "CREATE INDEX lessons_decided ON lessons (decided_at DESC, id) WHERE decided_at IS NOT NULL",
    """CREATE INDEX stages_ended ON tasks (ended_at DESC, slug)
        WHERE slug IS NOT NULL AND ended_at IS NOT NULL""",
)

TOKENS = """
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('orchestrator', 'worker', 'all')),
    projects TEXT,
    created_at {real} NOT NULL,
    expires_at {real},
    revoked_at {real}
) {strict}
"""

PROJECT_SKILL_STATS = """
CREATE TABLE project_skill_stats (
    project TEXT NOT NULL,
    skill TEXT NOT NULL,
    stats TEXT NOT NULL,
    PRIMARY KEY (project, skill)
) {strict}
"""

READS = """
CREATE TABLE reads (
    workflow_id TEXT PRIMARY KEY REFERENCES workflows ON DELETE CASCADE,
    seq {int} NOT NULL CHECK (seq > 0)
) {strict}
"""

#: Statements per version, from version 1.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        *(WORKFLOWS, TASKS, ATTEMPTS, EDGES, EVENTS, SCOPES, TEXTS, PRINTS, LESSONS, SKILL_STATS),
        *INDEXES,
    ),
    (TOKENS, PROJECT_SKILL_STATS),
    (READS,),
    # Counted anew when somebody asks: they used to be at every start.
    ("DELETE FROM prints",),
    (f"CREATE INDEX workflows_busy ON workflows (created_at, id) WHERE {BUSY}",),
)

VERSION_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (version {int} NOT NULL) {strict}"

#: The primary key of each table, those that others refer to first.
KEYS: Mapping[str, tuple[str, ...]] = {
    "workflows": ("id",),
    "tasks": ("workflow_id", "id"),
    "attempts": ("workflow_id", "task_id", "number"),
    "edges": ("workflow_id", "needs", "task_id"),
    "events": ("workflow_id", "seq"),
    "scopes": ("project", "path"),
    "texts": ("workflow_id", "hash"),
    "prints": ("workflow_id", "key"),
    "reads": ("workflow_id",),
    "lessons": ("id",),
    "skill_stats": ("skill",),
    "project_skill_stats": ("project", "skill"),
    "tokens": ("id",),
}
