"""Reading a plan: what is accepted, and one bounded refusal that names the first fault."""

from typing import Any

import pytest

from relaybook.core.plan.items import partition_tasks, read_items
from relaybook.core.plan.task_fields import read_spec
from relaybook.core.plan.task_spec import Take, TaskSpec, spec_value
from relaybook.core.plan.tasks import MAX_TASKS, added_tasks, read_tasks
from relaybook.core.text import canonical, is_json
from relaybook.errors import InvalidPlan
from relaybook.model import EventType, Pattern, Tier


def refused(*tasks: Any, pattern: Pattern = Pattern.SUPERVISOR) -> str:
    with pytest.raises(InvalidPlan) as caught:
        read_tasks(tasks, pattern)
    assert len(str(caught.value)) < 1_000
    return str(caught.value)


def needs(*tasks: Any, pattern: Pattern = Pattern.SUPERVISOR) -> dict[str, tuple[str, ...]]:
    return {spec.id: spec.depends_on for spec in read_tasks(tasks, pattern)}


@pytest.mark.requirement("S110")
def test_an_id_and_a_label_make_a_task() -> None:
    specs = read_tasks([{"id": "t1", "label": "Review auth"}, {"id": "t2"}], Pattern.FAN_OUT)

    assert specs == (TaskSpec(id="t1", label="Review auth"), TaskSpec(id="t2", label="t2"))


@pytest.mark.parametrize("name", ["a", "x" * 128, "wf-1.stage_2", "0"])
def test_ids_of_up_to_128_plain_characters_are_accepted(name: str) -> None:
    assert needs({"id": name}) == {name: ()}


@pytest.mark.requirement("S140")
@pytest.mark.parametrize("name", ["", "x" * 129, "a b", "a/b", "é", "a\n", "a\0", "\ud800", 7])
def test_other_ids_are_refused(name: Any) -> None:
    assert "Field 'id' of task" in refused({"id": name})


def test_a_task_without_an_id_is_refused() -> None:
    assert refused({"id": None}).startswith("Task 0 has no id.")


@pytest.mark.requirement("S140")
@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("a task", "Task 0 is str; it must be an object"),
        ({"id": "a", "dependson": []}, "unknown field 'dependson'. Allowed: depends_on"),
        (
            {"id": "a", "label": 3},
            "Field 'label' of task 'a' must be a text of 1 to 300 characters",
        ),
        ({"id": "a", "label": "x" * 301}, "a text of 1 to 300 characters"),
        ({"id": "a", "depends_on": "b"}, "must be a list of task ids"),
        ({"id": "a", "depends_on": ["b c"]}, "1 to 128 letters, digits"),
        ({"id": "a", "expected_minutes": True}, "must be a number from 0.1 to 1440"),
        ({"id": "a", "expected_minutes": float("nan")}, "must be a number from 0.1 to 1440"),
        ({"id": "a", "expected_minutes": 10**400}, "must be a number from 0.1 to 1440"),
        ({"id": "a", "timeout_seconds": 0}, "must be a number from 1 to 86400"),
        ({"id": "a", "tier": "T3"}, "must be T1 or T2"),
        ({"id": "a", "args": {1: 2}}, "must be an object of JSON values"),
        ({"id": "a", "args": {"n": 10**5_000}}, "must be an object of JSON values"),
        ({"id": "a", "takes": [{"of": "b"}]}, "must be a list of {from, fields}"),
        ({"id": "a", "worker_can_read": "yes"}, "must be true or false"),
    ],
)
def test_a_wrong_field_is_named_with_what_it_must_be(said: Any, text: str) -> None:
    assert text in refused(said)


def test_an_empty_plan_and_one_too_large_are_refused() -> None:
    assert "The plan has no task" in refused()
    assert f"{MAX_TASKS + 1} tasks" in refused(*[{"id": "a"}] * (MAX_TASKS + 1))


def test_an_id_given_twice_is_refused() -> None:
    assert "'a' is given more than once" in refused({"id": "a"}, {"id": "b"}, {"id": "a"})


def test_a_dependency_on_nothing_names_the_nearest() -> None:
    text = refused({"id": "review-auth"}, {"id": "b", "depends_on": ["review-aut"]})

    assert (
        "Task 'b' depends on 'review-aut', which is not in the plan. Allowed: review-auth" in text
    )


@pytest.mark.parametrize(
    ("tasks", "circle"),
    [
        ([{"id": "a", "depends_on": ["a"]}], "a → a"),
        ([{"id": "a", "depends_on": ["b"]}, {"id": "b", "on_failure": "a"}], "a → b → a"),
    ],
)
def test_a_circle_is_refused_and_shown(tasks: list[Any], circle: str) -> None:
    assert f"in a circle: {circle}." in refused(*tasks)


def test_a_long_circle_is_shown_in_part() -> None:
    tasks = [{"id": f"t{n}", "depends_on": [f"t{(n + 1) % 50_000}"]} for n in range(50_000)]

    assert "…" in refused(*tasks)


def test_a_task_cannot_need_a_task_and_handle_its_failure() -> None:
    text = refused({"id": "a"}, {"id": "b", "depends_on": ["a"], "on_failure": "a"})

    assert "'b' both needs 'a' and handles its failure" in text


@pytest.mark.parametrize(
    "bad", [{"id": "é" * 5_000}, {"x" * 5_000: 1}, {"id": "a", "label": "x" * 5_000}, 7]
)
def test_a_thousand_bad_tasks_give_one_short_refusal(bad: Any) -> None:
    assert refused(*[bad] * 1_000)


@pytest.mark.requirement("S17")
def test_a_pipeline_without_dependencies_runs_in_the_order_given() -> None:
    tasks = [{"id": "a"}, {"id": "b"}, {"id": "h", "on_failure": "a"}, {"id": "c"}]

    chained = needs(*tasks, pattern=Pattern.PIPELINE)

    assert chained == {"a": (), "b": ("a",), "h": (), "c": ("b",)}


def test_a_pipeline_with_dependencies_keeps_them() -> None:
    tasks = [{"id": "a"}, {"id": "b"}, {"id": "c", "depends_on": ["a", "b"]}]

    assert needs(*tasks, pattern=Pattern.PIPELINE) == {"a": (), "b": (), "c": ("a", "b")}


@pytest.mark.requirement("S107")
def test_a_task_depends_on_what_it_takes() -> None:
    tasks = [{"id": "a"}, {"id": "b", "takes": [{"from": "a", "fields": ["x"]}]}]

    assert needs(*tasks) == {"a": (), "b": ("a",)}
    text = refused({"id": "a"}, {"id": "b", "takes": [{"from": "z"}]})
    assert "depends on 'z', which is not in the plan. Allowed: a. Next: correct takes" in text


def test_a_specification_is_read_back_as_it_was_written() -> None:
    spec = TaskSpec(
        id="a",
        label="Do",
        depends_on=("b",),
        template="piece",
        args={"deep": {"list": [1, "x", None]}},
        expected_minutes=7.5,
        timeout_seconds=700,
        done=("it runs",),
        schema={"type": "object"},
        takes=(Take("b", ("x",)), Take("b")),
        writes=("src/",),
        when="if so",
        on_failure="c",
        expert_role="judge",
        capability="deploy",
        skill="devops",
        tier=Tier.T1,
        worker_can_read=True,
        items=(" one ", "two"),
    )

    assert read_spec(spec_value(spec)) == spec


def test_characters_that_no_database_keeps_are_replaced_in_texts() -> None:
    (spec,) = read_tasks([{"id": "a", "label": "x\0\ud800y"}], Pattern.FAN_OUT)

    assert spec.label == "x\ufffd\ufffdy"
    assert canonical({"a": "\udfff"}) == '{"a":"\ufffd"}'


@pytest.mark.requirement("S36", "S37", "S38")
def test_each_partition_is_a_task_with_its_own_items_only() -> None:
    items = read_items(["apple", {"id": "pear", "weight": 2, "colour": "green"}])

    tasks = partition_tasks([items[:1], items[1:]], "map_partition", {"instruction": "Look."})

    assert [(spec.id, spec.label, spec.items) for spec in tasks] == [
        ("p1", "Partition p1 (1 items)", ("apple",)),
        ("p2", "Partition p2 (1 items)", ("pear",)),
    ]
    assert tasks[1].args == {
        "partition": "p2",
        "instruction": "Look.",
        "items": [{"id": "pear", "weight": 2, "colour": "green"}],
    }
    assert all(read_spec(spec_value(spec)) == spec for spec in tasks)


@pytest.mark.parametrize(
    "item", [{"id": ""}, {"id": "x" * 513}, {"id": "a", "weight": 10**400}, 7, {}]
)
def test_an_item_that_could_not_be_kept_is_refused(item: Any) -> None:
    with pytest.raises(InvalidPlan, match="Item 1 is neither"):
        read_items(["fine", item])


@pytest.mark.parametrize("text", ["", "x" * 513])
def test_a_text_that_is_no_id_is_refused_with_the_form_that_works(text: str) -> None:
    with pytest.raises(InvalidPlan, match=f"Item 1 is a text of {len(text)} characters") as refusal:
        read_items(["fine", text])

    assert "{id: 'a1', text: …}" in refusal.value.as_dict()["next"]
    (kept,) = read_items([{"id": "a1", "text": text}])
    assert kept.value == {"id": "a1", "text": text}


def test_the_events_of_a_plan_say_what_each_task_waits_for() -> None:
    tasks = [
        {"id": "a", "expected_minutes": 2},
        {"id": "b", "expected_minutes": 30, "depends_on": ["a"], "capability": "deploy"},
        {"id": "h", "on_failure": "b"},
    ]

    changes = added_tasks(read_tasks(tasks, Pattern.SUPERVISOR), ["ha", "hb", "hh"], position=4)

    assert [(kind, name) for kind, name, _ in changes] == [
        (EventType.TASK_ADDED, name) for name in "abh"
    ]
    assert changes[1][2] == {
        "position": 5,
        "label": "b",
        "waiting_on": 1,
        "chain": 30.0,
        "expected_minutes": 30.0,
        "timeout_seconds": 1800,
        "template": "",
        "spec": "hb",
        "capability": "deploy",
        "needs": ["a"],
    }
    assert (changes[0][2]["chain"], changes[2][2]["on_failure"]) == (32.0, "b")


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ([1, "a", None, True, 1.5, {"b": []}], True),
        (float("inf"), False),
        ({1: 2}, False),
        (2**1024, False),
        ({"a": object()}, False),
    ],
)
def test_only_what_every_parser_of_json_agrees_on_is_json(value: Any, holds: bool) -> None:
    assert is_json(value) is holds
