"""No verb says more to the ledger, or does more, than `benchmarks/counters.json` allows it."""

import json
from collections.abc import Mapping

import pytest
from benchmarks.counters import SAVED, count

Counts = Mapping[str, Mapping[str, int]]

#: What the calls may be more, as a share: versions of Python differ in what they call.
MARGIN = 0.1


@pytest.fixture(scope="module")
def counted() -> Counts:
    return count()


@pytest.fixture
def allowed() -> Counts:
    return json.loads(SAVED.read_text(encoding="utf-8"))


def test_the_verbs_that_are_counted_are_those_that_were_measured(
    counted: Counts, allowed: Counts
) -> None:
    assert counted.keys() == allowed.keys()


@pytest.mark.parametrize(("what", "margin"), [("statements", 0.0), ("calls", MARGIN)])
def test_no_verb_does_more_than_it_was_measured_to_do(
    counted: Counts, allowed: Counts, what: str, margin: float
) -> None:
    more = {
        verb: found[what]
        for verb, found in counted.items()
        if found[what] > allowed[verb][what] * (1 + margin)
    }

    assert more == {}
