"""Skill contracts: loading, shadowing, routing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from relaybook.errors import UnknownCapability, UnknownContract
from relaybook.registry.contract import SIZE_LIMIT
from relaybook.registry.contracts import Contracts
from relaybook.registry.shipped import shipped

STARTERS = (
    "agent-guardrails", "agent-memory", "agent-orchestration", "code-reviewer",
    "customer-support", "data-analysis", "devops", "docs-engine", "email-manager", "finance",
    "legal", "marketing", "observability", "product-management", "python-backend", "reflect",
    "sales", "sanity-check", "security", "skill-lifecycle", "skill-scout", "task-planner",
    "ticket-search", "web-builder",
)  # fmt: skip


def contract_text(name: str = "painter", **changes: Any) -> str:
    data = {
        "schema_version": 1,
        "name": name,
        "description": "Paints fences and walls in any colour.",
        "capabilities": ["painting"],
        "inputs": [{"name": "wall", "type": "string", "required": True, "description": "Which."}],
        "outputs": [{"name": "photo", "type": "file_paths", "description": "How it looks."}],
        "upstream": [],
        "downstream": [],
        "tier_max": "T2",
        "mode": "spawn",
        "estimated_minutes": 5,
        "model_hint": "cheap",
        "template": "pipeline_stage",
    }
    return json.dumps(data | changes)


def write(folder: Path, name: str = "painter", **changes: Any) -> Path:
    path = folder / f"{name}.json"
    path.write_text(contract_text(name, **changes), encoding="utf-8")
    return path


def names(contracts: Contracts, **wanted: str) -> tuple[str, ...]:
    return tuple(contract.name for contract in contracts.find(**wanted))


@pytest.mark.requirement("S203")
def test_every_starter_is_one_file_named_after_its_skill() -> None:
    files = {path.stem for path in shipped("contracts").glob("*.json")}

    assert Contracts().names() == STARTERS
    assert files - {"contract.schema"} == set(STARTERS)


def test_every_starter_is_valid() -> None:
    assert Contracts().problems() == ()


@pytest.mark.parametrize(
    ("capability", "skills"),
    [
        pytest.param("deploy", ("devops",), marks=pytest.mark.requirement("S205", "A18")),
        pytest.param(
            "verification", ("sanity-check",), marks=pytest.mark.requirement("S206", "A18")
        ),
    ],
)
def test_one_skill_alone_has_the_capability(capability: str, skills: tuple[str, ...]) -> None:
    assert names(Contracts(), capability=capability) == skills


@pytest.mark.requirement("S207")
def test_a_pipeline_keeps_the_order_of_its_capabilities() -> None:
    found = Contracts().pipeline(["implement", "deploy", "verification"])

    assert [contract.name for contract in found] == ["python-backend", "devops", "sanity-check"]


@pytest.mark.requirement("S183", "S186", "A18")
def test_the_four_stage_example_is_routed_as_the_playbook_prints_it() -> None:
    found = Contracts().pipeline(["implement", "testing", "deploy", "verification"])

    assert [contract.name for contract in found] == [
        "python-backend",
        "python-backend",
        "devops",
        "sanity-check",
    ]


@pytest.mark.requirement("S208")
def test_a_pipeline_with_an_unknown_capability_names_it() -> None:
    with pytest.raises(UnknownCapability, match="'teleport'"):
        Contracts().pipeline(["implement", "teleport"])


@pytest.mark.requirement("S184", "A15")
def test_an_unknown_capability_is_refused_with_the_nearest_known_ones() -> None:
    with pytest.raises(UnknownCapability) as refused:
        Contracts().resolve("verifcation")

    assert refused.value.allowed.split(", ")[0] == "verification"


@pytest.mark.requirement("S183", "A15")
def test_a_skill_that_is_named_wins_even_over_an_unknown_capability() -> None:
    contracts = Contracts()

    assert contracts.resolve("deploy", skill="web-builder").contract.name == "web-builder"
    assert contracts.resolve("deploy", skill="web-builder").runners_up == ("devops",)
    assert contracts.resolve("teleport", skill="devops").contract.name == "devops"


def test_an_unknown_skill_is_refused_with_the_nearest_known_ones() -> None:
    with pytest.raises(UnknownContract) as refused:
        Contracts().resolve("deploy", skill="devop")

    assert refused.value.allowed.split(", ")[0] == "devops"


def test_a_refusal_stays_small_whatever_was_asked() -> None:
    with pytest.raises(UnknownCapability) as refused:
        Contracts().resolve("x" * 1_000_000)

    assert len(str(refused.value)) < 1_000


@pytest.mark.requirement("A18", "S211")
def test_the_higher_priority_is_taken_and_then_the_first_by_name(tmp_path: Path) -> None:
    write(tmp_path, "a-low")
    write(tmp_path, "c-high", priority=2)
    write(tmp_path, "b-high", priority=2)

    route = Contracts([tmp_path]).resolve("painting")

    assert (route.contract.name, route.runners_up) == ("b-high", ("c-high", "a-low"))


@pytest.mark.requirement("S204", "S209")
def test_a_contract_tells_what_it_needs_what_it_gives_and_where_work_goes_next() -> None:
    contract = Contracts().get("python-backend")

    assert [entry.name for entry in contract.inputs] == [
        "spec",
        "sources",
        "constraints",
        "done_criteria",
    ]
    assert [entry.name for entry in contract.outputs] == [
        "files",
        "tests",
        "decisions",
        "changes",
        "tests_passed",
        "coverage",
        "run_command",
        "findings",
    ]
    assert contract.downstream == (
        "code-reviewer",
        "devops",
        "docs-engine",
        "sanity-check",
        "security",
    )


@pytest.mark.requirement("S210")
def test_skills_are_found_by_the_names_of_inputs_and_outputs() -> None:
    contracts = Contracts()

    assert names(contracts, input="logs") == ("observability",)
    assert names(contracts, output="hits") == ("agent-memory", "email-manager", "ticket-search")
    assert names(contracts, capability="memory_recall", output="hits") == ("agent-memory",)
    assert names(contracts, capability="deploy", output="hits") == ()


@pytest.mark.requirement("S213")
def test_the_index_leads_from_each_capability_to_its_skills() -> None:
    contracts = Contracts()

    index = contracts.index()

    assert list(index) == sorted(index)
    assert index == {capability: names(contracts, capability=capability) for capability in index}
    assert index["deploy"] == ("devops",)


def test_a_folder_of_the_user_shadows_a_shipped_contract_and_the_contract_says_so(
    tmp_path: Path,
) -> None:
    mine = write(tmp_path, "devops", capabilities=["deploy"])

    contract = Contracts([tmp_path]).get("devops")

    assert contract.path == mine
    assert contract.shadows == shipped("contracts") / "devops.json"
    assert Contracts().get("devops").shadows is None


def test_an_edit_is_seen_at_the_next_call(tmp_path: Path) -> None:
    path = write(tmp_path)
    contracts = Contracts([tmp_path])
    before = contracts.get("painter").capabilities

    write(tmp_path, capabilities=["plastering"])
    os.utime(path, ns=(1, 1))

    assert (before, contracts.get("painter").capabilities) == (("painting",), ("plastering",))


def test_a_file_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    path = write(tmp_path)
    contracts = Contracts([tmp_path])
    assert contracts.get("painter").path == path

    path.unlink()

    with pytest.raises(UnknownContract):
        contracts.get("painter")


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    write(tmp_path)
    contracts = Contracts([tmp_path])
    before = contracts.get("devops")

    write(tmp_path, "plasterer")

    assert "plasterer" in contracts.names()
    assert contracts.get("devops").output_gate is before.output_gate


@pytest.mark.requirement("S212")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is not JSON"),
        ('{"x": NaN}', "NaN is no number"),
        ('{"name": "painter", "name": "other"}', "the key 'name' stands there twice"),
        ("[" * 100_000, "nested too deep"),
        ("[]", "is not of type 'object'"),
        (" " * (SIZE_LIMIT + 1), "larger than 256 kB"),
        (contract_text(capabilities=[]), "$.capabilities"),
        (contract_text(colour="red"), "there is no field 'colour'; nearest: "),
        (contract_text(tier_max="T3"), "$.tier_max"),
        (contract_text(name="Painter"), "$.name"),
        (contract_text(template=3), "$.template"),
    ],
)
def test_a_file_that_is_no_contract_is_reported_and_the_others_still_serve(
    tmp_path: Path, text: str, reason: str
) -> None:
    bad = tmp_path / "broken.json"
    bad.write_text(text, encoding="utf-8")
    write(tmp_path)

    contracts = Contracts([tmp_path])

    (problem,) = contracts.problems()
    assert problem.path == bad
    assert reason in problem.reason
    assert len(problem.reason) <= 1_000
    assert "painter" in contracts.names()


@pytest.mark.requirement("S212")
def test_a_folder_that_is_missing_is_reported(tmp_path: Path) -> None:
    contracts = Contracts([tmp_path / "nowhere"])

    assert [problem.path for problem in contracts.problems()] == [tmp_path / "nowhere"]
    assert contracts.names() == STARTERS


@pytest.mark.requirement("S212")
def test_an_entry_that_cannot_be_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "gone.json").symlink_to(tmp_path / "nothing")

    problems = Contracts([tmp_path]).problems()

    assert [problem.path.name for problem in problems] == ["folder.json", "gone.json"]


def test_an_invalid_file_leaves_the_contract_it_would_replace_in_force(tmp_path: Path) -> None:
    (tmp_path / "devops.json").write_text("{", encoding="utf-8")
    contracts = Contracts([tmp_path])

    (problem,) = contracts.problems()

    assert problem.reason.endswith(f"{shipped('contracts') / 'devops.json'} stays in force")
    assert contracts.get("devops") == Contracts().get("devops")


@pytest.mark.requirement("S212")
def test_two_files_of_one_folder_cannot_hold_the_same_name(tmp_path: Path) -> None:
    first = write(tmp_path)
    second = tmp_path / "second.json"
    second.write_text(contract_text("painter", priority=9), encoding="utf-8")
    contracts = Contracts([tmp_path])

    assert contracts.get("painter").path == first
    assert [problem.path for problem in contracts.problems()] == [second]


def test_a_contract_may_carry_keys_of_its_author(tmp_path: Path) -> None:
    write(tmp_path, x_owner="facilities")

    assert Contracts([tmp_path]).problems() == ()


@pytest.mark.requirement("A34")
@pytest.mark.parametrize(("retries", "valid"), [(0, True), (2, True), (3, False)])
def test_a_contract_grants_at_most_two_retries(tmp_path: Path, retries: int, valid: bool) -> None:
    write(tmp_path, retry={"max": retries})

    assert (Contracts([tmp_path]).problems() == ()) is valid


def test_a_contract_differs_by_capability_where_it_says_so() -> None:
    contract = Contracts().get("python-backend")

    assert contract.for_capability("implement") == contract
    assert contract.for_capability("testing").template == "test_writing"
    assert contract.for_capability("testing").output_gate == contract.output_gate
    assert contract.for_capability("api_design").output_gate == {
        "min_artifacts": 1,
        "require_evidence": True,
    }


def test_the_goal_and_the_criteria_of_a_stage_fill_the_arguments() -> None:
    contract = Contracts().get("python-backend")

    arguments = contract.arguments("Build it", ["it runs", "it is tested"])

    assert arguments == {
        "spec": "Build it",
        "done_criteria": ["it runs", "it is tested"],
        "scope": "the files that the goal needs, and no others",
    }
    assert contract.for_capability("testing").arguments("Test it")["goal"] == "Test it"


def test_without_criteria_the_goal_is_the_criterion() -> None:
    assert Contracts().get("devops").arguments("Ship it") == {
        "goal": "Ship it",
        "done_criteria": ["Ship it"],
    }


@pytest.mark.requirement("A31")
def test_deploying_and_merging_are_left_to_the_orchestrator() -> None:
    devops = Contracts().get("devops")

    actions = {action.action: action.tier for action in devops.parent_actions}

    assert (devops.tier_max, actions["deployment"], actions["merge"]) == ("T2", "T3", "T3")


def test_no_worker_is_granted_more_than_its_workspace() -> None:
    assert {contract.tier_max for contract in Contracts().find()} == {"T1", "T2"}


def test_importing_the_contracts_does_not_import_jsonschema() -> None:
    code = "import sys, relaybook.registry.contracts; sys.exit('jsonschema' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
