"""An accepted result that is odd says so."""

from typing import Any

import pytest

from relaybook.core.digest.result_flags import result_flags
from relaybook.core.result.envelope import Envelope, ResultStatus, raw_result


def rated(colour: str, *issues: Any) -> Envelope:
    data = {"colour": colour, "issues": list(issues)}
    return Envelope(status=ResultStatus.OK, data=data)


def issue(colour: str) -> dict[str, str]:
    return {"clause": "7.2", "colour": colour}


@pytest.mark.parametrize(
    "envelope",
    [
        rated("green", issue("yellow")),
        rated("Y", issue("green"), issue("red")),
        rated("green", 7, issue("RED")),
    ],
)
def test_a_colour_better_than_the_worst_issue_is_flagged(envelope: Envelope):
    assert result_flags(envelope) == ("colour_below_issues",)


@pytest.mark.parametrize(
    "envelope",
    [
        rated("green"),
        rated("red", issue("yellow"), issue("red")),
        rated("red", issue("green")),
        rated("mauve", issue("red")),
        rated("green", {"colour": None}, {}),
        Envelope(status=ResultStatus.OK, data={"colour": "green", "issues": {"colour": "red"}}),
        Envelope(status=ResultStatus.OK, data=None),
    ],
)
def test_a_colour_as_bad_as_its_issues_is_not_flagged(envelope: Envelope):
    assert result_flags(envelope) == ()


def test_a_text_taken_as_it_is_is_flagged():
    assert result_flags(raw_result("Done.")) == ("unvalidated",)
