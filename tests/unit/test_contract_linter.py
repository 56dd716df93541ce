"""Checks between contracts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from relaybook.core.plan.task_spec import ParentAction
from relaybook.model import Tier
from relaybook.registry.contract import Contract, Input, Output
from relaybook.registry.contract_linter import EFFECT_TIERS, check_contracts
from relaybook.registry.contracts import Contracts
from relaybook.registry.shipped import shipped

#: What the shipped compositions ask for.
COMPOSED = (
    "contract_review", "deal_strategy", "revenue_review", "product_spec", "campaign_plan",
    "sales_enablement", "kb_writing", "project_tracking", "security_assessment", "containment",
    "trace_analysis", "compliance_obligations", "customer_comms", "finance_report",
    "sales_report", "roadmap_report", "data_report", "marketing_report", "memory_recall",
    "email_search", "ticket_search", "customer_synthesis", "response_draft", "skill_discovery",
    "skill_acquisition", "skill_creation", "security_scan", "skill_installation",
    "skill_health", "self_healing", "documentation", "implement", "testing", "deploy",
    "verification", "code_review", "merge",
)  # fmt: skip


def contract(name: str = "painter", **changes: Any) -> Contract:
    values: Mapping[str, Any] = {
        "name": name,
        "description": "Paints fences and walls.",
        "capabilities": ("painting",),
        "inputs": (),
        "outputs": (Output(name="photo", type="file_paths", description="How it looks."),),
        "upstream": (),
        "downstream": (),
        "tier_max": Tier.T2,
        "mode": "spawn",
        "estimated_minutes": 5,
        "model_hint": "cheap",
        "template": "pipeline_stage",
        "path": Path(f"/contracts/{name}.json"),
    }
    return Contract(**{**values, **changes})


def found(*contracts: Contract, **more: Any) -> list[tuple[str, str, str]]:
    return [(f.severity, f.contract, f.what) for f in check_contracts(contracts, **more)]


def test_the_starters_have_no_error_and_no_warning_and_agree_on_every_edge() -> None:
    findings = check_contracts(Contracts().find(), COMPOSED)

    assert {finding.severity for finding in findings} == {"info"}
    assert [f for f in findings if "does not name it" in f.what] == []


def test_a_contract_that_is_sound_by_itself_gives_no_finding() -> None:
    assert found(contract()) == []


def test_a_file_must_be_named_after_its_skill() -> None:
    assert found(contract(path=Path("/contracts/paint.json"))) == [
        ("error", "painter", "the file 'paint.json' holds the contract 'painter'")
    ]


def test_a_neighbour_without_a_contract_is_a_warning() -> None:
    assert found(contract(upstream=("mason",), downstream=("buyer",))) == [
        ("warn", "painter", "upstream names 'mason', which has no contract"),
        ("warn", "painter", "downstream names 'buyer', which has no contract"),
    ]


def test_an_edge_that_only_one_side_names_is_told() -> None:
    assert found(contract("mason", downstream=("painter",)), contract()) == [
        ("info", "mason", "downstream names 'painter', whose upstream does not name it")
    ]


def test_a_required_input_that_nobody_before_produces_is_told() -> None:
    wall = Input(name="wall", type="string", required=True, description="Which.")
    colour = Input(name="colour", type="string", required=False, description="Which.")
    mason = contract("mason", downstream=("painter",))

    assert found(mason, contract(upstream=("mason",), inputs=(wall, colour))) == [
        ("info", "painter", "no upstream skill produces the required input 'wall'")
    ]


@pytest.mark.requirement("A31")
@pytest.mark.parametrize(
    ("tier_max", "effect", "actions", "errors"),
    [
        ("T2", "files_written", [], 0),
        ("T1", "files_written", [], 1),
        ("T2", "deployment", [], 1),
        ("T2", "deployment", ["T3"], 0),
        ("T2", "payment", ["T3"], 1),
        ("T2", "payment", ["T4"], 0),
    ],
)
def test_an_effect_beyond_the_worker_needs_a_parent_action_that_reaches_as_far(
    tier_max: str, effect: str, actions: list[str], errors: int
) -> None:
    parent_actions = tuple(ParentAction(action="do", tier=Tier(tier)) for tier in actions)

    findings = found(
        contract(tier_max=Tier(tier_max), side_effects=(effect,), parent_actions=parent_actions)
    )

    assert [severity for severity, _, _ in findings] == ["error"] * errors


def test_every_side_effect_of_the_schema_has_a_tier() -> None:
    schema = json.loads((shipped("contracts") / "contract.schema.json").read_text("utf-8"))

    assert schema["properties"]["side_effects"]["items"]["enum"] == list(EFFECT_TIERS)


def test_what_passes_must_be_an_output() -> None:
    assert found(contract(passes=("photo", "video"))) == [
        ("error", "painter", "passes names 'video', which is no output")
    ]


def test_a_difference_must_be_for_a_capability_that_is_held() -> None:
    assert found(contract(per_capability={"plastering": {"template": "implement"}})) == [
        (
            "error",
            "painter",
            "per_capability names 'plastering', which is not among its capabilities",
        )
    ]


def test_a_capability_that_a_composition_asks_for_must_have_a_holder() -> None:
    assert found(contract(), compositions_capabilities=["painting", "roofing"]) == [
        ("error", "roofing", "a composition asks for it and no skill has it")
    ]


def test_the_use_of_templates_is_checked_where_these_are_given() -> None:
    colour = Input(name="colour", type="string", required=False, description="Which.")
    painter = contract(
        inputs=(colour,),
        template_args={"goal": "$goal", "brush": "wide"},
        capabilities=("painting", "varnishing"),
        per_capability={"varnishing": {"template": "varnish"}},
    )
    templates = {"pipeline_stage": {"goal": True, "colour": True, "wall": True, "note": False}}

    assert found(painter, templates=templates) == [
        (
            "error",
            "painter",
            "template_args gives 'brush', no input of the template 'pipeline_stage'",
        ),
        (
            "error",
            "painter",
            "nothing gives 'wall', a required input of the template 'pipeline_stage'",
        ),
        ("error", "painter", "there is no template 'varnish'"),
    ]


def test_what_stands_for_nothing_in_template_args_is_an_error() -> None:
    args = {"goal": "$goal", "criteria": ["$criteria"], "focus": ["$nope", "costs $5"]}

    [(severity, _, what)] = found(
        contract(template_args=args), templates={"pipeline_stage": dict.fromkeys(args, True)}
    )

    assert severity == "error"
    assert what == "template_args 'focus' is '$nope', which nothing fills in"


def test_each_ring_of_contracts_is_told_once() -> None:
    ring = (
        contract("a", upstream=("c",), downstream=("b",)),
        contract("b", upstream=("a",), downstream=("c", "d")),
        contract("c", upstream=("b",), downstream=("a",)),
        contract("d", upstream=("b",)),
    )

    assert found(*ring) == [("info", "a", "work can come round: a, b, c")]


def test_errors_come_first() -> None:
    findings = found(contract("a", downstream=("z",)), contract("b", passes=("x",)))

    assert [severity for severity, _, _ in findings] == ["error", "warn"]
