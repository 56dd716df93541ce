import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.merge.figures import Place
from relaybook.core.merge.pile import MemoryPile
from relaybook.core.merge.repeats import Repeats

TEXT = (
    "The session token is kept in local storage for thirty days and any script of the page "
    "can read it so that one injected script is enough to take over the account of a user"
)


def grouped(*values: Any) -> list[list[int]]:
    repeats = Repeats(MemoryPile)
    for number, value in enumerate(values):
        repeats.add(str(number), value, Place(number, "", 0))
    return [[int(name) for name in found["same"]] for found in repeats.found()]


@pytest.mark.parametrize(
    "other",
    [
        TEXT.upper().replace(" and ", ", and -- "),
        TEXT.replace("thirty days", "thirty nights"),
        TEXT.replace("any script", "every script") + " today",
    ],
    ids=["case and punctuation", "one word", "two words"],
)
def test_texts_that_share_nine_words_of_ten_in_order_are_nearly_the_same(other: str) -> None:
    assert grouped({"text": TEXT}, "something else", {"text": other}) == [[0, 2]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TEXT, " ".join(reversed(TEXT.split()))),
        (TEXT, TEXT[: len(TEXT) // 2]),
        (f"{TEXT} 30", f"{TEXT} 31"),
        ({"change": 5, "why": TEXT}, {"change": -5, "why": TEXT}),
        ("limits hold", "limits fail"),
        ([], {}),
        ("word " * 4_001, "word " * 4_001 + "end"),
    ],
    ids=["order", "half", "another figure", "another sign", "short", "empty", "too long"],
)
def test_other_words_or_other_figures_are_not_the_same(one: Any, other: Any) -> None:
    assert grouped(one, other) == []


def test_texts_too_long_to_compare_still_equal_themselves() -> None:
    assert grouped("word " * 5_000, "other", "Word, " * 5_000) == [[0, 2]]


words = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta", "7"]), max_size=12)
records = st.lists(st.tuples(st.sampled_from("abcdef"), words.map(" ".join)), max_size=12)


@given(records, st.randoms(use_true_random=False))
def test_no_order_of_arrival_changes_what_is_repeated(
    given_records: list[tuple[str, str]], shuffle: random.Random
) -> None:
    arrivals = [(name, text, Place(at, name, 0)) for at, (name, text) in enumerate(given_records)]
    whole, other = Repeats(MemoryPile), Repeats(MemoryPile)
    for arrival in arrivals:
        whole.add(*arrival)
    shuffle.shuffle(arrivals)
    for arrival in arrivals:
        other.add(*arrival)

    assert list(other.found()) == list(whole.found())


@given(words, words)
def test_equal_words_are_always_found_and_unequal_figures_never(
    one: list[str], other: list[str]
) -> None:
    found = grouped(" ".join(one), " ".join(other))

    if one == other:
        assert found == [[0, 1]]
    if one.count("7") != other.count("7"):
        assert found == []


def test_of_many_texts_of_one_kind_each_repeat_finds_its_original() -> None:
    chance = random.Random(7)
    vocabulary = [f"{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst"]
    originals = [" ".join(chance.choices(vocabulary, k=80)) for _ in range(300)]
    repeats = [text.replace(text.split()[40], "changed", 1) for text in originals]

    found = grouped(*originals, *repeats)

    assert found == [[number, number + 300] for number in range(300)]
