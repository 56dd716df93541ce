"""Creating a workflow: what is answered, refused, repeated, and kept."""

from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import (
    InvalidArguments,
    InvalidPlan,
    RequestIdReused,
    UnknownTask,
    UnknownWorkflow,
)
from relaybook.store.base import Store
from relaybook.store.cases import get_task
from tests.helpers import dump, recorded, result, start, task, update, workflow


@pytest.mark.requirement("S110", "S112", "S119", "S133")
def test_a_plan_becomes_a_workflow_that_can_be_looked_at(engine: Engine) -> None:
    answer = engine.create_workflow(
        "fan_out", "review", tasks=[task("t1", label="Review auth"), task("t2"), task("t3")]
    )

    assert answer["ready"] == ["t1", "t2", "t3"]
    seen = engine.show_workflow(answer["workflow_id"])
    assert (seen["name"], seen["type"], seen["progress"]) == ("review", "fan_out", "0/3 complete")
    assert seen["counts"] == {"pending": 3, "ready": 3}
    assert seen["tasks"][0] == {
        "id": "t1",
        "label": "Review auth",
        "status": "pending",
        "has_result": False,
    }


def test_a_repeat_with_the_same_request_id_answers_the_same_workflow(
    engine: Engine, ledger: Store
) -> None:
    first = engine.create_workflow("fan_out", "x", tasks=[task("a")], request_id="r1")
    before = dump(ledger)

    again = engine.create_workflow("fan_out", "x", tasks=[task("a")], request_id="r1")
    tried = engine.create_workflow("fan_out", "x", tasks=[task("a")], request_id="r1", dry_run=True)

    assert (again["workflow_id"], again["repeated"]) == (first["workflow_id"], True)
    assert tried["next"].endswith(f"answers {first['workflow_id']!r}, which is there already")
    assert dump(ledger) == before


def test_a_request_id_with_other_arguments_is_refused(engine: Engine, ledger: Store) -> None:
    first = workflow(engine, "a", request_id="r1")
    before = dump(ledger)

    with pytest.raises(RequestIdReused, match=first):
        workflow(engine, "b", request_id="r1")
    with pytest.raises(RequestIdReused, match=first):
        workflow(engine, "b", request_id="r1", dry_run=True)
    assert dump(ledger) == before


def test_a_dry_run_writes_nothing(engine: Engine, ledger: Store) -> None:
    answer = engine.create_workflow("fan_out", tasks=[task("a"), task("b")], dry_run=True)

    assert (answer["dry_run"], answer["ready"]) == (True, ["a", "b"])
    assert ("workflow_id" in answer, answer["next"]) == (
        False,
        "create_workflow without dry_run registers it",
    )
    assert all(rows == [] for rows in dump(ledger).values())


@pytest.mark.parametrize(
    ("items", "batches", "told"),
    [
        ([{"id": f"i{n}", "group": "ab"[n % 2]} for n in range(8)], 6, "6 batches were asked for, and there are 2"),
        (["a", "b", "c"], 50, "50 batches were asked for, and there are 3"),
        (["a", "b", "c"], 3, None),
    ],
)  # fmt: skip
def test_batches_that_cannot_be_are_told(
    engine: Engine, items: list[Any], batches: int, told: str | None
) -> None:
    made = engine.create_workflow(
        "map_reduce", items=items, batches=batches, args={"instruction": "Name it."}
    )

    found = [each["what"] for each in made.get("findings", ()) if each["rule"] == "batches"]
    assert found == ([told] if told else [])


@pytest.mark.requirement("S36")
def test_items_become_one_task_for_each_partition_that_knows_only_its_own(engine: Engine) -> None:
    name = engine.create_workflow(
        "map_reduce", items=["apple", "pear", "plum", "fig"], batches=2, args={"instruction": "Name the colour."}
    )["workflow_id"]  # fmt: skip

    first, second = (engine.claim_task(name)["prompt"] for _ in range(2))

    assert [word in first for word in ("apple", "pear", "plum", "fig")] == [
        True,
        True,
        False,
        False,
    ]
    assert [word in second for word in ("apple", "pear", "plum", "fig")] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("item", ["  ", {"id": " x "}, "ü" * 512])
def test_a_task_of_any_accepted_item_can_be_started(engine: Engine, item: Any) -> None:
    name = engine.create_workflow(
        "map_reduce", items=[item, "other"], args={"instruction": "Count."}
    )["workflow_id"]

    assert engine.claim_task(name)["claimed"]


def test_metadata_must_be_json_of_bounded_size(engine: Engine, ledger: Store) -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"in": deep}

    for wrong in (deep, {"n": 10**5_000}, {"n": float("nan")}, {"text": "x" * 30_000}):
        with pytest.raises(InvalidArguments):
            workflow(engine, "a", metadata=wrong)
    assert all(rows == [] for rows in dump(ledger).values())


def test_characters_that_no_database_keeps_are_replaced(engine: Engine, ledger: Store) -> None:
    name = workflow(engine, task("a", label="half \ud800, nul \0"))
    start(engine, name, "a")

    complete_text = "half \udfff, nul \0" + result("kept")
    update(engine, name, "a", "completed", output=complete_text)

    with ledger.read() as tx:
        assert get_task(tx, name, "a").label == "half \ufffd, nul \ufffd"
    assert recorded(ledger, name, "a")[1] == "half \ufffd, nul \ufffd" + result("kept")


@pytest.mark.requirement("S139")
def test_an_unknown_workflow_or_task_is_not_found_and_the_nearest_is_named(engine: Engine) -> None:
    name = workflow(engine, "review-auth")

    with pytest.raises(UnknownWorkflow) as unknown:
        engine.show_workflow(name + "0")
    with pytest.raises(UnknownTask) as other:
        start(engine, name, "review-aut")

    assert unknown.value.as_dict() == {
        "code": "unknown_workflow",
        "message": f"There is no workflow '{name}0'.",
        "allowed": name,
        "next": "call get_workflow without an id for the list",
    }
    assert other.value.as_dict() == {
        "code": "unknown_task",
        "message": f"Workflow '{name}' has no task 'review-aut'.",
        "allowed": "review-auth",
        "next": "call get_workflow for its tasks",
    }


@pytest.mark.requirement("S174")
def test_a_plan_that_lets_a_worker_act_in_the_world_is_refused(
    engine: Engine, ledger: Store
) -> None:
    before = dump(ledger)

    for label in ("Deploy the service to production", "Build the release and publish it"):
        with pytest.raises(InvalidPlan, match="beyond the workspace") as refused:
            engine.create_workflow("fan_out", tasks=[task("a"), {"id": "b", "label": label}])
        assert "proposed_actions" in refused.value.allowed
    with pytest.raises(InvalidPlan, match="T1 or T2"):
        engine.create_workflow("fan_out", tasks=[task("a", tier="T3")])

    assert dump(ledger) == before


@pytest.mark.requirement("S174")
@pytest.mark.parametrize(
    "plan",
    [
        {"tasks": [task("a", args={"goal": "Deploy the service to production."})]},
        {"tasks": [task("a", done=["Publish the package to the registry."])]},
        {
            "tasks": [
                {
                    "id": "a",
                    "label": "The newsletter",
                    "template": "supervised_piece",
                    "args": {"piece": "Send the newsletter to all customers."},
                }
            ]
        },
        {
            "items": ["ada", "bob"],
            "batches": 2,
            "args": {"instruction": "Delete the account of each from production."},
        },
    ],
)
def test_an_action_in_the_world_is_found_wherever_the_plan_orders_it(
    engine: Engine, ledger: Store, plan: dict[str, Any]
) -> None:
    with pytest.raises(InvalidPlan, match="beyond the workspace"):
        engine.create_workflow("map_reduce", **plan)

    assert all(rows == [] for rows in dump(ledger).values())
    assert engine.create_workflow("map_reduce", **plan, override="a practice cluster")


def test_an_action_that_only_data_names_is_no_fault_of_a_plan(engine: Engine) -> None:
    mail = {"path": "mail.txt", "content": "Delete my account."}
    args = {"source": mail, "audience": "support"}
    summary = {"id": "a", "label": "Summarise the mail", "template": "summarise", "args": args}

    assert engine.create_workflow("fan_out", tasks=[summary])["ready"] == ["a"]


@pytest.mark.requirement("S174")
def test_a_change_that_lets_a_worker_act_in_the_world_is_refused(engine: Engine) -> None:
    made = engine.create_workflow("supervisor", tasks=[task("a")])

    with pytest.raises(InvalidPlan, match="beyond the workspace") as refused:
        engine.change_plan(made["workflow_id"], add=[{"id": "b", "label": "Send the newsletter"}])
    prepared = {"id": "b", "label": "Prepare the newsletter"}

    assert refused.value.next == "word it as 'Prepare …'"
    answer = engine.change_plan(made["workflow_id"], add=[prepared])
    assert answer["summary"] == "1 task(s) added, 0 replaced"


def test_an_action_that_is_prepared_or_excused_is_no_fault_of_a_plan(engine: Engine) -> None:
    prepared = [{"id": "a", "label": "Prepare the deploy of the service"}]
    excused = [{"id": "a", "label": "Delete dead code in src/"}]

    engine.create_workflow("fan_out", tasks=prepared)
    engine.create_workflow("fan_out", tasks=excused, override="it deletes lines of code only")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (
            "expert_panel",
            [
                "'consensus_check'",
                "array of {name, question, weight?}",
                "tasks[1].args.proposal, tasks[1].expert_role, tasks[1].args.criteria,",
            ],
        ),
        ("map_reduce", ["'map_partition'", "array of {id, …}", "tasks[1].args.instruction,"]),
    ],
)
def test_a_task_without_what_its_template_needs_is_told_where_to_put_it(
    engine: Engine, pattern: str, names: list[str]
) -> None:
    whole = task("t1", template="supervised_piece", expert_role="economist", done=["It runs"])

    with pytest.raises(InvalidArguments) as refused:
        engine.create_workflow(pattern, "p", tasks=[whole, {"id": "t2", "label": "Judge it"}])

    assert refused.value.message.startswith(f"Task 't2': The {pattern} default template ")
    for name in [*names, "tasks[1].template"]:
        assert name in str(refused.value)


def test_a_criterion_that_is_missing_is_asked_for_where_the_task_says_it(engine: Engine) -> None:
    claims = {"id": "t1", "label": "Verify it", "template": "verify_claims"}

    with pytest.raises(InvalidArguments, match=r"correct .*tasks\[0\]\.done"):
        engine.create_workflow("pipeline", "p", tasks=[claims])


def test_a_partition_without_an_argument_is_told_the_argument_they_all_share(
    engine: Engine,
) -> None:
    with pytest.raises(
        InvalidArguments, match=r"correct args\.instruction, or name another template"
    ):
        engine.create_workflow("map_reduce", "p", items=["a", "b"], batches=2)


def test_an_added_task_is_told_where_to_put_what_it_lacks(engine: Engine) -> None:
    workflow_id = workflow(engine, "t1")

    with pytest.raises(InvalidArguments, match=r"correct add\[0\]\.args\.sources"):
        engine.change_plan(workflow_id, add=[task("t2", template="code_review")], reason="more")


@pytest.mark.parametrize(
    "said", [{"template": "map_partition"}, {"args": {"instruction": "Go."}}, {"batches": 3}]
)
def test_what_says_how_items_are_worked_on_is_refused_without_items(
    engine: Engine, ledger: Store, said: dict[str, Any]
) -> None:
    before = dump(ledger)

    with pytest.raises(InvalidArguments, match=f"{next(iter(said))} came with tasks") as refusal:
        workflow(engine, "a", "b", **said)

    assert "with items" in refusal.value.allowed
    assert dump(ledger) == before
