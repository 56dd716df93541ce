"""The checks that a plan passes before it is registered."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from relaybook.core.plan.check import PlanTask, check_plan
from relaybook.core.plan.guards import Finding
from relaybook.core.severity import Severity
from relaybook.errors import InvalidPlan
from relaybook.model import Pattern, Tier

INFO, WARN, ERROR = Severity.INFO, Severity.WARN, Severity.ERROR


def task(id: str = "t1", **facts: object) -> PlanTask:
    base = PlanTask(id=id, label=f"Review {id}", minutes=10, done="every file has a verdict")
    return replace(base, **facts)


def tasks(count: int, **facts: object) -> list[PlanTask]:
    return [task(f"t{n + 1}", **facts) for n in range(count)]


def experts(*roles: str | None) -> list[PlanTask]:
    return [task(f"t{n + 1}", expert_role=role) for n, role in enumerate(roles)]


def rules(
    pattern: Pattern, plan: Sequence[PlanTask], max_parallel: int = 6
) -> list[tuple[str, Severity]]:
    return [(f.rule, f.severity) for f in check_plan(pattern, plan, max_parallel)]


@pytest.mark.requirement("S13")
@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_a_fan_out_of_3_to_6_good_tasks_has_no_finding(count: int):
    assert check_plan(Pattern.FAN_OUT, tasks(count)) == ()


@pytest.mark.requirement("S14", "S42", "A1")
@pytest.mark.parametrize("pattern", [Pattern.FAN_OUT, Pattern.MAP_REDUCE])
def test_more_than_6_tasks_run_in_waves_and_the_warning_says_why(pattern: Pattern):
    assert check_plan(pattern, tasks(13)) == (
        Finding(
            WARN,
            "waves",
            "13 tasks could run at once, 6 may: 3 waves",
            "more than 6 at once brings resource contention and monitoring overhead",
            "keep the waves, or put several items into one task of 5 to 15 minutes",
        ),
    )


@pytest.mark.requirement("S14", "A1")
def test_a_limit_above_6_is_warned_about():
    (finding,) = check_plan(Pattern.FAN_OUT, tasks(4), max_parallel=8)

    assert finding.rule == "too_wide"
    assert "resource contention and monitoring overhead" in finding.why
    assert "what the host allows" in finding.fix


@pytest.mark.requirement("S15", "A2")
def test_two_workers_are_below_the_sweet_spot_which_is_only_a_note():
    assert rules(Pattern.FAN_OUT, tasks(2)) == [("below_sweet_spot", INFO)]


@pytest.mark.requirement("S15", "S78", "A2")
@pytest.mark.parametrize(
    ("pattern", "severity"),
    [
        (Pattern.FAN_OUT, WARN),
        (Pattern.PIPELINE, WARN),
        (Pattern.MAP_REDUCE, WARN),
        (Pattern.SUPERVISOR, INFO),
    ],
)
def test_a_workflow_of_one_task_is_a_monolith(pattern: Pattern, severity: Severity):
    assert rules(pattern, tasks(1)) == [("monolith", severity)]


def test_a_long_pipeline_is_not_wide():
    plan = [task(f"t{n}", needs=[f"t{n - 1}"] if n else []) for n in range(20)]

    assert check_plan(Pattern.PIPELINE, plan) == ()


@pytest.mark.requirement("S16", "S80", "S81")
@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (4.9, [("too_short", WARN)]),
        (5.0, []),
        (15.0, []),
        (15.1, [("too_long", WARN)]),
        (29.9, [("too_long", WARN)]),
        (30.0, [("too_long", ERROR)]),
    ],
)
def test_a_task_should_take_5_to_15_minutes(minutes: float, expected: list[tuple[str, Severity]]):
    assert rules(Pattern.FAN_OUT, [*tasks(3), task("t9", minutes=minutes)]) == expected


@pytest.mark.requirement("S80", "S83")
def test_a_long_task_is_named_and_the_fix_is_to_decompose():
    plan = [*tasks(3), task("t9", minutes=20)]

    assert check_plan(Pattern.FAN_OUT, plan) == (
        Finding(
            WARN,
            "too_long",
            "expected to take over 15 minutes: 't9'",
            "a long task is slower and less reliable than several focused ones",
            "decompose further, into tasks of 5 to 15 minutes",
        ),
    )


@pytest.mark.requirement("S109")
@pytest.mark.parametrize("done", ["", "  "])
def test_a_task_without_a_done_criterion_is_flagged(done: str):
    assert rules(Pattern.FAN_OUT, [*tasks(3), task("t9", done=done)]) == [("done_missing", WARN)]


@pytest.mark.requirement("S173")
def test_a_worker_above_tier_2_is_an_error():
    assert rules(Pattern.FAN_OUT, [*tasks(3), task("t9", tier=Tier.T3)]) == [("tier", ERROR)]


def test_tasks_that_may_run_at_once_and_write_the_same_place_are_named():
    plan = [*tasks(2), task("t8", writes=["docs/"]), task("t9", writes=["docs/a.md"])]

    (finding,) = check_plan(Pattern.FAN_OUT, plan)

    assert (finding.rule, finding.severity) == ("writes_overlap", WARN)
    assert "'t8', 't9'" in finding.what


def test_steps_that_wait_for_each_other_may_write_the_same_place():
    plan = [task("t1", writes=["a.md"]), task("t2", writes=["a.md"], needs=["t1"])]

    assert check_plan(Pattern.PIPELINE, plan) == ()


@pytest.mark.requirement("S27")
@pytest.mark.parametrize(
    "facts",
    [
        {"expert_role": "Supervisor"},
        {"expert_role": "lead orchestrator"},
        {"expert_role": "the-orchestrator"},
        {"label": " Supervisor "},
        {"label": "Lead supervisor: hand out the build"},
        {"label": "Act as the orchestrator agent"},
    ],
)
def test_a_worker_that_is_to_supervise_is_an_error(facts: dict[str, str]):
    plan = [*tasks(3), task("t9", **facts)]

    assert rules(Pattern.SUPERVISOR, plan) == [("supervisor_role", ERROR)]


@pytest.mark.parametrize(
    "facts",
    [
        {"label": "Review the supervisor module"},
        {"label": "Supervisor module: review it"},
        {"expert_role": "expert for container orchestrators"},
        {"expert_role": "construction site supervisor"},
    ],
)
def test_a_task_about_a_supervisor_is_none(facts: dict[str, str]):
    plan = [*tasks(3), task("t9", **facts)]

    assert check_plan(Pattern.SUPERVISOR, plan) == ()


@pytest.mark.requirement("S29", "S30")
@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (["security", "performance", "architecture"], []),
        (["security", "performance", None], [("expert_role_missing", ERROR)]),
        (["security", "performance", " "], [("expert_role_missing", ERROR)]),
        (["Data  Security", "data security", "legal"], [("expert_role_shared", ERROR)]),
    ],
)
def test_experts_of_a_panel_have_roles_of_their_own(
    roles: list[str | None], expected: list[tuple[str, Severity]]
):
    assert rules(Pattern.EXPERT_PANEL, experts(*roles)) == expected


def test_other_patterns_need_no_expert_role():
    assert check_plan(Pattern.FAN_OUT, experts("legal", "legal", "legal")) == ()


@pytest.mark.requirement("S9")
def test_a_dependency_in_a_fan_out_is_an_error_that_names_the_pipeline_call():
    finding = check_plan(Pattern.FAN_OUT, [*tasks(3), task("t9", needs=["t1"])])[0]

    assert (finding.rule, finding.severity) == ("dependency", ERROR)
    assert "'t9'" in finding.what
    assert 'create_workflow(pattern="pipeline"' in finding.fix


@pytest.mark.requirement("S32")
def test_an_expert_may_not_wait_for_another():
    plan = experts("security", "performance", "legal")
    plan[2] = replace(plan[2], needs=["t1"])

    assert ("dependency", ERROR) in rules(Pattern.EXPERT_PANEL, plan)


@pytest.mark.requirement("S39")
@pytest.mark.parametrize(
    "facts",
    [
        {"needs": ["t1", "t2", "t3"]},
        {"id": "reduce"},
        {"id": "final_reduce-step"},
        {"label": "Aggregate"},
        {"label": "Reduce all map outputs"},
        {"label": "Merge the partial results into one report."},
    ],
)
def test_a_reduce_step_for_a_worker_is_an_error_with_the_reason(facts: dict[str, object]):
    plan = [*tasks(3), replace(task("t9"), **facts)]

    finding = check_plan(Pattern.MAP_REDUCE, plan)[0]

    assert (finding.rule, finding.severity) == ("reduce_task", ERROR)
    assert "the caller reduces" in finding.why
    assert "aggregate" in finding.fix


@pytest.mark.parametrize(
    "facts",
    [
        {"id": "merge", "label": "Review merge.py"},
        {"label": "Reduce the duplication in the parser"},
        {"label": "Partition p1 (6 items)"},
    ],
)
def test_a_partition_that_is_about_reducing_something_is_no_reduce_step(facts: dict[str, object]):
    assert check_plan(Pattern.MAP_REDUCE, [*tasks(3), replace(task("t9"), **facts)]) == ()


@pytest.mark.requirement("S32")
def test_experts_who_are_given_different_proposals_are_an_error():
    plan = [replace(each, proposal="One process.") for each in experts("legal", "sales", "cost")]
    other = replace(plan[2], proposal="Two processes.")

    assert check_plan(Pattern.EXPERT_PANEL, plan) == ()
    (finding,) = check_plan(Pattern.EXPERT_PANEL, [*plan[:2], other])
    assert (finding.rule, finding.severity) == ("proposals_differ", ERROR)
    assert finding.what.endswith("different proposals: 't1', 't3'")


@pytest.mark.requirement("S83")
def test_every_finding_has_its_three_parts_and_errors_come_first():
    bad = {"minutes": 40, "done": "", "tier": Tier.T4, "writes": ["x"]}
    plan = [*tasks(7, **bad), task("t9", needs=["t1"], expert_role="supervisor", minutes=1)]

    found = check_plan(Pattern.FAN_OUT, plan, max_parallel=9)

    severities = [finding.severity for finding in found]
    assert all(finding.what and finding.why and finding.fix for finding in found)
    assert severities == sorted(severities, key=[ERROR, WARN, INFO].index)
    assert {finding.rule for finding in found} == {
        *("too_long", "tier", "supervisor_role", "dependency", "waves", "too_wide"),
        *("too_short", "done_missing", "writes_overlap"),
    }


def test_findings_on_10_000_tasks_stay_short():
    plan = [task(f"{n}" * 200, minutes=1, done="", writes=["x"]) for n in range(10_000)]

    found = check_plan(Pattern.FAN_OUT, plan)

    assert all(len(f.what + f.why + f.fix) < 700 for f in found)
    assert "and 9995 more" in found[1].what


def test_a_plan_with_a_circle_is_refused():
    with pytest.raises(InvalidPlan, match="wait for each other"):
        check_plan(Pattern.PIPELINE, [task("t1", needs=["t2"]), task("t2", needs=["t1"])])
