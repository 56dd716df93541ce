"""What must hold of any history of calls and the ledger that it left, whatever broke on the way.

Pure. Each rule answers the faults that it found, as lines to read.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise

from tests.faults.history import Call, Ended, Kept, Ledger

#: Events after which a task is not in progress any more.
ENDS = frozenset(
    {"task_completed", "task_failed", "task_asked", "task_released", "task_cancelled"}
    | {"task_not_applicable", "attempt_expired", "gate_failed"}
)

History = Sequence[Call]
Rule = Callable[[History, Ledger], Iterator[str]]


def faults(history: History, ledger: Ledger) -> list[str]:
    """Everything that is wrong; an empty list if nothing is."""
    return [f"{rule.__name__}: {fault}" for rule in RULES for fault in rule(history, ledger)]


def _answered(history: History, tool: str) -> Iterator[Call]:
    return (call for call in history if call.tool == tool and call.how is Ended.OK)


def no_acknowledged_workflow_is_lost(history: History, ledger: Ledger) -> Iterator[str]:
    for call in _answered(history, "create_workflow"):
        if call.answer["workflow_id"] not in ledger:
            yield f"{call.answer['workflow_id']} was answered to {call.client} and is gone"


def a_request_makes_one_workflow(history: History, ledger: Ledger) -> Iterator[str]:
    made = Counter(kept.request_id for kept in ledger.values() if kept.request_id)
    yield from (f"{name} made {count} workflows" for name, count in made.items() if count > 1)
    answered: dict[str, set[str]] = defaultdict(set)
    for call in _answered(history, "create_workflow"):
        answered[call.request_id].add(call.answer["workflow_id"])
    for name, ids in answered.items():
        if name and len(ids) > 1:
            yield f"{name} was answered with {', '.join(sorted(ids))}"


def no_acknowledged_claim_is_lost(history: History, ledger: Ledger) -> Iterator[str]:
    for call in _answered(history, "claim_task"):
        if call.claim and call.claim not in _kept(ledger, call).attempts:
            yield f"claim {call.claim} on {call.task_id} was answered and is not on record"


def no_acknowledged_result_is_lost(history: History, ledger: Ledger) -> Iterator[str]:
    for call in _completions(history):
        kept = _kept(ledger, call)
        if kept.attempts.get(call.claim) != "completed":
            yield f"{call.task_id} was answered to be completed under {call.claim} and is not"
        elif kept.results.get(call.task_id) != call.token:
            found = kept.results.get(call.task_id)
            yield f"{call.task_id} was completed with {call.token!r} and holds {found!r}"


def no_task_has_two_accepted_results(history: History, ledger: Ledger) -> Iterator[str]:
    accepted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for call in _completions(history):
        accepted[call.workflow_id, call.task_id].add(call.claim)
    for (name, task_id), claims in accepted.items():
        if len(claims) > 1:
            yield f"{task_id} of {name} was accepted from {len(claims)} claims"
    for name, kept in ledger.items():
        done = Counter(each.task_id for each in kept.events if each.type == "task_completed")
        yield from (
            f"{task} of {name} was completed {n} times" for task, n in done.items() if n > 1
        )


def a_task_has_one_attempt_at_a_time(_: History, ledger: Ledger) -> Iterator[str]:
    for name, kept in ledger.items():
        running: set[str | None] = set()
        for each in kept.events:
            if each.type in ENDS:
                running.discard(each.task_id)
            elif each.type == "task_started":
                if each.task_id in running:
                    yield f"{each.task_id} of {name} was started at {each.seq} while it ran"
                running.add(each.task_id)


def nothing_starts_before_what_it_waits_for(history: History, ledger: Ledger) -> Iterator[str]:
    for name, kept in ledger.items():
        done: set[str | None] = set()
        for each in kept.events:
            if each.type in ("task_completed", "task_not_applicable"):
                done.add(each.task_id)
            elif each.type == "task_started":
                missing = set(kept.needs.get(str(each.task_id), ())) - done
                if missing:
                    yield f"{each.task_id} of {name} started before {', '.join(sorted(missing))}"


def nothing_is_handed_out_before_what_it_waits_for(
    history: History, ledger: Ledger
) -> Iterator[str]:
    """By the clock of the clients: somebody had called to complete what it waits for."""
    asked: dict[tuple[str, str], float] = {}
    for call in history:
        if call.completes:
            key = (call.workflow_id, call.task_id)
            asked[key] = min(call.began, asked.get(key, call.began))
    for call in _answered(history, "claim_task"):
        for need in _kept(ledger, call).needs.get(call.task_id, ()):
            if asked.get((call.workflow_id, need), call.ended) >= call.ended:
                yield f"{call.task_id} was handed out before anybody completed {need}"


def numbers_have_no_gap(_: History, ledger: Ledger) -> Iterator[str]:
    for name, kept in ledger.items():
        seqs = [each.seq for each in kept.events]
        if seqs != list(range(1, kept.seq + 1)):
            yield f"{name} has number {kept.seq} and events {seqs[:5]}…{seqs[-5:]}"


def what_was_seen_is_never_unseen(history: History, ledger: Ledger) -> Iterator[str]:
    """A call that begins after another ended knows at least what that one was told."""
    by_workflow: dict[str, list[Call]] = defaultdict(list)
    for call in history:
        if call.how is Ended.OK and "seq" in call.answer and call.workflow_id:
            by_workflow[call.workflow_id].append(call)
    for name, calls in by_workflow.items():
        yield from _steps_back(name, calls)
        seen = max(call.answer["seq"] for call in calls)
        if name not in ledger or ledger[name].seq < seen:
            yield f"{name} was seen at {seen} and ends below it"


def _steps_back(name: str, calls: list[Call]) -> Iterator[str]:
    ended = sorted(calls, key=lambda call: call.ended)
    highest = list(accumulate((call.answer["seq"] for call in ended), max))
    before = 0
    for call in sorted(calls, key=lambda call: call.began):
        while ended[before].ended < call.began:
            before += 1
        if before and call.answer["seq"] < highest[before - 1]:
            yield f"{call.client} saw {name} at {call.answer['seq']} after {highest[before - 1]}"


def every_client_does_one_thing_at_a_time(history: History, _: Ledger) -> Iterator[str]:
    """Of the history itself: a recorder that mixes clients up would prove nothing."""
    by_client: dict[str, list[Call]] = defaultdict(list)
    for call in history:
        by_client[call.client].append(call)
    for client, calls in by_client.items():
        ordered = sorted(calls, key=lambda call: call.began)
        if any(other.began < one.ended for one, other in pairwise(ordered)):
            yield f"calls of {client} overlap"


def _completions(history: History) -> Iterator[Call]:
    return (call for call in _answered(history, "update_task") if call.completes)


def _kept(ledger: Ledger, call: Call) -> Kept:
    return ledger.get(call.workflow_id, Kept(seq=0, events=()))


RULES: tuple[Rule, ...] = (
    every_client_does_one_thing_at_a_time,
    no_acknowledged_workflow_is_lost,
    a_request_makes_one_workflow,
    no_acknowledged_claim_is_lost,
    no_acknowledged_result_is_lost,
    no_task_has_two_accepted_results,
    a_task_has_one_attempt_at_a_time,
    nothing_starts_before_what_it_waits_for,
    nothing_is_handed_out_before_what_it_waits_for,
    numbers_have_no_gap,
    what_was_seen_is_never_unseen,
)
