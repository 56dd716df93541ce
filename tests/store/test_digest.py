"""The digest of what is on record: items whose partition was replaced, decisions, reports."""

from typing import Any

import pytest

from relaybook.engine import Engine
from tests.helpers import break_, result, start, update

ITEMS = [f"i{number}" for number in range(6)]


def do(engine: Engine, name: str, task_id: str, data: Any = None, **members: Any) -> None:
    """Start the task and complete it with `data`."""
    start(engine, name, task_id)
    update(engine, name, task_id, "completed", output=result(data, **members))


def divided(engine: Engine) -> str:
    """Six items in two partitions, of which the first came back and the second failed."""
    plan: dict[str, Any] = {"items": ITEMS, "batches": 2, "args": {"instruction": "Rate it."}}
    name = engine.create_workflow("map_reduce", **plan)["workflow_id"]
    do(engine, name, "p1", mapped("p1", *ITEMS[:3]))
    break_(engine, name, "p2")
    return name


def mapped(partition: str, *items: str) -> dict[str, Any]:
    said = {"info": "", "rationale": "", "answer": 1, "confidence": "high"}
    return {
        "partition": partition,
        "items": [{"id": item, **said} for item in items],
        "carry_over": [],
    }


def replacement(name: str, *items: str) -> dict[str, Any]:
    args = {"instruction": "Rate it.", "partition": name, "items": [{"id": i} for i in items]}
    return {"id": name, "label": f"Partition {name}", "template": "map_partition", "args": args}


@pytest.mark.parametrize(
    ("more", "covered", "problems"),
    [
        (["i3", "i4", "i5"], 6, None),
        (["i3"], 4, [{"problem": "missing", "task_id": "p2", "items": ["i4", "i5"], "count": 2}]),
    ],
)
def test_items_of_a_replaced_partition_are_covered_by_what_took_its_place_or_missing(
    engine: Engine, more: list[str], covered: int, problems: Any
) -> None:
    name = divided(engine)
    engine.change_plan(name, replaces=["p2"], add=[replacement("q", *more)])
    do(engine, name, "q", mapped("q", *more))

    digest = engine.aggregate(name)

    assert digest["coverage"] == {
        "items": 6,
        "covered": covered,
        "missing": 6 - covered,
        "duplicated": 0,
        "invented": 0,
        "missing_partitions": [],
    }
    assert digest.get("coverage_problems") == problems


def test_items_of_a_partition_replaced_by_a_task_that_names_none_are_missing(
    engine: Engine,
) -> None:
    name = divided(engine)
    redo = {"id": "q", "label": "Redo the lost partition", "template": "supervised_piece"}
    engine.change_plan(name, replaces=["p2"], add=[redo])
    piece = {"outcome": "done", "evidence": [], "blockers": [], "suggested_next": None}
    do(engine, name, "q", piece)

    digest = engine.aggregate(name)

    told = "Items: 6, of them missing 3, duplicated 0; invented 0."
    assert told in digest["brief"]["must_mention"]
