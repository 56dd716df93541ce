import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.digest.brief import RULE, Request
from relaybook.core.digest.decisions import RecordedDecision
from relaybook.core.digest.panel import PanelKind, panel_kind
from relaybook.core.digest.synthesis import Detail, Digest, Frame, digest
from relaybook.core.digest.task_outcome import TaskOutcome
from relaybook.core.merge.plan import plan_merge
from relaybook.core.shorten import size
from relaybook.errors import InvalidArguments
from relaybook.model import Pattern, Status

FAILED, PENDING, COMPLETED = Status.FAILED, Status.PENDING, Status.COMPLETED
ITEMS = plan_merge(
    {
        "properties": {
            "items": {
                "x-merge": "union",
                "x-key": "id",
                "items": {"properties": {"score": {"x-merge": "mean"}}},
            }
        }
    }
)


def outcomes(*statuses: Status, **more: Any) -> list[TaskOutcome]:
    """Tasks t1, t2 … in these states; `more` holds for those that completed."""
    return [
        TaskOutcome(
            task_id=f"t{number}",
            label=f"step {number}",
            status=status,
            position=number,
            **(more if status is COMPLETED else {}),
        )
        for number, status in enumerate(statuses, start=1)
    ]


def completed(number: int, **more: Any) -> TaskOutcome:
    return TaskOutcome(
        task_id=f"t{number}", label=f"step {number}", status=COMPLETED, position=number, **more
    )


def pages(pattern: Pattern, given_outcomes: Sequence[TaskOutcome], **more: Any) -> list[Digest]:
    found = [digest(pattern, given_outcomes, **more)]
    while found[-1].cursor:
        found.append(digest(pattern, given_outcomes, cursor=found[-1].cursor, **more))
    return found


def entries(found: Sequence[Digest], section: str) -> list[Any]:
    return [entry for page in found for entry in page.sections.get(section, [])]


@pytest.mark.requirement("S94", "S108")
@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        (
            [COMPLETED, FAILED, COMPLETED, COMPLETED, FAILED],
            "3 of 5 tasks completed. Failed tasks: [t2, t5]. Partial results available.",
        ),
        (
            [COMPLETED, PENDING],
            "1 of 2 tasks completed. Failed tasks: []. Partial results available.",
        ),
        (
            [FAILED] * 20,
            "0 of 20 tasks completed. Failed tasks: ["
            + ", ".join(f"t{number}" for number in range(1, 21))
            + "]. Partial results available.",
        ),
        (
            [FAILED] * 23,
            "0 of 23 tasks completed. Failed tasks: ["
            + ", ".join(f"t{number}" for number in range(1, 21))
            + ", and 3 more]. Partial results available.",
        ),
        ([PENDING, PENDING], "0 of 2 tasks completed."),
        ([COMPLETED, Status.NOT_APPLICABLE], "1 of 1 tasks completed."),
        ([COMPLETED, COMPLETED], "2 of 2 tasks completed."),
    ],
)
def test_the_sentence_says_how_much_was_done_and_what_failed(
    statuses: list[Status], sentence: str
) -> None:
    assert digest(Pattern.FAN_OUT, outcomes(*statuses)).sentence == sentence


def test_a_digest_without_any_result_says_so_beside_its_sentence() -> None:
    found = digest(Pattern.FAN_OUT, outcomes(FAILED, PENDING))

    assert found.brief is not None
    assert found.brief["must_mention"][0] == (
        "No task has a result yet: there is nothing to put together."
    )


def test_gaps_of_a_whole_workflow_must_be_mentioned_too() -> None:
    found = digest(Pattern.FAN_OUT, [completed(1), completed(2, gaps=("the tests",))])

    assert found.brief is not None
    assert found.brief["must_mention"] == ["What is missing (1): each gap with its reason."]


@pytest.mark.requirement("S11", "S90", "S93", "S124", "S125", "S138", "S161", "S175")
def test_the_digest_of_a_fan_out() -> None:
    found = digest(
        Pattern.FAN_OUT,
        [
            completed(1, summary="Tokens never expire.", confidence="high", link="ledger://x/t1"),
            TaskOutcome(
                task_id="t2",
                label="step 2",
                status=FAILED,
                position=2,
                error_code="timeout",
                error="no answer in 600 s",
            ),
            completed(
                3,
                summary="Limits hold.",
                confidence="low",
                flags=("override_phrase",),
                proposed_actions=({"action": "deploy", "tier": "T3", "why": "ready"},),
            ),
            TaskOutcome(
                task_id="t4",
                label="step 4",
                status=Status.INPUT_REQUIRED,
                position=4,
                questions=("Which region?",),
            ),
        ],
    )

    assert found.as_dict() == {
        "pattern": "fan_out",
        "sentence": "2 of 4 tasks completed. Failed tasks: [t2]. Partial results available.",
        "counts": {"total": 4, "completed": 2, "failed": 1, "asking": 1},
        "totals": {"gaps": 2, "parent_actions": 1, "tasks": 4},
        "gaps": [
            {
                "task_id": "t2",
                "label": "step 2",
                "gap": "failed",
                "reason": "no answer in 600 s",
                "error_code": "timeout",
            },
            {
                "task_id": "t4",
                "label": "step 4",
                "gap": "asking",
                "reason": "waits for an answer",
                "questions": ["Which region?"],
            },
        ],
        "parent_actions": [
            {
                "task_id": "t3",
                "action": "deploy",
                "tier": "T3",
                "why": "ready",
                "from": "worker",
            }
        ],
        "tasks": [
            {
                "task_id": "t1",
                "label": "step 1",
                "status": "completed",
                "summary": "Tokens never expire.",
                "confidence": "high",
                "link": "ledger://x/t1",
            },
            {
                "task_id": "t2",
                "label": "step 2",
                "status": "failed",
                "error": "no answer in 600 s",
            },
            {
                "task_id": "t3",
                "label": "step 3",
                "status": "completed",
                "summary": "Limits hold.",
                "confidence": "low",
                "flags": ["override_phrase"],
            },
            {"task_id": "t4", "label": "step 4", "status": "input_required"},
        ],
        "brief": {
            "audience": "the user who asked for this",
            "order": [
                "the answer",
                "what the results say together, by theme and not by task",
                "where they disagree or repeat each other",
                "what is missing and why",
                "actions to confirm",
            ],
            "must_mention": [
                "How much was done, in the words of `summary`, and each gap with its reason.",
                "Low confidence: t3.",
                "Flagged output, check before use: t3.",
                "Actions that no worker may take (1): ask the user, then act yourself.",
            ],
            "rule": RULE,
        },
        "cursor": None,
    }
    assert "do not paste the results" in RULE
    assert "spawn no worker for it" in RULE


@pytest.mark.requirement("S138")
def test_the_detailed_digest_holds_the_results_themselves() -> None:
    found = digest(
        Pattern.FAN_OUT,
        [completed(1, summary="done", data={"total": 3}, words=40, role="security")],
        Frame(request=Request(audience="the security team")),
        detail=Detail.DETAILED,
    ).as_dict()

    assert (found["tasks"], found["brief"]["audience"]) == (
        [
            {
                "task_id": "t1",
                "label": "step 1",
                "status": "completed",
                "summary": "done",
                "role": "security",
                "words": 40,
                "result": {"total": 3},
            }
        ],
        "the security team",
    )


@pytest.mark.requirement("S101", "S102", "S108")
def test_a_stalled_workflow_is_reported_as_done_failed_and_unknown() -> None:
    lost = TaskOutcome(task_id="t3", label="c", status=Status.IN_PROGRESS, position=3, lost=True)

    found = digest(Pattern.FAN_OUT, [*outcomes(COMPLETED, FAILED), lost])

    assert found.counts == {"total": 3, "completed": 1, "failed": 1, "unknown": 1}
    assert [(gap["task_id"], gap["gap"]) for gap in found.sections["gaps"]] == [
        ("t2", "failed"),
        ("t3", "unknown"),
    ]
    assert found.brief
    assert (
        "Tasks whose session was lost (1): what they did is unknown."
        in (found.brief["must_mention"])
    )


def test_nothing_that_must_be_mentioned_is_cut_where_nothing_else_was_asked_for() -> None:
    decisions = [RecordedDecision(decision=name) for name in ("waive", "confirm")]
    chain = [
        completed(1, confidence="low", flags=("override_phrase",), reported={"errors": ("x",)}),
        completed(2, proposed_actions=({"action": "deploy", "tier": "T3"},), summary="same words"),
        completed(3, gaps=("the tests",), summary="same words"),
        TaskOutcome(task_id="t4", label="d", status=Status.IN_PROGRESS, position=4, lost=True),
        TaskOutcome(task_id="t5", label="e", status=FAILED, position=5),
    ]

    found = digest(Pattern.PIPELINE, chain, Frame(decisions=decisions))

    assert found.brief
    assert len(found.brief["must_mention"]) == 10
    assert found.brief["must_mention"][-1].startswith("Results in nearly the same words")


def test_a_repeated_result_is_named() -> None:
    same = {"summary": "Nothing found.", "data": {"findings": []}}

    found = digest(Pattern.FAN_OUT, [completed(1, **same), completed(2, **same), completed(3)])

    assert found.sections["duplicates"] == [{"in": "tasks", "same": ["t1", "t2"], "count": 2}]


@pytest.mark.requirement("S105")
def test_a_broken_pipeline_keeps_the_results_before_the_break_and_says_where_it_is() -> None:
    chain = outcomes(COMPLETED, COMPLETED, FAILED, PENDING, PENDING, summary="done")

    found = digest(Pattern.PIPELINE, chain)

    assert found.parts == {
        "chain": {
            "steps": "t1 completed → t2 completed → t3 failed → t4 pending → t5 pending",
            "results_from": ["t1", "t2"],
            "broke_at": {
                "task_id": "t3",
                "error_code": None,
                "reason": "no reason recorded",
            },
        }
    }
    assert [gap["reason"] for gap in found.sections["gaps"]] == [
        "no reason recorded",
        "not started: t3 before it failed",
        "not started: t3 before it failed",
    ]
    assert [line.get("summary") for line in found.sections["tasks"]] == ["done", "done"] + [
        None
    ] * 3
    assert found.brief
    assert (
        "The chain broke at t3: 2 of 5 steps have results. Invent none of the others."
        in found.brief["must_mention"]
    )


def test_steps_that_do_not_apply_are_in_neither_count_of_a_broken_pipeline() -> None:
    found = digest(Pattern.PIPELINE, outcomes(COMPLETED, Status.NOT_APPLICABLE, FAILED))

    assert found.sentence.startswith("1 of 2 tasks completed.")
    assert found.brief
    assert (
        "The chain broke at t3: 1 of 2 steps have results. Invent none of the others."
        in found.brief["must_mention"]
    )


@pytest.mark.requirement("S166")
def test_a_cascade_shows_the_confidence_of_each_step() -> None:
    names = ["memory recall", "email search", "ticket search", "synthesis", "draft response"]
    steps = [
        TaskOutcome(
            task_id=name.replace(" ", "_"),
            label=name,
            status=COMPLETED,
            position=number,
            summary=f"{name} done",
            confidence="low" if name == "ticket search" else "high",
        )
        for number, name in enumerate(names)
    ]

    found = digest(Pattern.PIPELINE, steps)

    assert [(line["label"], line["confidence"]) for line in found.sections["tasks"]] == [
        ("memory recall", "high"),
        ("email search", "high"),
        ("ticket search", "low"),
        ("synthesis", "high"),
        ("draft response", "high"),
    ]
    assert found.brief
    assert found.brief["order"][1] == "what each step added, with its confidence"
    assert found.brief["must_mention"] == ["Low confidence: ticket_search."]


def test_a_supervisor_digest_lists_the_decisions_and_whether_it_is_finished() -> None:
    next_piece = RecordedDecision(decision="next", task_id="t1", reason="schema is clear")
    finish = RecordedDecision(decision="finished")

    going = digest(Pattern.SUPERVISOR, outcomes(COMPLETED), Frame(decisions=[next_piece]))
    ended = digest(Pattern.SUPERVISOR, outcomes(COMPLETED), Frame(decisions=[next_piece, finish]))

    assert going.parts == {"supervision": {"decisions": 1, "finished": False}}
    assert going.sections["decisions"] == [
        {"task_id": "t1", "decision": "next", "reason": "schema is clear"}
    ]
    assert going.brief
    assert going.brief["must_mention"] == [
        "The work is not finished: no decision to finish is recorded."
    ]
    assert ended.parts == {"supervision": {"decisions": 2, "finished": True}}


@pytest.mark.requirement("S33", "A29")
def test_a_panel_digest_holds_the_outcome_the_missing_and_every_dissent() -> None:
    criteria = [{"name": "secrets", "score": 2, "why": "local storage"}]
    found = digest(
        Pattern.EXPERT_PANEL,
        [
            completed(1, role="security", data={"verdict": "reject", "reason": "tokens leak"}),
            completed(2, role="performance", data={"verdict": "approve", "criteria": criteria}),
            completed(3, role="architecture", summary="good", data={"verdict": "approve"}),
            completed(4, role="cost", data={"verdict": "perhaps"}),
            TaskOutcome(
                task_id="t5", label="e", status=FAILED, position=5, role="privacy", error="x"
            ),
        ],
        detail=Detail.DETAILED,
    )

    panel = found.parts["panel"]
    assert {name: panel[name] for name in ("outcome", "side", "votes", "missing", "criteria")} == {
        "outcome": "insufficient",
        "side": None,
        "votes": {"security": "reject", "performance": "approve", "architecture": "approve"},
        "missing": ["cost", "privacy"],
        "criteria": [{"criterion": "secrets", "mean": 2, "experts": 1}],
    }
    assert found.sections["dissent"] == [
        {"expert": "security", "verdict": "reject", "reason": "tokens leak"},
        {"expert": "performance", "verdict": "approve", "reason": "no reason given"},
        {"expert": "architecture", "verdict": "approve", "reason": "good"},
    ]
    assert found.brief
    assert found.brief["must_mention"][1:4] == [
        "Outcome: insufficient, side: none.",
        "Dissent (3), each vote with its reason.",
        "Experts without a vote (2): they may object.",
    ]


def test_one_blocking_objection_is_to_be_told_in_full() -> None:
    found = digest(
        Pattern.EXPERT_PANEL,
        [
            completed(1, role="a", data={"verdict": 4, "blockers": [{"text": "no rollback"}]}),
            completed(2, role="b", data={"verdict": 5}),
        ],
    )

    assert found.parts["panel"]["outcome"] == "blocked"
    assert found.sections["dissent"] == [
        {
            "expert": "a",
            "verdict": "approve",
            "reason": "no reason given",
            "blockers": ["no rollback"],
        }
    ]
    assert found.brief
    assert (
        "Every blocking objection, in full: one suffices to block." in (found.brief["must_mention"])
    )


@pytest.mark.requirement("S160", "A29")
def test_a_deal_review_is_one_matrix_of_domains_with_their_conflicts() -> None:
    legal = {"domain": "legal", "colour": "yellow", "why": "cap", "facts": {"term": "36 months"}}
    sales = {"domain": "sales", "colour": "G", "facts": [{"field": "term", "value": "12 months"}]}
    found = digest(
        Pattern.EXPERT_PANEL,
        [
            completed(1, data=legal),
            completed(2, data=sales, summary="good margin"),
            TaskOutcome(
                task_id="t3", label="c", status=FAILED, position=3, role="finance", error="timeout"
            ),
        ],
        Frame(panel=PanelKind.DOMAIN_RISK),
    )

    assert found.parts["risk"] == {
        "overall": "grey",
        "worst_known": "yellow",
        "domains": [
            {"domain": "legal", "colour": "yellow", "why": "cap"},
            {"domain": "sales", "colour": "green", "why": "good margin"},
            {"domain": "finance", "colour": "grey", "why": "timeout"},
        ],
        "missing": ["finance"],
        "conflicts": 1,
    }
    assert found.sections["conflicts"] == [
        {
            "field": "term",
            "values": [
                {"value": "36 months", "sources": ["legal"]},
                {"value": "12 months", "sources": ["sales"]},
            ],
        }
    ]


def test_a_panel_of_choices_counts_rankings_labels_and_answers() -> None:
    def choice(number: int, *ranking: str, **data: Any) -> TaskOutcome:
        return completed(number, data={"ranking": list(ranking), **data})

    labels = [{"id": "i1", "label": "bug"}, {"id": "i2", "label": "idea"}]
    found = digest(
        Pattern.EXPERT_PANEL,
        [
            choice(1, "x", "y", labels=labels),
            choice(2, "x", "y", labels=labels, answer="42"),
            choice(3),
        ],
        Frame(panel=PanelKind.CHOICE),
    )

    choices = found.parts["choice"]
    assert (choices["missing"], choices["label_agreement"]) == (["step 3"], {"value": 1.0})
    assert choices["ranking"]["condorcet_winner"] == "x"
    assert choices["self_consistency"]["mode"] == "42"


@pytest.mark.parametrize(
    ("field", "kind"), [("verdict", "verdict"), ("colour", "domain_risk"), ("ranking", "choice")]
)
def test_the_kind_of_a_panel_follows_from_its_output_schema(field: str, kind: str) -> None:
    assert panel_kind("merge", {"properties": {field: {}}}) == kind


@pytest.mark.requirement("S40")
def test_a_map_reduce_digest_holds_coverage_merged_figures_and_records_in_order() -> None:
    def part(number: int, *items: tuple[str, float], **more: Any) -> TaskOutcome:
        data = {"items": [{"id": name, "score": score} for name, score in items]}
        given = [("a", "b"), ("c", "d")][number - 1]
        return completed(number, data=data | more, words=4_000, items=given, merge=ITEMS)

    found = digest(
        Pattern.MAP_REDUCE,
        [
            part(1, ("a", 1), ("b", 2), carry_over=["see d"]),
            part(2, ("c", 3), ("a", 4)),
            TaskOutcome(
                task_id="t3", label="c", status=FAILED, position=3, items=("e",), merge=ITEMS
            ),
        ],
        detail=Detail.DETAILED,
    )

    assert found.parts == {
        "coverage": {
            "items": 5,
            "covered": 3,
            "missing": 2,
            "duplicated": 1,
            "invented": 0,
            "missing_partitions": ["t3"],
            "collapse": {
                "words": 8_000,
                "budget": 6_000,
                "group": 2,
                "groups": 1,
                "advice": found.parts["coverage"]["collapse"]["advice"],
            },
        },
        "merged": {
            "sources": 3,
            "with_result": 2,
            "missing": ["t3"],
            "fields": {
                "items": {"merge": "union", "total": 3, "from": 2},
                "items[].score": {"merge": "mean", "value": 2.5, "from": 2},
            },
        },
    }
    assert [line["task_id"] for line in found.sections["tasks"]] == ["t1", "t2", "t3"]
    assert found.sections["carry_over"] == [{"task_id": "t1", "reference": "see d"}]
    assert found.sections["coverage_problems"] == [
        {"problem": "missing", "task_id": "t2", "items": ["d"], "count": 1},
        {"problem": "missing", "task_id": "t3", "items": ["e"], "count": 1},
        {"problem": "duplicated", "item": "a", "sources": ["t1", "t2"]},
    ]
    assert [conflict["values"] for conflict in found.sections["conflicts"]] == [
        [{"value": 1, "sources": ["t1"]}, {"value": 4, "sources": ["t2"]}]
    ]
    assert [record["key"] for record in found.sections["records"]] == ["a", "b", "c"]


def test_the_pages_of_a_long_digest_hold_every_task_and_record_once() -> None:
    plan = plan_merge({"properties": {"rows": {"x-merge": "concatenate"}}})
    many = [
        completed(
            number, summary=f"result {number} " * 20, data={"rows": [number, -number]}, merge=plan
        )
        for number in range(300)
    ]

    found = pages(Pattern.FAN_OUT, many, detail=Detail.DETAILED)

    assert [line["task_id"] for line in entries(found, "tasks")] == [f"t{n}" for n in range(300)]
    assert [row["record"] for row in entries(found, "records")] == [
        sign * number for number in range(300) for sign in (1, -1)
    ]
    assert [bool(page.brief) for page in found] == [True] + [False] * (len(found) - 1)
    assert {json.dumps(page.as_dict()["totals"]) for page in found} == {
        '{"tasks": 300, "records": 600}'
    }
    assert max(size(page.as_dict()) for page in found) < 20_000


def test_a_foreign_cursor_is_refused() -> None:
    with pytest.raises(InvalidArguments):
        digest(Pattern.FAN_OUT, [], cursor="page 2")


@pytest.mark.requirement("S84", "S108")
@pytest.mark.parametrize("pattern", Pattern)
def test_a_workflow_without_any_task_or_result_still_has_a_digest(pattern: Pattern) -> None:
    nothing = digest(pattern, [])
    not_begun = digest(pattern, outcomes(PENDING, PENDING))

    assert nothing.sentence == "0 of 0 tasks completed."
    assert not_begun.counts == {"total": 2, "completed": 0, "failed": 0, "not_started": 2}


hostile = st.text(max_size=40).map(lambda text: text * 20)
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | hostile,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "items", "verdict", "colour", "facts", "criteria", "ranking", "labels"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
tasks = st.builds(
    TaskOutcome,
    task_id=st.uuids().map(str),
    label=hostile,
    status=st.sampled_from(Status),
    position=st.just(0),
    summary=hostile,
    flags=st.lists(hostile, max_size=2).map(tuple),
    data=json_values,
    error=st.none() | hostile,
    role=hostile,
    lost=st.booleans(),
    items=st.lists(hostile, max_size=2).map(tuple),
    merge=st.none() | st.just(ITEMS),
)


@pytest.mark.requirement("S84")
@given(
    st.sampled_from(Pattern),
    st.sampled_from(PanelKind),
    st.sampled_from(Detail),
    st.lists(tasks, max_size=6, unique_by=lambda task: task.task_id),
)
def test_no_result_breaks_a_digest_or_the_size_of_its_pages(
    pattern: Pattern, kind: PanelKind, detail: Detail, given_tasks: list[TaskOutcome]
) -> None:
    frame = Frame(panel=kind)
    plan = [replace(task, position=place) for place, task in enumerate(given_tasks)]

    found = pages(pattern, plan, frame=frame, detail=detail)

    limit = 4_000 if detail is Detail.CONCISE else 20_000
    assert max(size(page.as_dict()) for page in found) <= limit
    assert len(entries(found, "tasks")) == len(given_tasks)
