import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relaybook.core.fence import clean
from relaybook.core.merge.coverage import Coverage, collapse_advice


def covering(partitions: Mapping[str, Sequence[str]]) -> Coverage:
    coverage = Coverage()
    for source, items in partitions.items():
        coverage.plan(source, items)
    return coverage


def test_missing_duplicated_and_invented_items_are_listed() -> None:
    coverage = covering({"t1": ["a", "b"], "t2": ["c", "d"], "t3": ["e"]})
    coverage.add("t2", ["c", "a", "z"])
    coverage.add("t1", ["a"])

    assert coverage.counts() == {
        "items": 5,
        "covered": 2,
        "missing": 3,
        "duplicated": 1,
        "invented": 1,
    }
    assert list(coverage.entries()) == [
        {"problem": "missing", "task_id": "t1", "items": ["b"], "count": 1},
        {"problem": "missing", "task_id": "t2", "items": ["d"], "count": 1},
        {"problem": "missing", "task_id": "t3", "items": ["e"], "count": 1},
        {"problem": "duplicated", "item": "a", "sources": ["t1", "t2"]},
        {"problem": "invented", "item": "z", "sources": ["t2"]},
    ]


@given(st.lists(st.text(min_size=1), min_size=1, max_size=8, unique_by=lambda text: clean(text)[0]))
@example(
    [
        "👨\u200d👩\u200d👧",
        "\u0645\u06cc\u200c\u062e\u0648",
        "The <result> tag",
        "rtl \u202e x",
        "\u2028user: x",
        "\r\n",
    ]
)
def test_ids_that_come_back_as_a_prompt_shows_them_are_the_items(items: list[str]) -> None:
    shown = [clean(json.dumps(item, ensure_ascii=False))[0] for item in items]
    coverage = covering({"t1": items})

    coverage.add("t1", [json.loads(text, strict=False) for text in shown])

    assert coverage.counts()["covered"] == len(items)
    assert list(coverage.entries()) == []


def test_a_missing_id_is_named_as_it_was_given() -> None:
    coverage = covering({"t1": ["a <result> b"]})
    coverage.add("t1", [])

    assert list(coverage.entries()) == [
        {"problem": "missing", "task_id": "t1", "items": ["a <result> b"], "count": 1}
    ]


def test_a_planned_overlap_is_no_duplicate() -> None:
    coverage = covering({"t1": ["a", "b"], "t2": ["b", "c"]})
    coverage.add("t1", ["a", "b"])
    coverage.add("t2", ["b", "c"])

    assert list(coverage.entries()) == []


def test_items_of_a_result_that_names_no_ids_are_counted_apart() -> None:
    coverage = covering({"t1": ["a", "b"]})
    coverage.leave_out(["c", "d", "e"])
    coverage.add("t1", ["a"])

    assert (coverage.known, coverage.counts()) == (
        True,
        {
            "items": 2,
            "covered": 1,
            "missing": 1,
            "duplicated": 0,
            "invented": 0,
            "unchecked": 3,
        },
    )


def test_items_of_a_replaced_task_are_due_once_from_any_other() -> None:
    coverage = covering({"t1": ["a"], "t3": ["c"]})
    coverage.owe("t2", ["b", "c", "d", "e"])
    coverage.owe("t4", ["e"])
    coverage.add("t3", ["b", "c", "d", "d"])
    coverage.add("t1", ["a"])

    assert coverage.counts() == {
        "items": 5,
        "covered": 4,
        "missing": 1,
        "duplicated": 1,
        "invented": 0,
    }
    assert list(coverage.entries()) == [
        {"problem": "missing", "task_id": "t2", "items": ["e"], "count": 1},
        {"problem": "duplicated", "item": "d", "sources": ["t3", "t3"]},
    ]


def test_items_of_a_replaced_task_that_a_result_without_ids_is_about_cannot_be_checked() -> None:
    coverage = Coverage()
    coverage.owe("t1", ["a", "b"])
    coverage.leave_out(["a", "b"])

    assert (coverage.counts()["missing"], coverage.counts()["unchecked"]) == (0, 2)
    assert list(coverage.entries()) == []


def test_one_task_may_not_return_an_item_twice() -> None:
    coverage = covering({"t1": ["a"]})
    coverage.add("t1", ["a", "a"])

    assert list(coverage.entries()) == [
        {"problem": "duplicated", "item": "a", "sources": ["t1", "t1"]}
    ]


@given(st.lists(st.lists(st.integers(0, 8), max_size=5), max_size=4), st.integers(1, 4))
def test_coverage_is_clean_exactly_if_each_item_came_back_once(
    returned: list[list[int]], tasks: int
) -> None:
    planned = [str(item) for item in range(6)]
    coverage = covering({f"t{number}": planned[number::tasks] for number in range(tasks)})
    for number, items in enumerate(returned):
        coverage.add(f"t{number}", [str(item) for item in items])

    clean = not list(coverage.entries())

    assert clean == (sorted(str(item) for items in returned for item in items) == planned)


def test_long_results_are_to_be_summarised_in_groups() -> None:
    assert collapse_advice(words=12_000, results=8) == {
        "words": 12_000,
        "budget": 6_000,
        "group": 4,
        "groups": 2,
        "advice": (
            "8 results hold 12,000 words, over 6,000. Summarise them in the order of their "
            "partitions, 4 at a time, then merge the 2 summaries."
        ),
    }


@pytest.mark.parametrize(("words", "results"), [(6_000, 8), (20_000, 1), (0, 0)])
def test_results_that_can_be_read_at_once_need_no_steps(words: int, results: int) -> None:
    assert collapse_advice(words, results) is None
