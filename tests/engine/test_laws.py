"""The two laws of the ledger, over generated lives of generated workflows.

Replaying the recorded events gives the rows; a refusal leaves no trace. With them, what must
hold of every row whatever happened. Verbs go through the engine; what it has no verb for yet
goes through `decide` and `apply`.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from relaybook.core.task.case import Case, evolve, opened
from relaybook.core.task.command import Answer, Close, Command, Note, RetryFailed
from relaybook.core.task.edges import lets_start
from relaybook.core.task.machine import decide
from relaybook.core.task.status import ENDED, breaker_open, is_ready, is_retryable, workflow_status
from relaybook.errors import Refusal
from relaybook.model import (
    Attempt,
    Decision,
    Edge,
    EdgeKind,
    Event,
    EventType,
    Pattern,
    Status,
    Task,
    Workflow,
)
from relaybook.store.base import Store, Tx
from relaybook.store.cases import get_workflow, load_case
from relaybook.store.events import read_events
from relaybook.store.ledger import apply
from relaybook.store.tables import ATTEMPTS, TASKS, WORKFLOWS
from tests.helpers import STORES, Clock, dump, engine_on, open_ledger, result, task, update

#: Patterns whose tasks may wait for each other.
ORDERED = (Pattern.PIPELINE, Pattern.SUPERVISOR)
MESSAGES = ("done", "done", "done", "other", "needs_input", "error", "tier")


def whole_case(tx: Tx, workflow_id: str) -> Case:
    """Everything that the ledger knows of a workflow."""
    workflow = get_workflow(tx, workflow_id, lock=True)
    where = "WHERE workflow_id = :id"
    edges: dict[str, list[Edge]] = {}
    sql = f"SELECT needs, task_id, kind FROM edges {where} ORDER BY needs, task_id"
    for needs, task_id, kind in tx.rows(sql, {"id": workflow_id}):
        edges.setdefault(needs, []).append(Edge(needs, task_id, EdgeKind(kind)))
    tasks = {each.id: each for each in TASKS.find(tx, where, id=workflow_id)}
    attempts = {(a.task_id, a.number): a for a in ATTEMPTS.find(tx, where, id=workflow_id)}
    return Case(workflow=workflow, tasks=tasks, attempts=attempts, edges=edges)


def comparable(
    case: Case,
) -> tuple[Workflow, Mapping[str, Task], Mapping[tuple[str, int], Attempt], set[Edge]]:
    """A case without the two columns that renewing a lease changes."""
    tasks = {
        name: each._replace(lease_until=None, last_seen_at=None)
        for name, each in case.tasks.items()
    }
    edges = {edge for group in case.edges.values() for edge in group}
    return case.workflow, tasks, case.attempts, edges


def all_events(tx: Tx, workflow_id: str, after: int = 0) -> list[Event]:
    return read_events(tx, workflow_id, after, limit=1_000_000)


class Lives(RuleBasedStateMachine):
    """Workflows under every call there is, right and wrong, at a clock that only rules move."""

    kind: str

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ledger: Store = open_ledger(self.kind, self.folder)
        self.clock = Clock()
        self.engine = engine_on(self.ledger, self.clock)
        self.workflows: list[str] = []
        #: What the events say, folded one by one; and every claim ever given.
        self.folded: dict[str, Case] = {}
        self.claims: list[str] = []

    def teardown(self) -> None:
        try:
            self.replay_into_an_empty_store()
        finally:
            self.ledger.close()
            shutil.rmtree(self.folder)

    def replay_into_an_empty_store(self) -> None:
        (self.folder / "replay").mkdir()
        copy = open_ledger(self.kind, self.folder / "replay")
        for name in self.workflows:
            with self.ledger.read() as tx:
                original, events = whole_case(tx, name), all_events(tx, name)
            with copy.transaction() as tx:
                case = apply(tx, None, events[: original.workflow.total + 1])
                for event in events[original.workflow.total + 1 :]:
                    case = apply(tx, case, [event])
                assert comparable(whole_case(tx, name)) == comparable(original)
                assert all_events(tx, name) == events
        copy.close()

    def call(self, verb: Callable[[], Any]) -> Any:
        """What `verb` answers; None if it is refused, and then nothing may have changed."""
        before = dump(self.ledger)
        try:
            return verb()
        except Refusal:
            assert dump(self.ledger) == before
            return None

    def command(self, workflow_id: str, command: Command, task_id: str = "") -> None:
        with self.ledger.transaction() as tx:
            case = load_case(tx, workflow_id, task_id) if task_id else whole_case(tx, workflow_id)
            if events := decide(case, command):
                apply(tx, case, events)

    def rows(self) -> list[Workflow]:
        with self.ledger.read() as tx:
            return WORKFLOWS.find(tx, "ORDER BY id")

    def some_task(self, data: st.DataObject, status: Status | None = None) -> tuple[str, str]:
        """A workflow and a task of it, mostly one of `status` where there is any."""
        every = [(w, each) for w in self.workflows for each in self.folded[w].tasks.values()]
        fitting = [(w, each) for w, each in every if each.status is status]
        if not fitting or data.draw(st.integers(0, 4)) == 0:
            fitting = every
        name, found = data.draw(st.sampled_from(fitting))
        return name, found.id

    def some_claim(self, data: st.DataObject, name: str, task_id: str) -> str | None:
        """None, which means the attempt in progress, its claim, or any that was ever given."""
        current = self.folded[name].tasks[task_id].claim
        return data.draw(st.sampled_from([None, current, *self.claims[-5:]]))

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.create(data)

    @precondition(lambda self: len(self.workflows) < 2)
    @rule(data=st.data())
    def create(self, data: st.DataObject) -> None:
        pattern = data.draw(st.sampled_from(list(Pattern)))
        plan: list[dict[str, Any]] = []
        for place in range(data.draw(st.integers(1, 6))):
            earlier = [each["id"] for each in plan] if pattern in ORDERED else []
            needs = (
                data.draw(st.lists(st.sampled_from(earlier), unique=True, max_size=2))
                if earlier
                else []
            )
            said: dict[str, Any] = {"expected_minutes": data.draw(st.sampled_from([1, 5, 20]))}
            rest = [name for name in earlier if name not in needs]
            if rest and data.draw(st.booleans()):
                said["on_failure"] = data.draw(st.sampled_from(rest))
            if pattern is Pattern.EXPERT_PANEL:
                said["expert_role"] = f"expert {place}"
            plan.append(task(f"t{place}", *needs, **said))
        width = data.draw(st.integers(1, 3))
        answer = self.call(
            lambda: self.engine.create_workflow(pattern, "life", tasks=plan, max_parallel=width)
        )
        self.workflows.append(answer["workflow_id"])

    @rule(data=st.data(), lease=st.sampled_from([None, 30.0]), anywhere=st.booleans())
    def claim(self, data: st.DataObject, lease: float | None, anywhere: bool) -> None:
        name = None if anywhere else data.draw(st.sampled_from(self.workflows))
        answer = self.call(lambda: self.engine.claim_task(name, lease_seconds=lease))
        if answer["claimed"]:
            self.claims.append(answer["claim"])
            return
        for row in self.rows():
            if name in (None, row.id) and row.decision is None:
                stopped = breaker_open(row.failed, row.total)
                assert stopped or row.ready == 0 or row.in_progress == row.max_parallel

    @rule(data=st.data(), session=st.sampled_from([None, "one", "two"]))
    def start(self, data: st.DataObject, session: str | None) -> None:
        name, task_id = self.some_task(data)
        answer = self.call(
            lambda: update(self.engine, name, task_id, "in_progress", session_key=session)
        )
        if answer and "claim" in answer:
            self.claims.append(answer["claim"])

    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        name, task_id = self.some_task(data, Status.IN_PROGRESS)
        claim = self.some_claim(data, name, task_id) or "none"
        self.call(lambda: update(self.engine, name, task_id, "in_progress", claim=claim))

    @rule(data=st.data(), message=st.sampled_from(MESSAGES))
    def finish(self, data: st.DataObject, message: str) -> None:
        name, task_id = self.some_task(data, Status.IN_PROGRESS)
        claim = self.some_claim(data, name, task_id)
        said: dict[str, Any] = {
            "needs_input": {"status": "needs_input", "questions": ["which?"]},
            "error": {"status": "error", "error": {"code": "crash", "message": "no"}},
            "tier": {"actions_taken": [{"action": "deploy", "tier": "T3"}]},
        }.get(message, {})
        text = result(message, **said)
        self.call(lambda: update(self.engine, name, task_id, "completed", output=text, claim=claim))

    @rule(data=st.data(), final=st.booleans(), code=st.sampled_from(["timeout", "crash"]))
    def fail(self, data: st.DataObject, final: bool, code: str) -> None:
        name, task_id = self.some_task(data, Status.IN_PROGRESS)
        claim = self.some_claim(data, name, task_id)
        said = {"error": "x", "error_code": code, "final": final, "claim": claim}
        self.call(lambda: update(self.engine, name, task_id, "failed", **said))

    @rule(data=st.data(), status=st.sampled_from(["pending", "cancelled", "input_required"]))
    def give_back_cancel_or_ask(self, data: st.DataObject, status: str) -> None:
        name, task_id = self.some_task(data, Status.IN_PROGRESS)
        claim = self.some_claim(data, name, task_id)
        self.call(lambda: update(self.engine, name, task_id, status, output="why?", claim=claim))

    @rule(data=st.data(), words=st.sampled_from(['["this"]', '["that"]']))
    def answer(self, data: st.DataObject, words: str) -> None:
        name, task_id = self.some_task(data, Status.INPUT_REQUIRED)
        command = Answer(at=self.clock(), actor="user", task_id=task_id, answer=words)
        self.call(lambda: self.command(name, command, task_id))

    @rule(data=st.data(), decision=st.sampled_from([*Decision, None, None, None]))
    def decide(self, data: st.DataObject, decision: Decision | None) -> None:
        name = data.draw(st.sampled_from(self.workflows))
        said: dict[str, Any] = {"at": self.clock(), "actor": "user"}
        if decision is None:
            self.call(lambda: self.command(name, RetryFailed(reason="again", **said)))
        elif data.draw(st.integers(0, 3)) == 0:  # a closed workflow has little life left
            close = Close(decision=decision, reason="enough", **said)
            self.call(lambda: self.command(name, close))
        else:
            self.call(
                lambda: self.command(
                    name, Note(task_id=None, notes=[(EventType.USER_TOLD, {})], **said)
                )
            )

    @rule(seconds=st.sampled_from([1.0, 31.0, 700.0, 2000.0]))
    def wait(self, seconds: float) -> None:
        self.clock.move(seconds)

    @invariant()
    def the_events_replayed_give_the_rows(self) -> None:
        for name in self.workflows:
            with self.ledger.read() as tx:
                known = self.folded.get(name)
                events = all_events(tx, name, known.workflow.seq if known else 0)
                for event in events:
                    known = self.fold(known, event)
                assert known is not None
                self.folded[name] = known
                stored = whole_case(tx, name)
                assert comparable(stored) == comparable(known)
                self.check(stored)
                count = "SELECT count(*), max(seq) FROM events WHERE workflow_id = :id"
                assert tx.rows(count, {"id": name}) == [(known.workflow.seq,) * 2]

    def fold(self, before: Case | None, event: Event) -> Case:
        """The case after one more event, which must have been allowed at that point."""
        if before is None:
            return opened(event)
        if event.type is EventType.TASK_STARTED:
            self.check_start(before, before.tasks[str(event.task_id)])
        after = evolve(before, [event])
        for name, was in before.tasks.items():
            if was.status is Status.COMPLETED:
                assert (after.tasks[name].status, after.tasks[name].result) == (
                    was.status,
                    was.result,
                )
        return after

    def check_start(self, case: Case, starting: Task) -> None:
        upstream = [
            (edge.kind, case.tasks[needs])
            for needs, edges in case.edges.items()
            for edge in edges
            if edge.task_id == starting.id
        ]
        assert all(lets_start(kind, source) for kind, source in upstream)
        assert not breaker_open(case.workflow.failed, case.workflow.total)
        assert case.workflow.decision is None
        assert starting.status in (Status.PENDING, Status.FAILED)
        assert starting.failures < 3

    def check(self, case: Case) -> None:
        """What holds of the rows of one workflow whatever happened."""
        workflow, tasks = case.workflow, case.tasks.values()
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
        assert {each.id: each.waiting_on for each in tasks} == {
            each.id: unmet[each.id] for each in tasks
        }
        open_attempts = [(a.task_id, a.claim) for a in case.attempts.values() if a.ended_at is None]
        assert sorted(open_attempts) == sorted((t.id, t.claim) for t in tasks if t.claim)
        assert all(each.failures <= 3 for each in tasks)


@pytest.mark.requirement("S84", "S87", "S88", "S91", "S106", "S135", "S136", "S224", "A8", "A9")
# A thread of the connection pool may draw a random number meanwhile.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("kind", STORES)
def test_events_give_the_rows_and_refusals_leave_no_trace(kind: str) -> None:
    lives = type("Lives", (Lives,), {"kind": kind})

    run_state_machine_as_test(
        lives,
        settings=settings(
            max_examples=120 if kind == "sqlite" else 25,  # round trips take their time
            report_multiple_bugs=False,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
