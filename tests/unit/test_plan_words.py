"""What the words of a plan say against it, each finding with its three parts."""

from typing import Any

import pytest

from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.plan.words import check_words
from relaybook.core.severity import Severity

README = " ".join(f"The readme of the project says {n}." for n in range(20))


def spec(name: str, label: str = "", **said: Any) -> TaskSpec:
    return TaskSpec(id=name, label=label or f"Review module {name}", **said)


def found(*specs: TaskSpec) -> dict[str, str]:
    return {finding.rule: finding.what for finding in check_words(specs)}


@pytest.mark.requirement("S72", "S73", "S83")
def test_a_worker_that_is_told_to_spawn_is_flagged_with_the_way_out():
    (finding,) = check_words([spec("a", "Spawn three sub-agents for the audit"), spec("b")])

    assert (finding.rule, finding.severity) == ("recursive_dream", Severity.WARN)
    assert finding.what.endswith(": 'a'")
    assert "nobody can trace or recover" in finding.why
    assert "split the task in your own plan" in finding.fix


@pytest.mark.requirement("S82")
@pytest.mark.parametrize(
    ("label", "flagged"),
    [
        ("Write the report and build the slides", True),
        ("Review the code, then write a report", True),
        ("Review the design of the test suite", False),
        ("Fix the create and update endpoints", False),
        ("Extract the names; do not fix errors", False),
    ],
)
def test_a_task_that_orders_more_than_one_deliverable_is_flagged(label: str, flagged: bool):
    assert ("deliverables" in found(spec("a", label), spec("b"))) == flagged


@pytest.mark.requirement("S68")
def test_a_long_text_that_most_tasks_are_given_is_flagged_with_its_size():
    dumped = [spec(name, args={"facts": [f"about {name}", README]}) for name in "abc"]

    what = found(*dumped, spec("d"))["context_dump"]

    assert what == "the same 140 words are given to 'a', 'b', 'c'"


@pytest.mark.parametrize(
    "specs",
    [
        [spec(name, args={"facts": ["A short note for all."]}) for name in "abc"],
        [spec("a", args={"facts": [README]}), *(spec(name) for name in "bcd")],
        [spec(name, args={"facts": [f"{name} {README}"]}) for name in "abc"],
        [spec(name, args={"proposal": README}, expert_role=f"role {name}") for name in "abc"],
        [spec(name, args={"rule": README}, items=(f"item {name}",)) for name in "abc"],
    ],
    ids=["short", "one task", "different", "a panel judges it", "partitions"],
)
def test_a_text_that_each_needs_is_no_dump(specs: list[TaskSpec]):
    assert "context_dump" not in found(*specs)


@pytest.mark.requirement("S69", "S7")
def test_tasks_that_are_told_the_same_are_flagged():
    same = [spec(name, "Review the module") for name in "ab"]

    assert found(*same, spec("c"))["same_task"] == "tasks that are told the same: 'a', 'b'"


@pytest.mark.requirement("S69")
@pytest.mark.parametrize(
    "specs",
    [
        [spec(name, "Review it", args={"sources": [name]}) for name in "ab"],
        [spec(name, "Review it", expert_role=name) for name in "ab"],
        [spec(name, "Map", args={"rule": "x"}, items=(name,)) for name in "ab"],
        [spec("a", "Check the build"), spec("b", "Check the build", depends_on=("a",))],
    ],
    ids=["other input", "other role", "other items", "another time"],
)
def test_tasks_that_differ_in_what_they_work_on_are_not(specs: list[TaskSpec]):
    assert "same_task" not in found(*specs)


def test_findings_on_many_tasks_stay_short():
    many = [spec(f"{n}", "Spawn agents", args={"facts": [README]}) for n in range(2_000)]

    assert all(len(f.what + f.why + f.fix) < 700 for f in check_words(many))
