"""The hooks of an ended stage."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.hooks import (
    DEFAULT_HOOKS,
    EndedStage,
    Hook,
    due_hooks,
    hook_label,
    hook_label_full,
)
from relaybook.registry.contracts import Contracts


def stage(**changes: Any) -> EndedStage:
    values: dict[str, Any] = {
        "workflow_id": "wf_1a2b3c4d",
        "index": 0,
        "item": "wf-implement-auth-refresh-stage-0",
        "goal": "Build refresh token endpoint",
        "skill": "python-backend",
    }
    return EndedStage(**{**values, **changes})


def due(stage: EndedStage, **more: Any) -> list[str]:
    return [hook.skill for hook in due_hooks(stage, DEFAULT_HOOKS, **more)]


@pytest.mark.requirement("S228", "S189")
def test_a_completed_stage_has_the_three_hooks_in_their_order() -> None:
    assert due(stage(findings=("Tokens expire early.",))) == [
        "sanity-check",
        "reflect",
        "skill-lifecycle",
    ]


@pytest.mark.requirement("S231")
def test_without_findings_there_is_nothing_to_reflect_on() -> None:
    assert due(stage()) == ["sanity-check", "skill-lifecycle"]


@pytest.mark.requirement("S237")
@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ((), ["sanity-check", "skill-lifecycle"]),
        (("The port is taken.",), ["sanity-check", "reflect", "skill-lifecycle"]),
    ],
)
def test_a_failed_stage_has_its_hooks_too(findings: tuple[str, ...], expected: list[str]) -> None:
    assert due(stage(failed=True, findings=findings)) == expected


@pytest.mark.requirement("S189")
def test_a_workflow_can_set_its_own_hooks_each_once_and_in_its_order() -> None:
    hooks = ["docs-engine", "sanity-check", "docs-engine"]

    assert due(stage(), hooks=hooks) == ["docs-engine", "sanity-check"]
    assert due(stage(failed=True), hooks=hooks) == ["sanity-check"]
    assert due(stage(), hooks=[]) == []


@pytest.mark.requirement("S199", "A11", "A26")
def test_a_hook_carries_what_its_task_needs() -> None:
    ended = stage(
        findings=("Tokens expire early.",),
        lessons=("Be kind.",),
        digest="Goal: refresh tokens.",
        figures={"passed": 9},
        failures=({"id": "a1", "code": "timeout", "text": "too slow"},),
    )

    check, reflect, lifecycle = due_hooks(ended, DEFAULT_HOOKS)

    assert check == Hook(
        skill="sanity-check",
        label="hook_sanity-check",
        label_full="hook_1a2b3c4d_0_sanity-check",
        description=(
            "Run the OUTPUT gate over the artifacts and tests of stage 0 "
            "(wf-implement-auth-refresh-stage-0, completed, by python-backend): "
            "Build refresh token endpoint"
        ),
        inputs={
            "gate": "output",
            "item": "Goal: refresh tokens.",
            "criteria": ["Build refresh token endpoint"],
        },
        template="hook_sanity_check",
        builtin=True,
    )
    assert reflect.inputs == {
        "findings": [{"id": "f1", "text": "Tokens expire early."}],
        "lessons": ["Be kind."],
    }
    assert lifecycle.inputs == {
        "skill": "python-backend",
        "figures": {"passed": 9},
        "failures": [{"id": "a1", "code": "timeout", "text": "too slow"}],
    }


@pytest.mark.requirement("A26")
def test_what_follows_from_rules_is_done_by_the_server() -> None:
    hooks = due_hooks(stage(findings=("x",)), DEFAULT_HOOKS)

    assert {hook.skill: hook.builtin for hook in hooks} == {
        "sanity-check": True,
        "reflect": False,
        "skill-lifecycle": True,
    }


@pytest.mark.requirement("A26")
def test_the_default_hooks_agree_with_the_contracts_of_their_skills() -> None:
    contracts = Contracts()

    for hook in due_hooks(stage(findings=("x",)), contracts.names()):
        contract = contracts.get(hook.skill)

        assert hook.problem is None
        assert (hook.template, hook.builtin) == (contract.template, contract.mode == "builtin")
        assert set(hook.inputs) <= {entry.name for entry in contract.inputs}


@pytest.mark.requirement("S235")
def test_a_hook_without_a_contract_is_reported_and_not_dropped() -> None:
    check, lifecycle = due_hooks(stage(), ["sanity-check"])

    assert check.problem is None
    assert lifecycle.problem == (
        "there is no contract 'skill-lifecycle': add one to a contracts folder, "
        "or waive the hook with a reason"
    )


@pytest.mark.requirement("S200", "A11")
def test_labels_are_those_of_the_playbook_and_unique_ones_beside_them() -> None:
    assert hook_label("reflect") == "hook_reflect"
    assert hook_label_full("wf-1a2b3c4d", 3, "reflect") == "hook_1a2b3c4d_3_reflect"
    assert hook_label_full("wf_1a2b3c4d", 3, "reflect") == "hook_1a2b3c4d_3_reflect"


@pytest.mark.requirement("A11")
@given(st.text(max_size=100), st.text(max_size=100), st.integers(0, 10**6))
def test_a_label_is_short_and_plain_whatever_the_names(
    workflow_id: str, skill: str, index: int
) -> None:
    plain = re.compile(r"[a-z0-9_-]{1,64}")

    assert plain.fullmatch(hook_label(skill))
    assert plain.fullmatch(hook_label_full(workflow_id, index, skill))


def test_a_description_stays_one_short_line() -> None:
    (hook, *_) = due_hooks(stage(goal="x\n" * 10_000), DEFAULT_HOOKS)

    assert len(hook.description) < 500
    assert "\n" not in hook.description
