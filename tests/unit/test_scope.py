"""Write scopes that overlap."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.scope import clashes, overlap, read_scope

scopes = st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=3).flatmap(
    lambda names: st.sampled_from(["/".join(names), "/".join(names) + "/"])
)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("src/a.py", "src/a.py", True),
        ("src/", "src/core/a.py", True),
        ("src/core/", "src/", True),
        ("src/a.py", "src/a.pyc", False),
        ("src", "src/a.py", True),
        ("src", "src/a/", True),
        ("src", "src2/a.py", False),
        ("src/a/", "src/b/", False),
        ("release notes", "release notes", True),
        ("docs", "docs/", True),
        ("docs/", "docs", True),
    ],
)
def test_scopes_overlap_if_equal_or_one_lies_in_the_other(one: str, other: str, expected: bool):
    assert overlap(one, other) is expected


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//core/./a.py", "src/core/a.py"),
        ("src\\core\\", "src/core/"),
        (" docs/ ", "docs/"),
        ("/etc//hosts", "/etc/hosts"),
        ("release notes", "release notes"),
        ("../a.py", None),
        ("src/../a.py", None),
        ("src/*.py", None),
        ("./", None),
        ("/", None),
    ],
)
def test_a_scope_has_one_form_however_it_is_said(said: str, read: str | None):
    assert read_scope(said) == read


@given(st.lists(st.tuples(scopes, st.sampled_from(["t1", "t2", "t3"])), max_size=12))
def test_clashes_name_exactly_the_tasks_that_overlap_with_another(writes: list[tuple[str, str]]):
    tasks = {
        task
        for (one, first), (other, second) in combinations(writes, 2)
        if first != second and overlap(one, other)
        for task in (first, second)
    }

    found = clashes(writes)

    assert {task for pair in found for task in pair} == tasks


def test_each_clash_is_a_pair_of_tasks():
    writes = [("docs/", "t1"), ("docs/a.md", "t2"), ("docs/b.md", "t3"), ("src/", "t4")]

    assert clashes(writes) == [("t1", "t2"), ("t1", "t3")]
