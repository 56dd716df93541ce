"""A plan that worked, or one written by hand, is saved and used again."""

from pathlib import Path
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import InvalidArguments, InvalidComposition, UnknownWorkflow
from relaybook.store.base import Store
from tests.helpers import PROMPTS, fail, start, task, workflow

MINE: dict[str, Any] = {
    "trigger": "Count {things}.",
    "description": "Counts.",
    "pattern": "fan_out",
    "params": [{"name": "things", "kind": "string", "required": True}],
    "tasks": [{"id": "a", "label": "Count {things}", "template": "supervised_piece"}],
}


@pytest.fixture
def own(ledger: Store, tmp_path: Path) -> Engine:
    """An engine with a folder of the user's own prompts; `piece` is in another."""
    return Engine(ledger, (tmp_path / "prompts", PROMPTS))


def planned(engine: Engine, workflow_id: str) -> list[Any]:
    """The specifications of a workflow's tasks."""
    with engine.store.read() as tx:
        sql = "SELECT spec FROM tasks WHERE workflow_id = :id ORDER BY position"
        return [engine.spec(tx, workflow_id, row[0]) for row in tx.rows(sql, {"id": workflow_id})]


@pytest.mark.requirement("S172")
def test_a_composition_with_parameters_is_defined_once_and_reused(own: Engine) -> None:
    saved = own.save_composition("count", fields=MINE)

    made = [
        own.create_workflow(composition="count", args={"things": things})["workflow_id"]
        for things in ("cups", "spoons")
    ]

    assert saved["params"] == ["things"]
    assert [planned(own, each)[0].label for each in made] == ["Count cups", "Count spoons"]


@pytest.mark.requirement("S172")
def test_the_plan_of_a_workflow_is_saved_as_it_was_given(own: Engine) -> None:
    first = task("a", args={"goal": "Read {x} and {{y}}"}, writes=["out/"], done=["It is read."])
    second = task("b", "a", takes=[{"from": "a", "fields": ["n"]}], when="It is long.")
    act = {"action": "Send {it}.", "tier": "T3"}
    options = {"shared_decisions": ["Use {braces}."], "merge": "stage"}
    tasks = [first, second, task("c", on_failure="b", parent_actions=[act])]
    made = workflow(own, *tasks, pattern="pipeline", options=options)

    own.save_composition("again", workflow_id=made, fields={"description": "Reads."})
    repeated = own.create_workflow(composition="again")["workflow_id"]

    assert planned(own, repeated) == planned(own, made)
    assert own.compositions.get("again").description == "Reads."
    assert own.compositions.get("again").merge == "stage"
    assert "Use {braces}." in own.render_prompt(workflow_id=repeated, task_id="a")["prompt"]


def test_a_task_that_was_replaced_is_saved_as_the_one_in_its_place(own: Engine) -> None:
    tasks = [task("a"), task("b", "a", takes=[{"from": "a", "fields": ["n"]}])]
    made = workflow(own, *tasks, pattern="pipeline")
    start(own, made, "a")
    fail(own, made, "a")
    own.change_plan(made, add=[task("a2")], replaces=["a"], reason="smaller")

    own.save_composition("again", workflow_id=made)
    specs = planned(own, own.create_workflow(composition="again")["workflow_id"])

    assert [(spec.id, spec.depends_on) for spec in specs] == [("b", ("a2",)), ("a2", ())]
    assert [take.source for take in specs[0].takes] == ["a2"]


@pytest.mark.parametrize("name", ["count", "deal_review"])
def test_a_name_that_is_taken_is_replaced_only_when_asked(own: Engine, name: str) -> None:
    own.save_composition("count", fields=MINE)
    before = own.compositions.get(name)

    with pytest.raises(InvalidArguments, match="already"):
        own.save_composition(name, fields=MINE | {"description": "New."})

    assert own.compositions.get(name) == before
    own.save_composition(name, fields=MINE | {"description": "New."}, replace=True)
    assert own.compositions.get(name).description == "New."


def test_without_a_folder_of_ones_own_nothing_is_saved_and_the_way_is_told(ledger: Store) -> None:
    with pytest.raises(InvalidArguments) as refused:
        Engine(ledger).save_composition("count", fields=MINE)

    assert refused.value.next == "start relaybook with --prompts DIR and save again"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("count", MINE | {"trigger": "Count {them}."}),
        ("../count", MINE),
        ("count", MINE | {"color": "red"}),
        ("count", MINE | {"description": "long " * 30_000}),
        ("count", {"tasks": [{"id": "a"}]}),
    ],
)
def test_what_is_no_composition_is_refused_and_leaves_no_file(
    own: Engine, tmp_path: Path, name: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(InvalidComposition):
        own.save_composition(name, fields=fields)

    assert not list(tmp_path.rglob("*count*"))


def test_an_unknown_workflow_or_no_plan_is_refused(own: Engine) -> None:
    with pytest.raises(UnknownWorkflow):
        own.save_composition("count", workflow_id="wf_none")
    with pytest.raises(InvalidArguments):
        own.save_composition("count")
