"""The names that a refusal offers instead of a wrong one."""

from relaybook.errors import ALLOWED_LIMIT, closest, nearest

MONTHS = [f"month-{number}" for number in range(1, 13)]


def test_few_names_are_listed_to_the_last_the_closest_first() -> None:
    offered = nearest("month-12", MONTHS).split(", ")

    assert offered[0] == "month-12"
    assert sorted(offered) == sorted(MONTHS)


def test_of_many_names_it_is_said_how_many_are_left_out() -> None:
    assert nearest("x", [f"t{number}" for number in range(40)]).endswith("t4, … and 35 more")


def test_long_names_are_cut_too_with_their_count() -> None:
    offered = nearest("x", [str(number) * 30 for number in range(9)])

    assert len(offered) <= ALLOWED_LIMIT
    assert offered.endswith(", … and 4 more")


def test_a_name_is_offered_once() -> None:
    assert nearest("a", ["a", "a", "b"]) == "a, b"
    assert closest("a", ["a", "a"]) == ["a"]


def test_where_nothing_is_there_none_is_offered() -> None:
    assert nearest("a", []) == "none yet"
