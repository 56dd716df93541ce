from typing import Any

import pytest

from relaybook.core.merge.plan import EACH, FieldPlan, Kind, MergePlan, plan_merge
from relaybook.errors import InvalidTemplate


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_a_plan_holds_the_annotated_places_in_the_order_of_the_schema() -> None:
    plan = plan_merge(
        schema(
            total={"type": "integer", "x-merge": "sum"},
            note={"type": "string"},
            score={"type": "number", "x-merge": "mean", "x-weight": "total"},
            worst={"type": "array", "x-merge": {"top_k": 3, "by": "severity"}},
            items={
                "type": "array",
                "x-merge": "union",
                "x-key": "id",
                "items": schema(label={"type": "string", "x-merge": "histogram"}),
            },
            meta=schema(minutes={"type": "number", "x-merge": "max"}),
        )
    )

    items = FieldPlan(path=("items",), kind=Kind.UNION, key="id")
    assert plan == MergePlan(
        (
            FieldPlan(path=("total",), kind=Kind.SUM),
            FieldPlan(path=("score",), kind=Kind.MEAN, weight="total"),
            FieldPlan(path=("worst",), kind=Kind.TOP_K, by="severity", most=3),
            items,
            FieldPlan(path=("items", EACH, "label"), kind=Kind.HISTOGRAM),
            FieldPlan(path=("meta", "minutes"), kind=Kind.MAX),
        )
    )
    assert plan.keyed == items
    assert [field.name for field in plan.fields[-2:]] == ["items[].label", "meta.minutes"]


def test_a_schema_without_annotations_merges_nothing() -> None:
    assert plan_merge(schema(total={"type": "integer"})) == MergePlan(())


def test_no_nesting_is_too_deep() -> None:
    deep: dict[str, Any] = {"x-merge": "sum"}
    for _ in range(5000):
        deep = schema(a=deep)

    assert len(plan_merge(deep).fields[0].path) == 5000


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        ({"x-merge": "add"}, "x-merge is 'add'"),
        ({"x-merge": "top_k"}, "x-merge is 'top_k'"),
        ({"x-merge": ["sum"]}, "x-merge is ['sum']"),
        ({"x-merge": {"top_k": 0, "by": "n"}}, "x-merge is {'top_k': 0, 'by': 'n'}"),
        ({"x-merge": {"top_k": 3}}, "x-merge is {'top_k': 3}"),
        ({"x-merge": "union"}, "a union needs x-key"),
        ({"x-merge": "mean", "x-weight": "size"}, "x-weight 'size' is no property beside it"),
    ],
)
def test_an_annotation_that_cannot_work_is_refused_by_place(
    annotation: dict[str, Any], what: str
) -> None:
    with pytest.raises(InvalidTemplate) as refusal:
        plan_merge(schema(total=annotation))

    assert refusal.value.message == f"The output schema cannot be merged at 'total': {what}."
