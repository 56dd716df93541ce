from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.digest.pages import Pager
from relaybook.core.shorten import shrink, size
from relaybook.errors import InvalidArguments

NAMES = ("gaps", "tasks", "records")
#: JSON values, long and hostile texts among them.
values = st.recursive(
    st.integers() | st.text(max_size=9).map(lambda text: text * 99),
    lambda inner: (
        st.lists(inner, max_size=9).map(lambda items: items * 4)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_what_fits_is_left_as_it_is() -> None:
    entry = {"task_id": "t1", "why": "short", "flags": ["a", {"b": 1}]}

    assert shrink(entry, 700) == entry


def test_a_number_too_long_to_print_is_named_instead() -> None:
    assert shrink({"n": 10**5000}, 700) == {"n": "a whole number of more than 20 digits"}


def test_what_is_too_long_is_shortened_and_says_how_much_is_left_out() -> None:
    entry = {"text": "x" * 900, "items": list(range(50)), "named": {str(n): n for n in range(30)}}

    assert shrink(entry, 700) == {
        "text": "x" * 239 + "…",
        "items": [*range(10), "and 40 more"],
        "named": {**{str(n): n for n in range(10)}, "…": "and 20 more"},
    }


@given(st.dictionaries(st.sampled_from("abcdef"), values))
def test_an_entry_keeps_its_members_and_stays_small_whatever_they_hold(
    entry: dict[str, Any],
) -> None:
    shorter = shrink(entry, 700)

    assert list(shorter) == list(entry)
    assert size(shorter) <= 700


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 300)), max_size=60),
    st.integers(450, 1500),
)
def test_the_pages_together_show_every_entry_once_and_in_order(
    lengths: list[tuple[str, int]], room: int
) -> None:
    entries = [(name, {"n": number, "text": "x" * n}) for number, (name, n) in enumerate(lengths)]
    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(len(entries) + 2):
        pager = Pager(NAMES, cursor, limit=room, longest=400)
        for name, entry in entries:
            pager.add(name, entry)
        shown, cursor = pager.page(room)
        assert size(shown) <= room + 10
        seen += [entry for name in NAMES for entry in shown.get(name, [])]
        if cursor is None:
            break

    assert cursor is None
    assert seen == [entry for wanted in NAMES for name, entry in entries if name == wanted]


def test_an_entry_that_is_gone_makes_the_next_page_skip_none_of_those_that_have_a_place() -> None:
    first = Pager(NAMES, None, limit=400, longest=400)
    for place in range(100):
        first.add("gaps", {"n": place}, place)
    seen, cursor = first.page(100)

    following = Pager(NAMES, cursor, limit=2_000, longest=400)
    for place in range(3, 100):
        following.add("gaps", {"n": place}, place)
    rest, _ = following.page(2_000)

    told = [entry["n"] for entry in [*seen["gaps"], *rest["gaps"]]]
    assert told == list(range(100))


def test_a_page_after_the_first_holds_an_entry_even_if_there_is_no_room() -> None:
    pager = Pager(NAMES, "tasks:1", limit=400, longest=400)
    for number in range(3):
        pager.add("tasks", {"n": number})

    assert pager.page(0) == ({"tasks": [{"n": 1}]}, "tasks:2")
    assert pager.totals == {"tasks": 3}


@pytest.mark.parametrize("cursor", ["", "tasks", "tasks:", "tasks:-1", "tasks:²", "x:1", "9" * 99])
def test_a_cursor_that_no_page_gave_out_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidArguments, match="no cursor of a digest"):
        Pager(NAMES, cursor, limit=400, longest=400)
