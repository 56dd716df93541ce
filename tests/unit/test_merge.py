from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.merge.merger import Merger
from relaybook.core.merge.plan import MergePlan, plan_merge
from relaybook.errors import InvalidArguments

PLAN = plan_merge(
    {
        "properties": {
            "total": {"x-merge": "sum"},
            "score": {"x-merge": "mean", "x-weight": "total"},
            "least": {"x-merge": "min"},
            "most": {"x-merge": "max"},
            "tags": {"x-merge": "histogram"},
            "worst": {"x-merge": {"top_k": 2, "by": "severity"}},
            "notes": {"x-merge": "concatenate"},
            "rows": {"x-merge": "records"},
            "items": {
                "x-merge": "union",
                "x-key": "id",
                "items": {"properties": {"hits": {"x-merge": "count"}}},
            },
        }
    }
)
numbers = st.one_of(
    st.integers(-(10**9), 10**9), st.floats(-1e12, 1e12), st.just(None), st.just("many")
)
words = st.sampled_from(["yes", "Yes", "no", "no!", ""])
results = st.fixed_dictionaries(
    {},
    optional={
        "total": numbers,
        "score": numbers,
        "least": numbers,
        "most": numbers,
        "tags": st.lists(words, max_size=3),
        "worst": st.lists(st.fixed_dictionaries({"severity": st.integers(1, 3)}), max_size=3),
        "notes": st.lists(words, max_size=2),
        "rows": st.lists(st.fixed_dictionaries({"text": words}), max_size=2),
        "items": st.lists(
            st.fixed_dictionaries(
                {"id": st.sampled_from("abc"), "answer": words}, optional={"hits": words}
            ),
            max_size=3,
        ),
    },
)
#: Results, some missing, of the sources t0, t1 …
batches = st.lists(st.one_of(st.none(), results), min_size=1, max_size=7)


def plan_of(annotation: dict[str, Any]) -> MergePlan:
    return plan_merge({"properties": {"it": annotation}})


def merged(plan: MergePlan, *data: Any) -> Merger:
    """The merge of t0, t1 … in this order."""
    merger = Merger()
    for position, one in enumerate(data):
        merger.add(f"t{position}", one, position, plan)
    return merger


def everything(merger: Merger) -> dict[str, Any]:
    return merger.figures() | {
        "records": list(merger.records()),
        "conflicts": list(merger.conflicts()),
        "duplicates": list(merger.duplicates()),
    }


def figure(annotation: Any, *values: Any) -> dict[str, Any]:
    """The figure over one result for each value."""
    plan = plan_of(annotation if isinstance(annotation, dict) else {"x-merge": annotation})
    return merged(plan, *({"it": value} for value in values)).figures()["fields"]["it"]


@pytest.mark.parametrize(
    ("kind", "values", "shown"),
    [
        ("sum", [1, 2.5, 3], {"value": 6.5, "from": 3}),
        ("sum", [0.1] * 10, {"value": 1.0, "from": 10}),
        ("sum", [1e300, 1, -1e300], {"value": 1, "from": 3}),
        ("sum", [1, "2", True, None], {"value": 1, "from": 3, "ignored": 2}),
        ("sum", [float("nan"), float("inf"), 10**400], {"value": None, "from": 3, "ignored": 3}),
        ("count", [[1, 2], [], "x"], {"value": 3, "from": 3}),
        ("mean", [1, 2], {"value": 1.5, "from": 2}),
        ("mean", [None], {"value": None, "from": 0}),
        ("min", [3, 1, 1], {"value": 1, "sources": ["t1", "t2"], "from": 3}),
        ("max", [3, 1, [2, 5]], {"value": 5, "sources": ["t2"], "from": 3}),
        (
            "histogram",
            ["bug", ["idea", "bug"], 4],
            {"value": {"bug": 2, "4": 1, "idea": 1}, "labels": 3, "from": 3},
        ),
    ],
)
def test_a_figure_says_its_value_and_how_many_results_it_rests_on(
    kind: str, values: list[Any], shown: dict[str, Any]
) -> None:
    assert figure(kind, *values) == {"merge": kind, **shown}


def test_a_mean_is_weighted_by_its_sibling() -> None:
    plan = plan_merge(
        {"properties": {"score": {"x-merge": "mean", "x-weight": "files"}, "files": {}}}
    )

    found = merged(plan, {"score": 1, "files": 3}, {"score": 5, "files": 1}, {"score": 5})

    assert found.figures()["fields"] == {
        "score": {"merge": "mean", "value": 2, "from": 3, "ignored": 1}
    }


def test_the_best_records_are_kept_with_their_sources() -> None:
    values = [[{"n": 1}, {"n": 9}], [{"n": 9, "b": 1}, {"x": 0}], [{"n": 5}]]

    assert figure({"x-merge": {"top_k": 3, "by": "n"}}, *values) == {
        "merge": "top_k",
        "value": [
            {"source": "t0", "record": {"n": 9}},
            {"source": "t1", "record": {"n": 9, "b": 1}},
            {"source": "t2", "record": {"n": 5}},
        ],
        "from": 3,
        "ignored": 1,
    }


def test_a_long_histogram_shows_its_most_frequent_labels_and_counts_the_rest() -> None:
    labels = [f"l{number:02}" for number in range(25)]

    found = figure("histogram", labels, labels[:20])

    assert (list(found["value"]), found["labels"], found["other"]) == (labels[:20], 25, 5)


def test_annotations_inside_an_array_merge_over_its_elements() -> None:
    plan = plan_of({"items": {"properties": {"score": {"x-merge": "sum"}}}})

    found = merged(plan, {"it": [{"score": 1}, {"score": 2}]}, {"it": []}, {"it": [{}]}, {})

    assert found.figures()["fields"] == {"it[].score": {"merge": "sum", "value": 3, "from": 2}}


def test_a_union_joins_records_by_key_and_names_who_contradicts_whom() -> None:
    merger = merged(
        plan_of({"x-merge": "union", "x-key": "id"}),
        {"it": [{"id": "b", "answer": "yes"}]},
        {"it": [{"id": "b", "answer": "no", "why": "seen"}, {"id": "a", "answer": "maybe"}]},
        {"it": [{"id": "b", "answer": " YES "}, {"answer": "no id"}, "no record"]},
    )

    assert everything(merger) == {
        "sources": 3,
        "with_result": 3,
        "missing": [],
        "fields": {"it": {"merge": "union", "total": 2, "from": 3, "ignored": 2}},
        "records": [
            {
                "field": "it",
                "key": "b",
                "record": {"why": "seen"},
                "sources": ["t0", "t1", "t2"],
                "disputed": ["answer"],
            },
            {"field": "it", "key": "a", "record": {"answer": "maybe"}, "sources": ["t1"]},
        ],
        "conflicts": [
            {
                "in": "it",
                "key": "b",
                "field": "answer",
                "values": [
                    {"value": "yes", "sources": ["t0", "t2"]},
                    {"value": "no", "sources": ["t1"]},
                ],
            }
        ],
        "duplicates": [],
    }


def test_each_result_merges_by_its_own_plan() -> None:
    found, score = {"found": {"x-merge": "sum"}}, {"score": {"x-merge": "max"}}
    one = plan_merge({"properties": found | score})
    other = plan_merge({"properties": found | {"score": {"x-merge": "min"}}})
    merger = Merger()
    merger.add("t0", {"found": 1, "score": 5, "extra": 1}, 0, one)
    merger.add("t1", {"found": 2, "score": 3}, 1, other)
    merger.add("t2", None, 2, other)

    assert merger.figures() == {
        "sources": 3,
        "with_result": 2,
        "missing": ["t2"],
        "fields": {
            "found": {"merge": "sum", "value": 3, "from": 2},
            "score (max)": {"merge": "max", "value": 5, "sources": ["t0"], "from": 1},
            "score (min)": {"merge": "min", "value": 3, "sources": ["t1"], "from": 1},
        },
    }


def test_values_that_differ_beyond_what_is_shown_still_contradict() -> None:
    long = "x" * 5_000
    merger = merged(
        plan_of({"x-merge": "union", "x-key": "id"}),
        *({"it": [{"id": "a", "text": text}]} for text in (long, long + "y", long)),
    )

    (conflict,) = merger.conflicts()

    assert conflict["values"] == [
        {"value": "x" * 599 + "…", "sources": ["t0", "t2"]},
        {"value": "x" * 599 + "…", "sources": ["t1"]},
    ]


def test_near_duplicates_are_named_across_keys_and_sources() -> None:
    keyed = merged(
        plan_of({"x-merge": "union", "x-key": "id"}),
        {"it": [{"id": "a", "text": "Token never expires."}, {"id": "c", "text": "Other"}]},
        {"it": [{"id": "b", "text": "token -- never expires"}]},
    )
    listed = merged(
        plan_of({"x-merge": "records"}), {"it": ["One two", "three"]}, {"it": ["one, two!"]}
    )

    assert list(keyed.duplicates()) == [{"in": "it", "same": ["a", "b"], "count": 2}]
    assert list(listed.duplicates()) == [{"in": "it", "same": ["t0[0]", "t1[0]"], "count": 2}]


def test_records_without_a_key_are_counted() -> None:
    found = merged(plan_of({"x-merge": "concatenate"}), {"it": ["a", "b"]}, {"it": "c"})

    assert found.figures()["fields"] == {"it": {"merge": "concatenate", "total": 3, "from": 2}}


def test_a_source_is_taken_in_once() -> None:
    merger = merged(PLAN, {"total": 1})

    with pytest.raises(InvalidArguments, match="'t0' is already in the merge"):
        merger.add("t0", {"total": 1}, 3, PLAN)


def test_a_missing_source_is_named() -> None:
    shown = merged(plan_of({"x-merge": "sum"}), {"it": 1}, None).figures()

    assert shown == {
        "sources": 2,
        "with_result": 1,
        "missing": ["t1"],
        "fields": {"it": {"merge": "sum", "value": 1, "from": 1}},
    }


@given(batches, st.randoms(use_true_random=False))
def test_no_order_of_arrival_changes_a_merge(batch: list[Any], random: Any) -> None:
    arrivals = list(enumerate(batch))
    random.shuffle(arrivals)
    shuffled = Merger()
    for position, data in arrivals:
        shuffled.add(f"t{position}", data, position, PLAN)

    assert everything(shuffled) == everything(merged(PLAN, *batch))


@given(batches, st.integers(0, 6))
def test_a_missing_result_never_improves_a_figure(batch: list[Any], gone: int) -> None:
    gone %= len(batch)
    fewer = [None if position == gone else data for position, data in enumerate(batch)]

    before, after = merged(PLAN, *batch).figures(), merged(PLAN, *fewer).figures()

    assert after["sources"] == before["sources"]
    assert after["with_result"] <= before["with_result"]
    assert f"t{gone}" in after["missing"]
    for name, figure_after in after["fields"].items():
        assert figure_after["from"] <= before["fields"][name]["from"]
    counts = [shown["fields"]["items[].hits"]["value"] for shown in (after, before)]
    assert counts == sorted(counts)
