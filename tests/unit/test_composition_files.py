"""The compositions and the expert roles that relaybook ships, as data."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PROMPTS = Path(__file__).parents[2] / "prompts"

FIELDS = {
    "name", "trigger", "description", "pattern", "params", "shared_decisions", "tasks", "merge",
    "acceptance", "brief",
}  # fmt: skip
#: `items` names the parameter that is cut into `batches`; the one task is then made per batch.
OPTIONAL_FIELDS = {"tags", "items", "batches"}
TASK_FIELDS = {"id", "label", "template", "args", "expected_minutes", "tier", "done"}
OPTIONAL_TASK_FIELDS = {
    "capability", "takes", "depends_on", "when", "on_failure", "instead_of", "writes", "expert_role",
    "parent_actions",
}  # fmt: skip
#: What a task that is made per batch may name besides the parameters.
BATCH_NAMES = {"batch", "batch_number"}
#: Tasks that wait for another and read nothing of it: composition, task, what it waits for.
ORDER_ONLY = {
    ("incident_response", "trace", "containment"),
    ("incident_response", "legal", "containment"),
    ("incident_response", "project", "comms"),
    ("skill_factory", "repair", "monitor"),
}
#: A word of each deed that the parent does, by composition and task.
PARENT_DEEDS = {
    ("customer_research", "draft"): "send it",
    ("implement_test_deploy", "deploy"): "Deploy",
    ("incident_response", "containment"): "Carry out the containment",
    ("incident_response", "comms"): "send it",
    ("pr_review_merge_deploy", "merge"): "Merge",
    ("pr_review_merge_deploy", "deploy"): "Deploy",
    ("skill_factory", "install"): "Install",
    ("skill_factory", "repair"): "Apply the repair",
}
MERGES = {
    "customer_research": "stage", "deal_review": "domain_risk", "documentation_sweep": "merge",
    "implement_test_deploy": "stage", "incident_response": "merge",
    "pr_review_merge_deploy": "stage", "product_launch": "stage", "qbr": "merge",
    "skill_factory": "stage",
}  # fmt: skip
ROLES = [
    "security", "performance", "architecture", "legal", "sales", "finance", "reliability",
    "cost", "privacy", "accessibility", "data quality", "user experience", "operations",
    "maintainability",
]  # fmt: skip


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def front(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8").split("---\n", 2)[1])


TEMPLATES = {path.stem: front(path) for path in PROMPTS.glob("*.prompty")}
COMPOSITIONS = {path.stem: read(path) for path in sorted((PROMPTS / "compositions").glob("*.yaml"))}
every_composition = pytest.mark.parametrize("name", COMPOSITIONS)


def tasks(name: str) -> dict[str, dict[str, Any]]:
    return {task["id"]: task for task in COMPOSITIONS[name]["tasks"]}


def placeholders(value: Any) -> set[str]:
    """Every {name} in the strings inside `value`."""
    return {found for text in strings(value) for found in re.findall(r"\{(\w+)\}", text)}


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for child in value.values():
                yield from strings(child)
        case list():
            for child in value:
                yield from strings(child)
        case _:
            pass


def waits_for(task: dict[str, Any]) -> list[str]:
    """The tasks that come directly before `task`."""
    return [*task.get("depends_on", []), *([task["on_failure"]] if "on_failure" in task else [])]


def before(name: str, task_id: str) -> set[str]:
    """Every task that comes before `task_id`, at any distance."""
    found: set[str] = set()
    open_ids = [task_id]
    while open_ids:
        for earlier in waits_for(tasks(name)[open_ids.pop()]):
            if earlier not in found:
                found.add(earlier)
                open_ids.append(earlier)
    return found


@pytest.mark.requirement("S159")
def test_the_six_compositions_and_three_more_are_there() -> None:
    assert list(COMPOSITIONS) == [
        "customer_research", "deal_review", "documentation_sweep", "implement_test_deploy",
        "incident_response", "pr_review_merge_deploy", "product_launch", "qbr", "skill_factory",
    ]  # fmt: skip


@every_composition
def test_a_composition_has_the_known_fields(name: str) -> None:
    composition = COMPOSITIONS[name]

    assert composition["name"] == name
    assert set(composition) - OPTIONAL_FIELDS == FIELDS
    for task in composition["tasks"]:
        assert set(task) - OPTIONAL_TASK_FIELDS == TASK_FIELDS
        assert task["tier"] in {"T1", "T2"}
        assert 5 <= task["expected_minutes"] <= 15
        assert len(task["label"]) <= 80


@every_composition
def test_the_trigger_is_one_sentence_that_names_parameters(name: str) -> None:
    trigger: str = COMPOSITIONS[name]["trigger"]

    assert placeholders(trigger)
    assert trigger.endswith(".")
    assert trigger.count(". ") == 0


@every_composition
def test_every_placeholder_is_a_parameter_and_every_parameter_is_used(name: str) -> None:
    composition = COMPOSITIONS[name]
    params = {param["name"] for param in composition["params"]}
    used = placeholders({key: value for key, value in composition.items() if key != "params"})
    batch = BATCH_NAMES if "items" in composition else set[str]()

    assert used - batch <= params
    assert params <= used | {composition.get("items")}
    assert all(param["description"].endswith(".") for param in composition["params"])


@every_composition
def test_every_task_gives_its_template_what_it_requires(name: str) -> None:
    for task in tasks(name).values():
        inputs = TEMPLATES[task["template"]]["inputs"]

        assert {i["name"] for i in inputs if i["required"]} <= set(task["args"])
        assert set(task["args"]) <= {i["name"] for i in inputs}


@every_composition
def test_a_required_input_is_never_fed_by_an_optional_parameter(name: str) -> None:
    optional = {p["name"] for p in COMPOSITIONS[name]["params"] if not p["required"]}

    for task in tasks(name).values():
        for declared in TEMPLATES[task["template"]]["inputs"]:
            if declared["required"]:
                assert placeholders(task["args"][declared["name"]]) & optional == set()


@every_composition
def test_an_argument_for_an_enum_is_one_of_its_values(name: str) -> None:
    for task in tasks(name).values():
        for declared in TEMPLATES[task["template"]]["inputs"]:
            given = task["args"].get(declared["name"])
            if declared["kind"] == "enum" and given is not None and not placeholders(given):
                assert given in declared["enumValues"]


@every_composition
def test_no_task_works_above_the_tier_of_its_template(name: str) -> None:
    for task in tasks(name).values():
        assert task["tier"] <= TEMPLATES[task["template"]]["metadata"]["tier"]
        assert {action["tier"] for action in task.get("parent_actions", [])} <= {"T3", "T4"}


@every_composition
def test_task_ids_are_unique_and_the_order_of_tasks_fits_their_needs(name: str) -> None:
    seen: set[str] = set()

    for task in COMPOSITIONS[name]["tasks"]:
        assert task["id"] not in seen
        assert set(waits_for(task)) <= seen
        seen.add(task["id"])


@every_composition
def test_a_task_takes_only_declared_fields_of_tasks_before_it(name: str) -> None:
    for task in tasks(name).values():
        for taken in task.get("takes", []):
            source = tasks(name)[taken["from"]]
            schema = TEMPLATES[source["template"]]["metadata"]["output_schema"]

            assert taken["from"] in before(name, task["id"])
            assert set(taken["fields"]) <= set(schema["properties"])
            assert taken["fields"]


@every_composition
def test_a_task_takes_named_fields_of_every_task_that_it_waits_for(name: str) -> None:
    waiting = {
        (name, task["id"], need) for task in tasks(name).values() for need in waits_for(task)
    }
    taking = {
        (name, task["id"], taken["from"])
        for task in tasks(name).values()
        for taken in task.get("takes", [])
    }

    assert waiting - taking == {each for each in ORDER_ONLY if each[0] == name}


@pytest.mark.requirement("S164", "S174", "A31")
def test_every_deed_in_the_world_is_the_parents() -> None:
    actions = {
        (name, task["id"]): action["action"]
        for name, composition in COMPOSITIONS.items()
        for task in composition["tasks"]
        for action in task.get("parent_actions", [])
    }

    assert actions.keys() == PARENT_DEEDS.keys()
    assert [each for each, deed in PARENT_DEEDS.items() if deed not in actions[each]] == []


def test_each_composition_merges_in_its_own_way() -> None:
    assert {name: each["merge"] for name, each in COMPOSITIONS.items()} == MERGES


@every_composition
def test_only_tasks_of_ordered_patterns_wait_for_each_other(name: str) -> None:
    if COMPOSITIONS[name]["pattern"] in {"fan_out", "expert_panel"}:
        assert [task["id"] for task in tasks(name).values() if waits_for(task)] == []
    else:
        assert any(waits_for(task) for task in tasks(name).values())


@pytest.mark.requirement("S160", "S161", "A29")
def test_a_deal_is_reviewed_by_three_domains_and_merged_by_risk() -> None:
    deal = COMPOSITIONS["deal_review"]

    assert deal["pattern"] == "expert_panel"
    assert deal["merge"] == "domain_risk"
    assert [t["expert_role"] for t in deal["tasks"]] == ["legal", "sales", "finance"]
    assert [t["args"]["domain"] for t in deal["tasks"]] == ["legal", "sales", "finance"]
    assert {t["template"] for t in deal["tasks"]} == {"deal_review_domain"}


@pytest.mark.requirement("S162")
def test_a_launch_runs_through_five_documents_in_order() -> None:
    launch = COMPOSITIONS["product_launch"]

    stages = [task["args"]["stage"] for task in launch["tasks"]]

    assert launch["pattern"] == "pipeline"
    assert stages == ["spec", "campaign", "battlecard", "kb", "tracker"]
    assert [t.get("depends_on", []) for t in launch["tasks"]] == [[], *([s] for s in stages[:-1])]


@pytest.mark.requirement("S163", "A30")
def test_an_incident_has_six_pieces_and_legal_may_start_beside_the_trace() -> None:
    pieces = tasks("incident_response")

    assert COMPOSITIONS["incident_response"]["pattern"] == "supervisor"
    assert list(pieces) == ["assessment", "containment", "trace", "legal", "comms", "project"]
    assert pieces["legal"]["depends_on"] == pieces["trace"]["depends_on"]


@pytest.mark.requirement("S164", "A31")
def test_containment_and_customer_messages_return_to_the_parent() -> None:
    beyond = {
        task["id"]
        for task in COMPOSITIONS["incident_response"]["tasks"]
        if task.get("parent_actions")
    }

    assert beyond == {"containment", "comms"}


@pytest.mark.requirement("S165")
def test_a_business_review_asks_five_areas_at_once() -> None:
    review = COMPOSITIONS["qbr"]

    assert review["pattern"] == "fan_out"
    assert [task["args"]["area"] for task in review["tasks"]] == [
        "finance", "sales", "product", "data", "marketing",
    ]  # fmt: skip
    assert review["brief"].startswith("An executive package for {quarter}: ")


@pytest.mark.requirement("S166", "A13")
def test_customer_research_recalls_from_three_sources_before_it_explains() -> None:
    research = COMPOSITIONS["customer_research"]

    assert (research["pattern"], research["tags"]) == ("pipeline", ["cascade"])
    assert {task["id"]: waits_for(task) for task in research["tasks"]} == {
        "memory": [],
        "email": [],
        "tickets": [],
        "synthesis": ["memory", "email", "tickets"],
        "draft": ["synthesis"],
    }


@pytest.mark.requirement("S176")
def test_what_memory_holds_is_passed_in_since_no_worker_can_reach_it() -> None:
    params = {param["name"]: param for param in COMPOSITIONS["customer_research"]["params"]}

    assert tasks("customer_research")["memory"]["args"]["records"] == "{memory}"
    assert params["memory"]["required"]


@pytest.mark.requirement("S167")
def test_the_synthesis_of_customer_research_scores_its_confidence() -> None:
    schema = TEMPLATES["customer_synthesis"]["metadata"]["output_schema"]
    score = {"type": "number", "minimum": 0, "maximum": 1}

    assert schema["properties"]["confidence"] == score
    assert "confidence" in schema["required"]
    assert schema["properties"]["facts"]["items"]["properties"]["confidence"] == score


@pytest.mark.requirement("S168", "S169", "S170", "S171", "A14")
def test_a_skill_is_acquired_or_created_scanned_installed_watched_and_repaired_on_error() -> None:
    factory = tasks("skill_factory")

    assert {id_: waits_for(task) for id_, task in factory.items()} == {
        "scout": [],
        "acquire": ["scout"],
        "create": ["scout"],
        "scan": ["acquire", "create"],
        "install": ["scan"],
        "monitor": ["install"],
        "repair": ["monitor"],
    }
    assert {id_ for id_, task in factory.items() if "when" in task} == {"acquire", "install"}
    assert factory["create"]["instead_of"] == "acquire"
    assert {id_ for id_, task in factory.items() if "on_failure" in task} == {"repair"}
    assert [action["tier"] for action in factory["install"]["parent_actions"]] == ["T3"]


def test_the_engine_example_keeps_its_capabilities() -> None:
    stages = COMPOSITIONS["implement_test_deploy"]["tasks"]

    assert [stage["capability"] for stage in stages] == [
        "implement", "testing", "deploy", "verification",
    ]  # fmt: skip


def test_a_sweep_cuts_its_skills_into_five_batches() -> None:
    sweep = COMPOSITIONS["documentation_sweep"]

    assert (sweep["items"], sweep["batches"]) == ("skills", 5)
    assert [task["template"] for task in sweep["tasks"]] == ["documentation"]


def test_the_role_library_has_fourteen_lenses() -> None:
    roles = read(PROMPTS / "roles.yaml")["roles"]

    assert [role["name"] for role in roles] == ROLES


def test_every_role_is_one_sentence_with_four_to_six_weighted_questions() -> None:
    for role in read(PROMPTS / "roles.yaml")["roles"]:
        assert set(role) == {"name", "sentence", "questions"}
        assert role["sentence"].startswith("You judge ")
        assert role["sentence"].count(".") == 1
        assert 4 <= len(role["questions"]) <= 6
        for question in role["questions"]:
            assert set(question) == {"name", "question", "weight"}
            assert question["question"].endswith("?")
            assert question["weight"] in {1, 2, 3}


def test_no_two_roles_ask_the_same_question() -> None:
    roles = read(PROMPTS / "roles.yaml")["roles"]
    asked = [question["question"] for role in roles for question in role["questions"]]
    names = [question["name"] for role in roles for question in role["questions"]]

    assert len(set(asked)) == len(asked)
    assert len(set(names)) == len(names)
