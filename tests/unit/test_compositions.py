"""Compositions: files are read and checked, and arguments make plans of them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.plan.task_fields import read_spec
from relaybook.core.plan.task_spec import ParentAction, spec_value
from relaybook.core.plan.tasks import read_tasks
from relaybook.errors import InvalidArguments, InvalidComposition, InvalidPlan, UnknownComposition
from relaybook.model import Pattern, Tier
from relaybook.registry.composition_plan import plan_of
from relaybook.registry.compositions import Compositions
from relaybook.registry.placeholders import ABSENT, Malformed, escape, fill, names_in

FIELDS: dict[str, Any] = {
    "name": "mine",
    "trigger": "Look at {topic}.",
    "description": "Looks at a topic.",
    "pattern": "fan_out",
    "params": [
        {"name": "topic", "kind": "string", "required": True},
        {"name": "limit", "kind": "integer"},
        {"name": "tone", "kind": "string", "default": "plain"},
        {"name": "pages", "kind": "sources"},
    ],
    "tasks": [{"id": "a", "label": "Look at {topic}", "args": {"topic": "{topic}"}}],
}

DIVIDED: dict[str, Any] = FIELDS | {
    "items": "pages",
    "batches": 3,
    "tasks": [
        {
            "id": "part",
            "label": "Part {batch_number}",
            "args": {"sources": "{batch}", "topic": "{topic}"},
        }
    ],
}


def write(folder: Path, fields: Mapping[str, Any], name: str = "mine") -> Path:
    """A composition's file in the folder of prompts."""
    path = folder / "compositions" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(dict(fields), sort_keys=False), encoding="utf-8")
    return path


def plan(folder: Path, fields: Mapping[str, Any], **args: Any) -> list[Any]:
    """The tasks that a composition of `fields` makes of `args`."""
    write(folder, fields)
    return list(plan_of(Compositions((folder,)).get("mine"), args).tasks)


def with_task(**members: Any) -> dict[str, Any]:
    """The fields, with a task that has these members too."""
    return FIELDS | {"tasks": [FIELDS["tasks"][0] | members]}


def pages(count: int) -> list[dict[str, str]]:
    return [{"path": f"{number}.md", "content": "text"} for number in range(count)]


@pytest.mark.requirement("S159")
def test_the_shipped_compositions_are_listed_and_sound() -> None:
    compositions = Compositions()

    assert compositions.names() == [
        "customer_research", "deal_review", "documentation_sweep", "implement_test_deploy",
        "incident_response", "pr_review_merge_deploy", "product_launch", "qbr", "skill_factory",
    ]  # fmt: skip
    assert compositions.problems() == []


def test_a_text_that_is_a_placeholder_takes_the_value_with_its_type() -> None:
    given = {"n": 3, "list": ["a", {"b": "{n}"}], "name": "Ada"}

    filled = fill({"a": "{n}", "b": ["{list}"], "c": "{name} has {n}", "d": 1.5}, given)

    assert filled == {"a": 3, "b": [["a", {"b": "{n}"}]], "c": "Ada has 3", "d": 1.5}


def test_what_names_a_value_not_given_is_left_out() -> None:
    filled = fill({"a": "{x}", "b": ["{x}", "{y}"], "c": "for {x}", "d": {"e": "{x}"}}, {"y": 1})

    assert filled == {"b": [1], "d": {}}
    assert fill("{x}", {}) is ABSENT


@pytest.mark.parametrize(
    "text", ["{", "a}", "{a.b}", "{a[0]}", "{a!r}", "{a:>9}", "{}", "{0}", "{a b}", "{{a}"]
)
def test_only_a_name_between_braces_is_a_placeholder(text: str) -> None:
    with pytest.raises(Malformed):
        list(names_in({"x": [text]}))


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists))
def test_what_is_escaped_is_filled_in_as_it_was(value: Any) -> None:
    assert list(names_in(escape(value))) == []
    assert fill(escape(value), {}) == value


def test_arguments_reach_the_tasks_with_their_types(tmp_path: Path) -> None:
    fields = with_task(
        args={"topic": "{topic}", "limit": "{limit}", "tone": "{tone}", "note": "{limit} at most"}
    )

    (full,) = plan(tmp_path, fields, topic="tea", limit="3")
    (short,) = plan(tmp_path, fields, topic="tea")

    assert full["label"] == "Look at tea"
    assert full["args"] == {"topic": "tea", "limit": 3, "tone": "plain", "note": "3 at most"}
    assert short["args"] == {"topic": "tea", "tone": "plain"}


def test_a_value_is_never_read_as_a_placeholder(tmp_path: Path) -> None:
    (task,) = plan(tmp_path, FIELDS, topic="{limit} {{x}}")

    assert (task["label"], task["args"]) == ("Look at {limit} {{x}}", {"topic": "{limit} {{x}}"})


def test_all_faults_of_the_arguments_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidArguments) as refused:
        plan(tmp_path, FIELDS, topik="tea", limit="many")

    assert refused.value.data == {
        "missing": ["topic"],
        "unknown": ["topik"],
        "invalid": ["limit must be an integer, not 'many'"],
    }
    assert "unknown 'topik' (nearest: topic" in refused.value.message


def test_an_empty_list_counts_as_given(tmp_path: Path) -> None:
    params = [*FIELDS["params"], {"name": "notes", "kind": "records", "required": True}]
    fields = with_task(args={"notes": "{notes}"}) | {"params": params}

    (task,) = plan(tmp_path, fields, topic="tea", notes=[])

    assert task["args"] == {"notes": []}


def test_a_plan_keeps_what_the_composition_says_besides_its_tasks(tmp_path: Path) -> None:
    write(
        tmp_path,
        FIELDS
        | {
            "shared_decisions": ["Only {topic}."],
            "acceptance": ["{topic} was looked at."],
            "brief": "For those who like {topic}.",
            "merge": "stage",
            "tags": ["short"],
        },
    )

    parts = plan_of(Compositions((tmp_path,)).get("mine"), {"topic": "green\ntea"})

    assert (parts.pattern, parts.name) == (Pattern.FAN_OUT, "Look at green tea.")
    assert parts.options == {
        "composition": "mine",
        "merge": "stage",
        "tags": ["short"],
        "shared_decisions": ["Only green\ntea."],
        "acceptance": ["green\ntea was looked at."],
        "brief": "For those who like green\ntea.",
    }


@pytest.mark.requirement("S12")
def test_items_are_divided_evenly_over_copies_of_the_one_task(tmp_path: Path) -> None:
    tasks = plan(tmp_path, DIVIDED, topic="tea", pages=pages(7))

    assert [(task["id"], task["label"]) for task in tasks] == [
        ("part_1", "Part 1"), ("part_2", "Part 2"), ("part_3", "Part 3"),
    ]  # fmt: skip
    assert [task["items"] for task in tasks] == [
        ["0.md", "1.md", "2.md"], ["3.md", "4.md"], ["5.md", "6.md"],
    ]  # fmt: skip
    assert tasks[1]["args"] == {"sources": pages(7)[3:5], "topic": "tea"}
    assert len(read_tasks(tasks, Pattern.FAN_OUT)) == 3


def test_no_batches_at_all_are_refused(tmp_path: Path) -> None:
    write(tmp_path, DIVIDED)
    composition = Compositions((tmp_path,)).get("mine")

    with pytest.raises(InvalidPlan, match="0 partitions cannot hold 12 items"):
        plan_of(composition, {"topic": "tea", "pages": pages(12)}, batches=0)


def test_the_caller_may_ask_for_another_number_of_batches(tmp_path: Path) -> None:
    write(tmp_path, DIVIDED)
    composition = Compositions((tmp_path,)).get("mine")

    parts = plan_of(composition, {"topic": "tea", "pages": pages(12)}, batches=10)

    assert [task["id"] for task in parts.tasks][::9] == ["part_01", "part_10"]


@pytest.mark.parametrize("given", [[], pages(2) * 2])
def test_items_that_cannot_be_divided_are_refused(tmp_path: Path, given: list[Any]) -> None:
    with pytest.raises(InvalidPlan):
        plan(tmp_path, DIVIDED, topic="tea", pages=given)


def test_a_later_folder_shadows_and_says_so(tmp_path: Path) -> None:
    write(tmp_path, FIELDS | {"name": "qbr"}, "qbr")

    compositions = Compositions((tmp_path,))

    assert compositions.get("qbr").description == "Looks at a topic."
    assert compositions.get("qbr").shadows
    assert not compositions.get("deal_review").shadows


def test_an_edit_is_seen_at_the_next_call(tmp_path: Path) -> None:
    path = write(tmp_path, FIELDS)
    compositions = Compositions((tmp_path,))
    before = compositions.get("mine").description

    write(tmp_path, FIELDS | {"description": "Something else altogether."})
    os.utime(path, (1, 1))

    assert before == "Looks at a topic."
    assert compositions.get("mine").description == "Something else altogether."


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownComposition) as refused:
        Compositions().get("deal_revue")

    nearest, *others = refused.value.allowed.split(", ")
    assert nearest == "deal_review"
    assert sorted([nearest, *others]) == Compositions().names()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"patern": "pipeline"}, "patern is no known field; nearest: pattern"),
        ({"pattern": "cascade"}, "pattern must be one of fan_out"),
        ({"name": "other"}, "name is 'other', but the file is named 'mine'"),
        ({"trigger": "Look at {topc}."}, "trigger: {topc} is no parameter; nearest: topic"),
        ({"trigger": "At {limit}."}, "trigger: {limit} may not be given"),
        ({"trigger": "At {topic.x}."}, "trigger: {topic.x} is more than a name"),
        ({"params": [{"name": "topic"}]}, "params must be mappings with a name and a kind"),
        ({"params": [{"name": "batch", "kind": "text"}]}, "params declare 'batch'"),
        ({"params": [{"name": "x", "kind": "enum"}]}, "params must give 'x' enumValues"),
        ({"items": "topic"}, "items: must name a parameter of kind array"),
        ({"tasks": []}, "tasks: The plan has no task."),
        ({"tasks": [{"id": "a", "needs": []}]}, "tasks: Task 'a' has an unknown field"),
        ({"tasks": [{"id": "a", "args": {"x": "{y}"}}]}, "args: {y} is no parameter"),
        ({"tasks": [{"id": "a", "label": "{limit}"}]}, "tasks: {limit} may not be given"),
        ({"tasks": "a"}, "tasks must be a list of tasks"),
        ({"batches": 0}, "batches must be a whole number from 1 up"),
    ],
)
def test_a_faulty_file_is_a_problem_with_its_line(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    path = write(tmp_path, FIELDS | change)

    (problem,) = Compositions((tmp_path,)).problems()

    assert problem.path == path
    assert problem.reason.startswith(reason)
    field = reason.partition(" ")[0].rstrip(":")
    line = path.read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert line.lstrip().startswith(f"{field}:")


def test_a_broken_file_is_refused_when_it_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"name": "mine", "pattern": "fan_out"})

    with pytest.raises(InvalidComposition, match=r"mine.yaml line 1: lacks trigger, description"):
        Compositions((tmp_path,)).get("mine")


def test_nothing_is_parsed_or_imported_before_a_composition_is_asked_for() -> None:
    code = (
        "import sys; from relaybook.registry.compositions import Compositions;"
        "Compositions().names(); assert 'yaml' not in sys.modules"
    )

    done = subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": "server"})

    assert done.returncode == 0


@pytest.mark.requirement("A31")
def test_a_specification_keeps_what_is_left_for_the_parent() -> None:
    action = {"action": "Deploy it.", "tier": "T3"}

    (spec,) = read_tasks([{"id": "a", "parent_actions": [action]}], Pattern.FAN_OUT)

    assert spec.parent_actions == (ParentAction("Deploy it.", Tier.T3),)
    assert spec_value(spec)["parent_actions"] == [action]
    assert read_spec(spec_value(spec)) == spec


@pytest.mark.parametrize(
    "actions",
    [
        "x",
        ["x"],
        [{"action": "x"}],
        [{"action": "x", "tier": "T2"}],
        [{"action": "", "tier": "T3"}],
    ],
)
def test_a_parent_action_is_a_deed_of_tier_t3_or_t4(actions: Any) -> None:
    with pytest.raises(InvalidPlan, match="parent_actions"):
        read_tasks([{"id": "a", "parent_actions": actions}], Pattern.FAN_OUT)
