import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.result.block import MAX_DEPTH, MAX_OUTPUT, find_block, parse_block
from relaybook.errors import MalformedOutput

OPEN, CLOSE = "<result>", "</result>"

FOUND = {
    "one block": ('Done.\n<result>\n{"a": 1}\n</result>', '{"a": 1}'),
    "two blocks": ("<result>\n1\n</result>\nBetter:\n<result>\n2\n</result>", "2"),
    "an inline echo, then a block": (
        "I return <result>...</result> tags.\n<result>\n3\n</result>",
        "3",
    ),
    "tags inside the JSON": (
        '<result>\n{"note": "between <result> and </result>"}\n</result>',
        '{"note": "between <result> and </result>"}',
    ),
    "a fence inside": ('<result>\n```json\n{"a": 1}\n```\n</result>', '{"a": 1}'),
    "a block on one line": (
        '<result>{"error": {"code": "crash", "message": "no disk"}}</result>',
        '{"error": {"code": "crash", "message": "no disk"}}',
    ),
    "an echo, then a block on one line": (
        'As told, <result>...</result>.\n<result>{"a": 1}</result>',
        '{"a": 1}',
    ),
    "prose about the tag after the block": (
        '<result>\n{"a": 1}\n</result>\nThat was my <result> block.',
        '{"a": 1}',
    ),
    "tags indented, lines ended by CRLF": ("  <result>\r\n7\r\n  </result>\r\n", "7"),
    "a block restarted before it was closed": ("<result>\n{\n<result>\n8\n</result>", "8"),
    "a mention of an inline block after the block": (
        "<result>\n9\n</result>\nNo <result>{…}!",
        "9",
    ),
    "a block that starts on its own line and closes inline": ("<result>\n11</result>", "11"),
    "tags inside the JSON of a block on one line": (
        'So <result>{"a": "<result>1</result>"}</result>',
        '{"a": "<result>1</result>"}',
    ),
    "a fence in a block on one line": ("<result>```json [1]```</result>", "[1]"),
    "inline JSON, then an inline echo": ("<result>12</result>, not <result>…</result>", "12"),
    "a whole block in a fence": ("```\n<result>\n13\n</result>\n```", "13"),
    "only inline text that is no JSON": ("<result>{'a': 1}</result>", "{'a': 1}"),
}

NOT_FOUND = {
    "no tags": ("All done, no problems.", "no <result> block"),
    "no text": ("", "no <result> block"),
    "unclosed": ('<result>\n{"a": 1}', "unclosed"),
    "unclosed after an echo": ("In <result>…</result>:\n<result>\n{", "unclosed"),
    "unclosed after a whole draft": ("<result>\n9\n</result>\nBetter:\n<result>\n10", "unclosed"),
    "cut off after the tag": ("<result>\n9\n</result>\n<result>", "unclosed"),
    "unclosed after a draft on one line": (
        '<result>{"a": 1}</result>\nCorrected: <result>{"a": 2',
        "unclosed",
    ),
    "closed before it is opened": ("</result> <result>", "unclosed"),
    "empty": ("<result>\n\n</result>", "empty"),
    "an empty fence": ("<result>\n```json\n```\n</result>", "empty"),
}

NOT_JSON = {
    "a trailing comma": ('{"a": 1,\n }', "line [12], column [28]"),  # the comma, since Python 3.13
    "an error in the second line": ('{"a": 1,\n "b" 2}', "line 2, column 6, near"),
    "NaN": ("[NaN]", "'NaN', out of range"),
    "infinity": ("[-Infinity]", "'-Infinity', out of range"),
    "a number that overflows": ("[1e999]", "'1e999', out of range"),
    "an integer of 5000 digits": ("9" * 5000, "out of range"),
    "a repeated key": ('{"a": 1, "b": {"c": 1, "c": 2}}', "repeats the key 'c'"),
    "half a surrogate pair, escaped": ('{"a": "\\ud800"}', "surrogate"),
    "half a surrogate pair, as it is": ('{"\udfff": 1}', "surrogate"),
    "nesting one too deep": ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "too deep"),
    "nesting of the whole block": ("[" * 50_000 + "]" * 50_000, "too deep"),
}

HOSTILE = {
    "openings": OPEN * 22_000,
    "openings of lists": (OPEN + "[") * 20_000,
    "openings of texts": (OPEN + '["') * 18_000,
    "openings of texts with escapes": (OPEN + '"\\"') * 17_000,
    "openings on their lines": (OPEN + "\n") * 20_000,
    "openings with space": (OPEN + " " * 991) * 200,
    "values, closed by space only": (OPEN + "1" + " " * 990) * 200,
    "pairs that are not JSON": (OPEN + "{" + CLOSE) * 10_000,
    "openings of deep lists": (OPEN + "[" * 1990) * 100,
}


def standing(block: str) -> str:
    return f"<result>\n{block}\n</result>"


@pytest.mark.requirement("S122")
@pytest.mark.parametrize(("text", "block"), FOUND.values(), ids=FOUND)
def test_the_block_is_found(text: str, block: str):
    assert find_block(text) == block


@pytest.mark.requirement("S76", "A37")
@pytest.mark.parametrize(("text", "reason"), NOT_FOUND.values(), ids=NOT_FOUND)
def test_a_message_without_a_block_is_refused_with_the_reason(text: str, reason: str):
    with pytest.raises(MalformedOutput, match=reason) as refusal:
        find_block(text)

    assert "accept_raw" in refusal.value.next


def test_a_message_of_the_largest_size_is_read():
    text = standing("1")

    assert find_block(" " * (MAX_OUTPUT - len(text) - 1) + "\n" + text) == "1"


def test_a_message_over_the_largest_size_is_refused_with_both_sizes():
    with pytest.raises(MalformedOutput) as refusal:
        find_block("x" * (MAX_OUTPUT + 1))

    assert "200001" in refusal.value.message
    assert "200000" in refusal.value.allowed
    assert "accept_raw" not in refusal.value.next


@pytest.mark.requirement("S76")
@pytest.mark.parametrize(("block", "reason"), NOT_JSON.values(), ids=NOT_JSON)
def test_a_block_that_is_not_strict_json_is_refused_with_the_place(block: str, reason: str):
    with pytest.raises(MalformedOutput, match=reason) as refusal:
        parse_block(block)

    assert len(json.dumps(refusal.value.as_dict())) < 1000


def test_nesting_up_to_the_limit_is_read():
    block = "[" * MAX_DEPTH + "]" * MAX_DEPTH

    assert json.dumps(parse_block(block)) == block


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_block_after_a_hostile_message_is_found(text: str):
    assert find_block(f"{text[: MAX_OUTPUT - 30]}\n{standing('1')}") == "1"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_an_inline_block_after_a_hostile_message_is_found(text: str):
    assert find_block(f'{text[: MAX_OUTPUT - 40]}"\n<result>{{"a": 1}}</result>') == '{"a": 1}'


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_message_alone_is_refused(text: str):
    with pytest.raises(MalformedOutput):
        parse_block(find_block(text))


@given(
    st.lists(st.sampled_from([OPEN, CLOSE, "\n", "```", "json", "{", "}", '"a"', ":", "1", "…"]))
)
def test_any_mixture_of_tags_gives_a_block_or_a_refusal(parts: list[str]):
    text = "".join(parts)
    with suppress(MalformedOutput):
        block = find_block(text)
        assert block
        assert block in text
