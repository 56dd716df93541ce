"""Whole lives of workflows of every pattern on a virtual clock, with every kind of trouble.

Each life is drawn from a seed. First there is trouble: workers fail, answer malformed, ask, go
silent and come late; tasks are cancelled, plans changed, breakers tripped and decided on. Then
all who are left behave. Every workflow must come to a legal end, with every invariant intact on
the way. `RELAYBOOK_SIMULATIONS` says how many lives there are; a seed that once failed stays in
`REGRESSIONS`.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from relaybook.core.scope import overlap
from relaybook.core.task.case import Case, evolve, opened
from relaybook.core.task.edges import lets_start
from relaybook.core.task.status import (
    ENDED,
    breaker_open,
    is_ready,
    is_retryable,
    waits_for_decision,
    workflow_status,
)
from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.errors import Refusal
from relaybook.model import Edge, EdgeKind, Event, EventType, Pattern, Status, Task
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow
from relaybook.store.events import read_events
from relaybook.store.sqlite import SqliteStore
from relaybook.store.tables import ATTEMPTS, TASKS
from tests.helpers import Clock, engine_on, result, task, update

LIVES = int(os.environ.get("RELAYBOOK_SIMULATIONS", "150"))
REGRESSIONS: tuple[int, ...] = (135, 278, 825)
#: Steps of trouble, and of calm within which a life must end.
TROUBLE, CALM = 40, 150
#: Between two looks at all rows.
LOOK_EVERY = 8

#: What workers do, and how often in a hundred.
DEEDS: dict[str, int] = {
    "complete": 38, "partial": 4, "malformed": 6, "error": 8, "transient": 8, "final": 4,
    "ask": 7, "give_back": 4, "tier": 2, "beat": 4, "silent": 15,
}  # fmt: skip
#: What the orchestrator and the user do.
MOVES: dict[str, int] = {
    "claim": 40, "start": 12, "late": 8, "wait": 14, "answer": 8, "decide": 6, "add": 3,
    "replace": 4, "cancel": 2, "condition": 8, "review": 2, "tell": 1, "lost": 3, "end": 1,
}  # fmt: skip


class Life:
    """One workflow from its plan to its end."""

    def __init__(self, engine: Engine, clock: Clock, seed: int) -> None:
        self.engine, self.clock, self.seed = engine, clock, seed
        self.random = random.Random(seed)
        self.pattern = self.random.choice(list(Pattern))
        self.added = 0
        #: Workers at work and workers whose time is over, each with task and claim.
        self.working: list[tuple[str, str]] = []
        self.gone: list[tuple[str, str]] = []
        self.name = self.create()

    def create(self) -> str:
        count = self.random.randint(1, 8)
        tasks: list[dict[str, Any]] = []
        for place in range(count):
            tasks.append(self.planned(f"t{place}", tasks))
        return self.engine.create_workflow(
            self.pattern,
            "life",
            tasks=tasks,
            project=f"p{self.seed}",
            max_parallel=self.random.randint(1, 6),
        )["workflow_id"]

    def planned(self, name: str, before: list[dict[str, Any]]) -> dict[str, Any]:
        earlier = [each["id"] for each in before]
        said: dict[str, Any] = {"expected_minutes": self.random.choice([5, 10, 15])}
        if self.random.random() < 0.4:
            said["writes"] = [self.random.choice(["src/", "src/a", "src/b", "docs"])]
        if self.pattern is Pattern.EXPERT_PANEL:
            said["expert_role"] = f"expert {name}"
        if self.random.random() < 0.3:
            said["when"] = "there is a reason"
        needs: list[str] = []
        if earlier and self.pattern in (Pattern.PIPELINE, Pattern.SUPERVISOR):
            needs = self.random.sample(earlier, min(len(earlier), self.random.randint(0, 2)))
            rest = [each for each in earlier if each not in needs]
            if rest and self.random.random() < 0.25:
                said["on_failure"] = self.random.choice(rest)
            elif needs and self.random.random() < 0.5:
                said["takes"] = [{"from": needs[0]}]
            elif others := [each["id"] for each in before if self.may_give_way(each, needs)]:
                said["instead_of"] = self.random.choice(others)
        return task(name, *needs, **said)

    def may_give_way(self, other: dict[str, Any], needs: list[str]) -> bool:
        free = "when" in other and "instead_of" not in other
        return free and other["id"] not in needs

    def live(self) -> None:
        """From trouble to calm; fails if the end is not legal."""
        for step in range(TROUBLE):
            if self.ended():
                break
            self.trouble()
            if step % LOOK_EVERY == 0:
                self.look()
        for _ in range(CALM):
            if self.ended() and not self.working:
                break
            self.calm()
        self.look()
        with self.engine.store.read() as tx:
            replay(tx, self.name)
        assert self.ended(), self.engine.show_workflow(self.name)

    def ended(self) -> bool:
        return self.row().ended_at is not None

    def row(self) -> Any:
        with self.engine.store.read() as tx:
            return get_workflow(tx, self.name)

    def tasks(self, *status: Status) -> list[Task]:
        with self.engine.store.read() as tx:
            found = TASKS.find(tx, "WHERE workflow_id = :id ORDER BY position", id=self.name)
        return [each for each in found if each.replaced_by is None and each.status in status]

    def look(self) -> None:
        with self.engine.store.read() as tx:
            check(tx, self.name)

    def attempt(self, verb: Callable[..., Any], *args: Any, **said: Any) -> Any:
        """What `verb` answers; None if it is refused, with words that help."""
        try:
            return verb(*args, **said)
        except Refusal as refused:
            refusal = refused
        assert refusal.message
        assert refusal.next or refusal.allowed
        return None

    def update(self, task_id: str, status: str, **said: Any) -> Any:
        return self.attempt(update, self.engine, self.name, task_id, status, **said)

    def draw(self, weights: dict[str, int]) -> str:
        return self.random.choices(list(weights), list(weights.values()))[0]

    # Trouble

    def trouble(self) -> None:
        getattr(self, f"do_{self.draw(MOVES)}")()
        if self.working and self.random.random() < 0.6:
            self.deed(self.draw(DEEDS))

    def deed(self, deed: str) -> None:
        place = self.random.randrange(len(self.working))
        task_id, claim = self.working[place]
        self.clock.move(self.random.choice([1.0, 60.0, 240.0]))
        if deed not in ("malformed", "beat"):
            del self.working[place]
            self.gone.append((task_id, claim))
        self.say(deed, task_id, claim)

    def say(self, deed: str, task_id: str, claim: str) -> Any:
        error = f"{deed} {self.random.randint(0, 3)}"
        block: dict[str, dict[str, Any]] = {
            "complete": {"data": {"by": claim}},
            "partial": {"status": "partial", "gaps": ["one file"]},
            "error": {"status": "error", "error": {"code": "crash", "message": error}},
            "ask": {"status": "needs_input", "questions": ["which?", "when?"]},
            "tier": {"actions_taken": [{"action": "deploy", "tier": "T3"}]},
        }
        if deed == "silent":
            return None
        if deed in block:
            said: dict[str, Any] = {"status": "completed", "output": result(**block[deed])}
        else:
            said = {
                "malformed": {"status": "completed", "output": "I am done."},
                "transient": {"status": "failed", "error": error, "error_code": "rate_limit"},
                "final": {"status": "failed", "error": error, "final": True},
                "give_back": {"status": "pending"},
                "beat": {"status": "in_progress"},
            }[deed]
        return self.update(task_id, claim=claim, **said)

    def do_claim(self) -> None:
        lease = self.random.choice([None, None, 30.0, 300.0])
        answer = self.engine.claim_task(self.name, lease_seconds=lease)
        if answer["claimed"]:
            self.working.append((answer["task_id"], answer["claim"]))

    def do_start(self) -> None:
        found = self.tasks(*Status)
        if found:
            name, session = self.random.choice(found).id, self.random.choice([None, "s1", "s2"])
            answer = self.update(name, "in_progress", session_key=session)
            if answer and "lease_seconds" in answer:
                self.working.append((name, answer["claim"]))

    def do_late(self) -> None:
        if self.gone:
            task_id, claim = self.random.choice(self.gone)
            self.attempt(
                lambda: self.say(self.random.choice(["complete", "error"]), task_id, claim)
            )

    def do_wait(self) -> None:
        self.clock.move(self.random.choice([10.0, 31.0, 130.0, 700.0, 2_000.0]))

    def do_answer(self) -> None:
        for each in self.tasks(Status.INPUT_REQUIRED):
            self.resolve("answer", task_id=each.id, answers=("this", "now"))

    def do_decide(self) -> None:
        if self.random.random() < 0.3:
            self.resolve("adjust")
            self.do_replace()
        else:
            self.resolve("retry_failed")

    def do_add(self) -> None:
        names = [each.id for each in self.tasks(*Status)]
        self.change(self.planned(self.fresh(), [{"id": each} for each in names]))

    def do_replace(self) -> None:
        worst = self.tasks(Status.FAILED, Status.CANCELLED, Status.PENDING)
        if not worst:
            return
        old = self.random.sample(worst, min(len(worst), self.random.randint(1, 2)))
        plan = [self.planned(self.fresh(), []) for _ in range(self.random.randint(0, 2))]
        self.change(*plan, replaces=[each.id for each in old])

    def fresh(self) -> str:
        self.added += 1
        return f"n{self.added}"

    def change(self, *plan: dict[str, Any], **said: Any) -> None:
        self.attempt(lambda: self.engine.change_plan(self.name, add=plan, reason="trouble", **said))

    def do_cancel(self) -> None:
        if found := self.tasks(Status.PENDING, Status.IN_PROGRESS, Status.FAILED):
            name = self.random.choice(found).id
            self.update(name, "cancelled")

    def do_condition(self) -> None:
        if found := [each for each in self.tasks(Status.PENDING) if each.undecided]:
            decision = self.random.choice(["applicable", "applicable", "not_applicable"])
            self.resolve(decision, task_id=self.random.choice(found).id)

    def do_review(self) -> None:
        said = {"satisfied": False, "looping": False, "progressing": self.random.random() < 0.5}
        self.engine.record("review", [said | {"decision": "retry"}], workflow_id=self.name)

    def do_tell(self) -> None:
        self.engine.record("user_told", [{}], workflow_id=self.name)

    def do_lost(self) -> None:
        for line in self.engine.show_workflow(self.name, running_sessions=["s1"])["sessions"]:
            if line["verdict"] == "lost":
                said = {"error": "gone", "error_code": "lost_session"}
                self.update(line["task_id"], "failed", **said)

    def do_end(self) -> None:
        self.resolve(self.random.choice(["cancel", "accept_partial", "finish"]))

    def resolve(self, decision: str, **said: Any) -> Any:
        said = {"workflow_id": self.name, "decision": decision, "reason": "as it is"} | said
        return self.attempt(self.engine.resolve, Resolution(**said))

    # Calm

    def calm(self) -> None:
        """Everybody does what the answers say: work is finished, questions answered, ends made."""
        self.do_answer()
        self.do_condition()
        self.do_claim()
        while self.working:
            task_id, claim = self.working.pop()
            self.say("complete", task_id, claim)
        row = self.row()
        if row.ended_at is None and breaker_open(row.failed, row.total):
            self.resolve("accept_partial")
        elif row.pattern is Pattern.SUPERVISOR and row.completed + row.not_applicable == row.total:
            self.resolve("finish")
        self.clock.move(60)


def whole_case(tx: Tx, workflow_id: str) -> Case:
    """Everything that the ledger knows of a workflow."""
    where = "WHERE workflow_id = :id"
    edges: dict[str, list[Edge]] = {}
    sql = f"SELECT needs, task_id, kind FROM edges {where} ORDER BY needs, task_id"
    for needs, task_id, kind in tx.rows(sql, {"id": workflow_id}):
        edges.setdefault(needs, []).append(Edge(needs, task_id, EdgeKind(kind)))
    return Case(
        workflow=get_workflow(tx, workflow_id),
        tasks={each.id: each for each in TASKS.find(tx, where, id=workflow_id)},
        attempts={(a.task_id, a.number): a for a in ATTEMPTS.find(tx, where, id=workflow_id)},
        edges=edges,
    )


def check(tx: Tx, workflow_id: str) -> None:
    """What holds of the rows of a workflow whatever happened."""
    case = whole_case(tx, workflow_id)
    workflow = case.workflow
    tasks = [each for each in case.tasks.values() if each.replaced_by is None]
    by_status = Counter(each.status for each in tasks)
    assert {status: getattr(workflow, status) for status in Status} == {
        status: by_status[status] for status in Status
    }
    assert workflow.total == len(tasks)
    assert workflow.ready == sum(map(is_ready, tasks))
    assert workflow.retryable == sum(is_retryable(t) and t.waiting_on == 0 for t in tasks)
    assert workflow.in_progress <= workflow.max_parallel
    assert (workflow.ended_at is not None) == (workflow_status(workflow) in ENDED)
    unmet = Counter(
        edge.task_id
        for needs, edges in case.edges.items()
        for edge in edges
        if not lets_start(edge.kind, case.tasks[needs])
    )
    assert {t.id: t.waiting_on - t.undecided for t in tasks} == {t.id: unmet[t.id] for t in tasks}
    assert workflow.undecided == sum(map(waits_for_decision, tasks))
    open_attempts = [(a.task_id, a.claim) for a in case.attempts.values() if a.ended_at is None]
    assert sorted(open_attempts) == sorted((t.id, t.claim) for t in tasks if t.claim)
    assert all(each.failures <= 3 for each in tasks)
    count = "SELECT count(*), min(seq), max(seq) FROM events WHERE workflow_id = :id"
    assert tx.rows(count, {"id": workflow_id}) == [(workflow.seq, 1, workflow.seq)]
    check_scopes(tx, case)


def check_scopes(tx: Tx, case: Case) -> None:
    """Those in progress hold what they write, nobody else does, and no two overlap."""
    sql = "SELECT path, task_id FROM scopes WHERE project = :project"
    held = [(path, name) for path, name in tx.rows(sql, {"project": case.workflow.project})]
    writers = {t.id for t in case.tasks.values() if t.writes and t.status is Status.IN_PROGRESS}
    assert {name for _, name in held} == writers
    for (one, its), (other, others) in combinations(held, 2):
        assert its == others or not overlap(one, other)


def replay(tx: Tx, workflow_id: str) -> None:
    """Every event was allowed at its time, no task has two results, and all give the rows."""
    events = read_events(tx, workflow_id, 0, limit=1_000_000)
    case = opened(events[0])
    for event in events[1:]:
        if event.type is EventType.TASK_STARTED:
            check_start(case, case.tasks[str(event.task_id)])
        case = evolve(case, [event])
    results = Counter(event.task_id for event in completed(events))
    assert all(number == 1 for number in results.values())
    stored = whole_case(tx, workflow_id)
    assert stored.workflow == case.workflow
    assert {name: at_rest(t) for name, t in stored.tasks.items()} == {
        name: at_rest(t) for name, t in case.tasks.items()
    }
    assert stored.attempts == case.attempts
    assert edges_of(stored) == edges_of(case)


def completed(events: list[Event]) -> Iterator[Event]:
    return (event for event in events if event.type is EventType.TASK_COMPLETED)


def at_rest(found: Task) -> Task:
    return found._replace(lease_until=None, last_seen_at=None)


def edges_of(case: Case) -> set[Edge]:
    return {edge for edges in case.edges.values() for edge in edges}


def check_start(case: Case, starting: Task) -> None:
    """A start is allowed only where everything before the task lets it, and the breaker too."""
    before = [
        (edge.kind, case.tasks[edge.needs])
        for edge in edges_of(case)
        if edge.task_id == starting.id
    ]
    assert all(lets_start(kind, source) for kind, source in before)
    assert not starting.undecided
    assert not breaker_open(case.workflow.failed, case.workflow.total)
    assert case.workflow.decision is None
    assert starting.status in (Status.PENDING, Status.FAILED)
    assert starting.failures < 3
    assert starting.replaced_by is None
    assert not starting.final or starting.status is Status.PENDING


def live(folder: Path, seeds: range | tuple[int, ...]) -> Counter[str]:
    """How the lives of these seeds ended."""
    store, clock = SqliteStore(folder / "ledger.db", "normal"), Clock()
    engine = engine_on(store, clock)
    ends: Counter[str] = Counter()
    try:
        for seed in seeds:
            life = None
            try:
                life = Life(engine, clock, seed)
                life.live()
            except BaseException as error:
                error.add_note(f"seed {seed}, workflow {life.name if life else 'not made'}")
                raise
            ends[f"{life.pattern} {workflow_status(life.row())}"] += 1
    finally:
        store.close()
    return ends


@pytest.mark.timeout(7_200)
@pytest.mark.requirement("S84", "S87", "S88", "S91", "S92", "S96", "S106", "A8", "A9")
def test_every_life_comes_to_a_legal_end(tmp_path: Path) -> None:
    ends = live(tmp_path, range(LIVES))

    assert ends.total() == LIVES
    assert {name.split()[0] for name in ends} == {str(each) for each in Pattern}
    assert {name.split()[1] for name in ends} == {"completed", "failed", "partial", "cancelled"}


@pytest.mark.parametrize("seed", REGRESSIONS)
def test_a_life_that_once_ended_badly_ends_well(tmp_path: Path, seed: int) -> None:
    assert live(tmp_path, (seed,)).total() == 1
