"""No verb says more to the ledger than `benchmarks/counters.json` allows it."""

import json

from benchmarks.counters import SAVED, count


def test_no_verb_runs_more_statements_than_it_was_measured_to_run():
    allowed = {
        verb: saved["statements"]
        for verb, saved in json.loads(SAVED.read_text(encoding="utf-8")).items()
    }

    counted = {verb: found["statements"] for verb, found in count().items()}

    assert counted.keys() == allowed.keys()
    assert {verb: number for verb, number in counted.items() if number > allowed[verb]} == {}
