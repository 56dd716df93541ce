import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaybook.core.result.block import find_block
from relaybook.errors import MalformedOutput
from relaybook.worker.output import ResultTail, Tail

LIMIT = 60


def kept(tail: Tail, text: str, step: int = 7) -> str:
    data = text.encode()
    for start in range(0, len(data), step):
        tail.feed(data[start : start + step])
    return tail.text


@given(st.text(max_size=400), st.integers(1, 500))
def test_a_tail_is_the_end_of_the_text_however_it_is_cut(text: str, step: int) -> None:
    assert kept(Tail(LIMIT), text, step) == text[-LIMIT:]


def test_bytes_that_are_no_text_are_replaced() -> None:
    tail = Tail(LIMIT)

    tail.feed(b"a\xffb")

    assert tail.text == "a\ufffdb"


@given(
    before=st.text("ab\n", max_size=300),
    after=st.text("ab\n", max_size=300),
    step=st.integers(1, 300),
)
def test_the_last_block_stays_whatever_stands_around_it(before: str, after: str, step: int) -> None:
    text = f'<result>\n"draft"\n</result>\n{before}\n<result>\n"done"\n</result>\n{after}'

    output = kept(ResultTail(LIMIT), text, step)

    assert find_block(output) == '"done"'
    assert len(output) <= LIMIT


@pytest.mark.parametrize("closing", ["\n</result>\n", ""])
def test_no_earlier_block_is_taken_for_one_that_is_too_long(closing: str) -> None:
    text = f'<result>\n"draft"\n</result>\n<result>\n"{"x" * 500}"{closing}'

    output = kept(ResultTail(LIMIT), text)

    assert len(output) <= LIMIT
    assert '"draft"' not in output
    if not closing:
        with pytest.raises(MalformedOutput):
            find_block(output)


def test_a_short_output_is_kept_whole() -> None:
    assert kept(ResultTail(LIMIT), "thinking\n<result>1</result>\n") == (
        "thinking\n<result>1</result>\n"
    )
