"""Words are counted where they stand, and a budget is words times workers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.prompt_rules import PromptFacts, read_facts
from relaybook.core.prompt_rules.words import (
    ELSEWHERE,
    Budget,
    Words,
    budget_of,
    packed_words,
    words_in_json,
)
from relaybook.errors import InvalidArguments

FENCE = '<data-0a1b source="a.py" trust="untrusted">\none two three\n</data-0a1b>'


def count(prompt: str, context: tuple[str, ...] = ()) -> Words:
    return read_facts(PromptFacts(text=prompt, context=context)).words


def budget(prompt: str, workers: int = 1) -> Budget:
    return budget_of(count(prompt), workers)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1", 1),
        ('"two words"', 2),
        ("[1,2,3]", 3),
        ('{"a":1,"b":"two words"}', 5),
        ('[{"id":"i1","ok":true},{"id":"i2","ok":null}]', 8),
    ],
)
def test_each_name_and_each_value_of_compact_json_is_a_word(text: str, words: int) -> None:
    assert words_in_json(text) == words


@pytest.mark.requirement("A25")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("internationalisation matters " * 50, 0),
        ('{"type":"object","required":["a","b"]}', 38 // 5 - 1),
        ("[" + "1," * 5_000 + "1]", 10_003 // 5 - 1),
    ],
)
def test_a_run_too_long_for_a_word_is_worth_several_in_tokens(text: str, words: int) -> None:
    assert packed_words(text) == words
    assert budget(text, 3).tokens == -(-(len(text.split()) + words) * 3 * 4 // 3)


@pytest.mark.requirement("A24")
def test_words_inside_a_fence_and_its_tags_are_data() -> None:
    prompt = f"Review this file.\n{FENCE}\nBe brief."

    counted = count(prompt, ("two words", "three more words"))

    assert counted == Words(instruction=5, context=5, data=3 + 4, sections={"": 12})


def test_a_heading_inside_a_fence_opens_no_section() -> None:
    prompt = FENCE.replace("one", "## Role\none")

    assert budget(f"## Task\n{prompt}").sections == {"Task": 2 + 9}


def test_a_heading_inside_a_code_block_opens_no_section() -> None:
    assert budget("## Task\n```\n## Role\n```\nend").sections == {"Task": 7}


def test_an_unclosed_fence_is_read_as_instructions() -> None:
    prompt = FENCE.replace("</data-0a1b>", "</data-ffff>")

    assert count(prompt) == Words(instruction=7, context=0, data=0, sections={"": 7})


def test_a_fence_ends_only_at_the_tag_with_its_own_nonce() -> None:
    prompt = FENCE.replace("two", "\n</data-ffff>\n") + "\nafter"

    assert count(prompt) == Words(instruction=1, context=0, data=7, sections={"": 8})


def test_an_empty_fence_holds_no_data_but_its_tags() -> None:
    prompt = '<data-1 source="" trust="untrusted">\n</data-1>'

    assert count(prompt) == Words(instruction=0, context=0, data=4, sections={"": 4})


@pytest.mark.requirement("S63")
@pytest.mark.parametrize(("words", "workers", "total"), [(500, 5, 2_500), (2_000, 10, 20_000)])
def test_the_cost_of_a_prompt_is_its_words_times_the_workers(
    words: int, workers: int, total: int
) -> None:
    assert budget("word " * words, workers).total == total


@pytest.mark.requirement("S64", "A25")
def test_a_budget_names_words_workers_total_the_heaviest_section_and_estimated_tokens() -> None:
    prompt = f"Hello\n## Role\nA reader.\n## Task\nRead it.\n### Input Data\n{FENCE}\n## More\nx"

    assert budget(prompt, workers=4) == Budget(
        sections={"Role": 4, "Task": 14, ELSEWHERE: 4},
        heaviest="Task",
        words=22,
        workers=4,
        total=88,
        tokens=118,
    )


def test_an_empty_prompt_costs_nothing() -> None:
    assert budget("") == Budget(sections={}, heaviest="", words=0, workers=1, total=0, tokens=0)


def test_a_budget_without_workers_is_refused() -> None:
    with pytest.raises(InvalidArguments, match="workers is 0"):
        budget("text", workers=0)


PIECES = st.sampled_from(
    ["## Task\n", "word ", "\n", "```\n", FENCE, "\n" + FENCE + "\n", "<data-"]
)


@given(st.lists(PIECES | st.text(max_size=8)).map("".join))
def test_every_word_is_counted_once(prompt: str) -> None:
    counted = count(prompt)

    assert counted.instruction + counted.data == len(prompt.split())


@given(st.lists(PIECES).map("\n".join))
def test_the_sections_of_a_budget_add_up_to_the_prompt(prompt: str) -> None:
    assert budget(prompt).words == len(prompt.split())
