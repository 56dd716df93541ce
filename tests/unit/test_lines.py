"""What a line of a pipe is told that cannot be read."""

import pytest

from relaybook.surface.lines import NotUnderstood, message_of


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"jsonrpc":', "it is no JSON"),
        ("[" * 200_000 + "]" * 200_000, "nested too deep"),
        (
            '{"jsonrpc":"2.0","id":5,"method":"x","params":{"n":' + "7" * 5000 + "}}",
            "too long a number",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_told_why(line: str, why: str) -> None:
    answer = message_of(line)

    assert isinstance(answer, NotUnderstood)
    assert why in answer.answer.error.message
