"""What the events and the result of a stage prove."""

from typing import Any

import pytest

from relaybook.core.result.envelope import Envelope, ResultStatus
from relaybook.core.result.evidence import (
    Records,
    evidence,
    gather,
    goal_criterion,
    notes_of_result,
)
from relaybook.core.result.gates import Criterion
from relaybook.model import EventType

GOAL = "Build it"


def recorded(*notes: tuple[EventType, dict[str, Any]]) -> Records:
    return gather((), notes)


def a_test(name: str = "t", status: str = "passed", **said: Any) -> Any:
    return EventType.TEST_RECORDED, {"name": name, "status": status, **said}


def criterion(text: str, proven: bool = True, shown: str = "seen") -> Any:
    return EventType.TEST_RECORDED, {"criterion": text, "proven": proven, "evidence": shown}


def result(data: Any, **said: Any) -> Envelope:
    return Envelope(status=ResultStatus.OK, data=data, **said)


@pytest.mark.parametrize(
    ("done", "notes", "expected"),
    [
        ("Tokens refresh.", [], Criterion("Tokens refresh.")),
        (
            "Tokens refresh.",
            [criterion("tokens  REFRESH")],
            Criterion("Tokens refresh.", True, "seen"),
        ),
        (
            "Tokens refresh.",
            [criterion("Tokens refresh."), criterion("Tokens refresh.", False, "")],
            Criterion("Tokens refresh.", False, ""),
        ),
        (
            "Tokens refresh.",
            [a_test(proves="Tokens refresh")],
            Criterion("Tokens refresh.", True, "tests passed: t"),
        ),
        ("Tokens refresh.", [a_test()], Criterion("Tokens refresh.")),
        (
            "Tokens refresh.",
            [a_test(status="failed", proves="Tokens refresh.")],
            Criterion("Tokens refresh."),
        ),
        (GOAL, [a_test()], Criterion(GOAL, True, "tests passed: t")),
        (GOAL, [a_test(status="skipped")], Criterion(GOAL)),
    ],
)
def test_a_criterion_is_unproven_until_something_shows_it(
    done: str, notes: list[Any], expected: Criterion
) -> None:
    found = evidence(recorded(*notes), goal=GOAL, done=[done])

    assert found.criteria == (expected,)


def test_a_long_goal_is_its_own_criterion_too() -> None:
    goal = "x" * 900

    found = evidence(recorded(a_test()), goal=goal, done=[goal_criterion(goal)])

    assert [each.proven for each in found.criteria] == [True]


def test_the_last_record_of_a_thing_counts() -> None:
    metric = EventType.METRIC_RECORDED

    found = evidence(
        recorded(
            a_test(status="failed"),
            a_test(),
            (metric, {"name": "coverage", "value": 1}),
            (metric, {"name": "coverage", "value": 90}),
        ),
        goal=GOAL,
        done=[],
    )

    assert [each.status for each in found.tests] == ["passed"]
    assert found.metrics == {"coverage": 90}


@pytest.mark.requirement("A21")
def test_the_data_of_a_result_is_recorded_under_the_names_of_the_templates() -> None:
    data = {
        "files": [{"path": "a.py", "change": "added", "text": "…"}, "b.py", {"change": "no path"}],
        "tests": [
            {"name": "t", "status": "pass", "proves": "it works"},
            {"name": "u", "status": "not_run", "evidence": ""},
            {"name": "v", "status": "maybe"},
        ],
        "findings": ["slow", {"text": "odd", "severity": "low"}, 7],
        "criteria": [
            {"text": "c", "proven": True, "evidence": "e"},
            {"text": "d", "verdict": "unproven", "evidence": "none"},
        ],
        "metrics": [{"name": "coverage", "value": 90}, {"name": "bad", "value": "high"}],
        "other": [1],
    }

    notes = notes_of_result(result(data, evidence=({"claim": "f", "source": "g"},)))

    assert [(str(kind), dict(said)) for kind, said in notes] == [
        ("artifact_added", {"path": "a.py", "description": "added"}),
        ("artifact_added", {"path": "b.py"}),
        ("test_recorded", {"name": "t", "status": "passed", "proves": "it works"}),
        ("test_recorded", {"name": "u", "status": "error"}),
        ("metric_recorded", {"name": "coverage", "value": 90}),
        ("finding_added", {"text": "slow"}),
        ("finding_added", {"text": "odd", "severity": "low"}),
        ("test_recorded", {"criterion": "c", "evidence": "e", "proven": True}),
        ("test_recorded", {"criterion": "d", "evidence": "none", "proven": False}),
        ("test_recorded", {"criterion": "f", "evidence": "g", "proven": True}),
    ]


@pytest.mark.parametrize("data", [None, "text", 7, ["files"], {"files": "a.py"}, {"tests": {}}])
def test_data_of_another_form_records_nothing(data: Any) -> None:
    assert notes_of_result(result(data)) == []
