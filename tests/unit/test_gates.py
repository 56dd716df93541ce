"""The INTAKE and the OUTPUT gate."""

from dataclasses import replace
from typing import Any

import pytest

from relaybook.core.prompt_rules import Finding
from relaybook.core.result.gates import (
    RULES,
    ActionTaken,
    Criterion,
    Evidence,
    GateItem,
    RecordedTest,
    Verdict,
    intake_gate,
    output_gate,
)
from relaybook.core.severity import Severity
from relaybook.model import Tier
from relaybook.registry.contract import Contract
from relaybook.registry.contracts import Contracts

PASS = Verdict("pass")


def levels(verdict: Verdict) -> dict[str, str]:
    return {item.rule: item.verdict for item in verdict.items}


def judge(rules: dict[str, Any] | None = None, **evidence: Any) -> dict[str, str]:
    return levels(output_gate(rules or {}, Evidence(**evidence)))


@pytest.mark.requirement("S229", "A17")
def test_sound_work_passes_every_rule() -> None:
    rules = {
        "min_artifacts": 1,
        "tests": "pass_or_skip",
        "metrics": {"coverage": {"min": 0.8}},
        "require_evidence": True,
    }
    evidence = Evidence(
        artifacts=("src/auth.py",),
        tests=(RecordedTest("refresh", "pass"), RecordedTest("slow", "skip")),
        metrics={"coverage": 0.9},
        criteria=(Criterion("tokens refresh", proven=True, evidence="test refresh"),),
        texts={"summary": "The endpoint refreshes tokens."},
        writes=("src/",),
        actions_taken=(ActionTaken("write src/auth.py", Tier.T2),),
    )

    assert output_gate(rules, evidence) == PASS


def test_where_a_contract_asks_for_nothing_empty_work_passes() -> None:
    assert output_gate({}, Evidence()) == PASS


@pytest.mark.requirement("S230", "A17")
def test_one_failing_rule_fails_the_whole_and_says_what_to_do() -> None:
    evidence = Evidence(criteria=(Criterion("it runs"),))

    assert output_gate({"min_artifacts": 1}, evidence) == Verdict(
        "fail",
        (
            GateItem(
                "min_artifacts",
                "fail",
                "0 artifacts are recorded, 1 needed",
                "record the artifacts that were made, or make those that are missing",
            ),
            GateItem(
                "criteria",
                "warn",
                "success criteria are not shown to be met: 'it runs'",
                "record for each criterion what shows that it is met",
            ),
        ),
    )


@pytest.mark.requirement("A17")
def test_warnings_alone_only_warn() -> None:
    assert output_gate({}, Evidence(criteria=(Criterion("it runs"),))).verdict == "warn"


def test_an_artifact_counts_once_and_a_blank_one_not_at_all() -> None:
    twice = ("a.py", "a.py", " ")

    assert judge({"min_artifacts": 2}, artifacts=twice) == {"min_artifacts": "fail"}


@pytest.mark.requirement("S229")
@pytest.mark.parametrize(
    ("rules", "statuses", "expected"),
    [
        ({"tests": "pass_or_skip"}, ["pass", "skip"], {}),
        ({"tests": "pass_or_skip"}, ["Passed", "SKIPPED"], {}),
        ({"tests": "pass_or_skip"}, ["pass", "fail"], {"tests": "fail"}),
        ({"tests": "pass_or_skip"}, ["pass", "error"], {"tests": "fail"}),
        ({"tests": "pass_or_skip"}, ["skip"], {"tests": "warn"}),
        ({"tests": "pass_or_skip"}, [], {"tests": "warn"}),
        ({}, [], {}),
        ({}, ["fail"], {"tests": "fail"}),
    ],
)
def test_tests_must_pass_or_skip(
    rules: dict[str, Any], statuses: list[str], expected: dict[str, str]
) -> None:
    tests = tuple(RecordedTest(f"t{n}", status) for n, status in enumerate(statuses))

    assert judge(rules, tests=tests) == expected


def test_a_test_that_was_run_again_counts_as_it_came_out_last() -> None:
    assert judge(tests=(RecordedTest("refresh", "fail"), RecordedTest("refresh", "pass"))) == {}


@pytest.mark.parametrize(
    ("bound", "metrics", "passes"),
    [
        ({"min": 0.8}, {"coverage": 0.8}, True),
        ({"min": 0.8}, {"coverage": 0.79}, False),
        ({"max": 2}, {"coverage": 3}, False),
        ({"min": 1, "max": 2}, {"coverage": 1.5}, True),
        ({"min": 0}, {}, False),
        ({"min": 0}, {"coverage": float("nan")}, False),
    ],
)
def test_a_metric_must_be_recorded_and_within_its_bounds(
    bound: dict[str, float], metrics: dict[str, float], passes: bool
) -> None:
    assert (judge({"metrics": {"coverage": bound}}, metrics=metrics) == {}) is passes


@pytest.mark.parametrize(
    ("criterion", "passes"),
    [
        (Criterion("it runs"), False),
        (Criterion("it runs", proven=True), False),
        (Criterion("it runs", evidence="I ran it"), False),
        (Criterion("it runs", proven=True, evidence=" "), False),
        (Criterion("it runs", proven=True, evidence="log line 3"), True),
    ],
)
def test_a_criterion_is_unproven_until_something_shows_it(
    criterion: Criterion, passes: bool
) -> None:
    expected = {} if passes else {"criteria": "fail"}

    assert judge({"require_evidence": True}, criteria=(criterion,)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TODO", "fail"),
        ("Done.\n  # TODO handle errors", "fail"),
        ("call() // FIXME: later", "fail"),
        ("| owner | TBD |", "fail"),
        ("Owner: tbd, later: TBD", "fail"),
        ("Error handling: to be done", "fail"),
        ("To be determined.", "fail"),
        ("Lorem  ipsum dolor", "fail"),
        ("Dear <placeholder>,", "fail"),
        ("See [insert link]", "fail"),
        ("# ... rest of the file", "fail"),
        ("Removed 3 TODO comments.", "warn"),
        ("Two steps remain to be done by the user", "warn"),
        ("All done; the method and its autodoc are written.", None),
        ("mastodon TODOS xxx", None),
    ],
)
def test_placeholders_fail_where_they_take_the_place_of_content(
    text: str, expected: str | None
) -> None:
    assert judge(texts={"summary": text}) == ({"placeholders": expected} if expected else {})


def test_hostile_text_is_searched_in_linear_time() -> None:
    for hostile in (" " * 500_000, "#-*" * 200_000, "TODO" * 200_000, "to be " * 150_000):
        assert levels(output_gate({}, Evidence(texts={"summary": hostile + "end"}))).keys() <= {
            "placeholders"
        }


@pytest.mark.parametrize(
    ("path", "writes", "passes"),
    [
        ("src/a.py", ("src/",), True),
        ("docs/a.md", ("src/",), False),
        ("src/../docs/a.md", ("src/",), False),
        ("../secrets", (), False),
        ("docs/a.md", (), True),
        ("https://example.org/pull/7", ("src/",), True),
    ],
)
def test_artifacts_lie_inside_the_declared_scope(
    path: str, writes: tuple[str, ...], passes: bool
) -> None:
    expected = {} if passes else {"scope": "fail"}

    assert judge(artifacts=(path,), writes=writes) == expected


@pytest.mark.parametrize(
    ("tier", "cap", "passes"),
    [("T2", "T2", True), ("T3", "T2", False), ("T4", "T2", False), ("T2", "T1", False)],
)
def test_no_action_is_taken_above_the_cap(tier: str, cap: str, passes: bool) -> None:
    evidence = Evidence(actions_taken=(ActionTaken("push", Tier(tier)),))

    assert (output_gate({}, evidence, Tier(cap)) == PASS) is passes


@pytest.mark.requirement("S237")
def test_failed_work_must_say_why_and_is_not_asked_for_artifacts() -> None:
    rules = {"min_artifacts": 1, "tests": "pass_or_skip", "require_evidence": True}

    assert judge(rules, failed=True, criteria=(Criterion("it runs"),)) == {"reason": "fail"}
    assert judge(rules, failed=True, reason="the port was taken") == {}


def test_failed_work_is_still_held_to_its_scope_and_its_tier() -> None:
    assert judge(
        failed=True,
        reason="no access",
        artifacts=("docs/a.md",),
        writes=("src/",),
        actions_taken=(ActionTaken("deploy", Tier.T3),),
    ) == {"scope": "fail", "tier": "fail"}


def test_an_item_stays_small_however_many_culprits_there_are() -> None:
    tests = tuple(RecordedTest(f"{n}" * 1_000, "fail") for n in range(1_000))

    (item,) = output_gate({}, Evidence(tests=tests)).items

    assert len(item.what) < 600
    assert item.what.endswith("and 995 more")


def test_every_rule_says_why_it_is_there_and_what_to_do() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.why and rule.fix for rule in RULES)


def test_the_rules_a_shipped_contract_sets_are_the_ones_the_gate_knows() -> None:
    def keys(contract: Contract) -> set[str]:
        variants = (contract.for_capability(name) for name in contract.capabilities)
        return {key for variant in variants for key in variant.output_gate}

    used = {key for contract in Contracts().find() for key in keys(contract)}

    assert used == {"min_artifacts", "tests", "require_evidence"}


BLUNDER = Finding(
    rule="P06",
    severity=Severity.ERROR,
    where="Task",
    what="A path stands alone.",
    why="No file is there.",
    fix="give its content",
    excerpt="",
)
FLAW = replace(BLUNDER, rule="P05", severity=Severity.WARN)
REMARK = replace(BLUNDER, rule="P24", severity=Severity.INFO)


def test_work_starts_with_its_required_inputs_and_a_sound_prompt() -> None:
    assert intake_gate(["spec"], {"spec", "more"}, [REMARK]) == PASS


@pytest.mark.parametrize(
    ("required", "findings", "waived", "verdict", "levels_found"),
    [
        (["spec", "flag"], [], [], "fail", {"required_inputs": "fail"}),
        (["spec"], [BLUNDER], [], "fail", {"P06": "fail"}),
        (["spec"], [FLAW], [], "warn", {"P05": "warn"}),
        (["flag"], [BLUNDER], ["P06"], "fail", {"required_inputs": "fail", "P06": "warn"}),
        (["flag"], [BLUNDER], ["P06", "required_inputs"], "warn",
         {"required_inputs": "warn", "P06": "warn"}),
    ],
    ids=["an input", "an error", "a warning", "one waived", "all waived"],
)  # fmt: skip
def test_intake_fails_on_a_missing_input_or_an_error_that_is_not_waived(
    required: list[str],
    findings: list[Finding],
    waived: list[str],
    verdict: str,
    levels_found: dict[str, str],
) -> None:
    found = intake_gate(required, {"spec"}, findings, waived)

    assert (found.verdict, levels(found)) == (verdict, levels_found)
