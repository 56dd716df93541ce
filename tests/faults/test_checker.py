"""The checker finds what it is there to find: each bad history breaks the rule it is made for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.checker import RULES, faults
from tests.faults.history import Call, Ended, Kept, Recorded

WF = "wf_1"


def call(tool: str, began: float, **said: Any) -> Call:
    known: dict[str, Any] = {"client": "c", "ended": began + 1, "how": Ended.OK, "workflow_id": WF}
    return Call(tool=tool, began=began, **(known | said))


def created(began: float = 0, **said: Any) -> Call:
    known: dict[str, Any] = {"answer": {"workflow_id": WF, "seq": 3}, "request_id": "r"}
    return call("create_workflow", began, **(known | said))


def claimed(task: str, began: float, seq: int, **said: Any) -> Call:
    known = {"task_id": task, "claim": f"claim-{task}", "answer": {"seq": seq}}
    return call("claim_task", began, **(known | said))


def completed(task: str, began: float, seq: int, **said: Any) -> Call:
    known = {"task_id": task, "claim": f"claim-{task}", "token": f"by-{task}", "completes": True}
    return call("update_task", began, **(known | {"answer": {"seq": seq}} | said))


def read(began: float, seq: int, **said: Any) -> Call:
    return call("get_workflow", began, **({"answer": {"seq": seq}} | said))


def events(*types: tuple[str, str]) -> list[Recorded]:
    named = [("workflow_created", ""), ("task_added", "a"), ("task_added", "b"), *types]
    return [
        Recorded(seq=n, type=kind, task_id=task or None) for n, (kind, task) in enumerate(named, 1)
    ]


#: Task b waits for a; both are done.
WHOLE = Kept(
    seq=7,
    request_id="r",
    events=events(
        ("task_started", "a"),
        ("task_completed", "a"),
        ("task_started", "b"),
        ("task_completed", "b"),
    ),
    needs={"b": ["a"]},
    results={"a": "by-a", "b": "by-b"},
    attempts={"claim-a": "completed", "claim-b": "completed"},
)
GOOD = [
    created(),
    claimed("a", 2, 4),
    completed("a", 4, 5),
    claimed("b", 6, 6),
    completed("b", 8, 7),
    read(10, 7),
]


def test_a_good_history_has_no_fault() -> None:
    assert faults(GOOD, {WF: WHOLE}) == []


def test_calls_of_unknown_outcome_may_have_done_something_or_nothing() -> None:
    lost = [replace(each, how=Ended.UNKNOWN, answer={}) for each in GOOD]

    assert faults(lost, {WF: WHOLE}) == []
    assert faults(lost, {}) == []


def test_calls_at_the_same_time_may_see_either_order() -> None:
    reads = [read(10, 7, client="x", ended=20), read(11, 6, client="y", ended=19)]

    assert faults([*GOOD[:-2], *reads], {WF: WHOLE}) == []


ATTEMPT_LOST = replace(WHOLE, attempts={"claim-b": "completed"})
OVERWRITTEN = replace(WHOLE, results={"a": "by-another", "b": "by-b"})
TWICE = replace(
    WHOLE, seq=8, events=[*WHOLE.events, Recorded(seq=8, type="task_completed", task_id="b")]
)
AT_ONCE = replace(
    WHOLE, events=events(("task_started", "a"), ("task_started", "a"), ("x", ""), ("y", ""))
)
EARLY = replace(
    WHOLE,
    events=events(
        ("task_started", "b"),
        ("task_completed", "b"),
        ("task_started", "a"),
        ("task_completed", "a"),
    ),
)
GAP = replace(WHOLE, events=[each for each in WHOLE.events if each.seq != 3])

BAD: Mapping[str, tuple[Sequence[Call], Mapping[str, Kept]]] = {
    "every_client_does_one_thing_at_a_time": ([*GOOD, read(4.5, 5)], {WF: WHOLE}),
    "no_acknowledged_workflow_is_lost": (GOOD[:1], {}),
    "a_request_makes_one_workflow": (GOOD, {WF: WHOLE, "wf_2": WHOLE}),
    "no_acknowledged_claim_is_lost": (GOOD[:2], {WF: ATTEMPT_LOST}),
    "no_acknowledged_result_is_lost": (GOOD, {WF: OVERWRITTEN}),
    "no_task_has_two_accepted_results": (GOOD, {WF: TWICE}),
    "a_task_has_one_attempt_at_a_time": (GOOD, {WF: AT_ONCE}),
    "nothing_starts_before_what_it_waits_for": (GOOD, {WF: EARLY}),
    "nothing_is_handed_out_before_what_it_waits_for": (
        [created(), claimed("b", 2, 4)],
        {WF: WHOLE},
    ),
    "numbers_have_no_gap": (GOOD, {WF: GAP}),
    "what_was_seen_is_never_unseen": ([*GOOD, read(12, 6, client="x")], {WF: WHOLE}),
}


@pytest.mark.parametrize("rule", BAD)
def test_a_bad_history_is_found_by_its_rule(rule: str) -> None:
    found = faults(*BAD[rule])

    assert rule in {each.partition(":")[0] for each in found}


def test_every_rule_has_a_bad_history() -> None:
    assert {rule.__name__ for rule in RULES} == set(BAD)


@pytest.mark.parametrize(
    ("history", "ledger", "rule"),
    [
        ([*GOOD, completed("b", 12, 7, claim="other")], WHOLE, "no_task_has_two_accepted_results"),
        (GOOD, ATTEMPT_LOST, "no_acknowledged_result_is_lost"),
        (GOOD, replace(WHOLE, seq=6), "what_was_seen_is_never_unseen"),
        (
            [*GOOD, created(20, answer={"workflow_id": "wf_2"})],
            WHOLE,
            "a_request_makes_one_workflow",
        ),
    ],
)
def test_a_rule_sees_the_same_fault_from_its_other_side(
    history: Sequence[Call], ledger: Kept, rule: str
) -> None:
    assert any(each.startswith(rule) for each in faults(history, {WF: ledger, "wf_2": ledger}))
