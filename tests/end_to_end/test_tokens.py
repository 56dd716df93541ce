"""What an orchestrator pays for the record of a whole job stays small."""

from benchmarks.tokens import TARGETS, held


def test_a_fan_out_of_30_costs_few_tokens_and_calls() -> None:
    spent = {name: (talk.said / 4, talk.calls) for name, talk in held(TARGETS)}

    assert spent.keys() == TARGETS.keys()
    for name, (tokens, calls) in spent.items():
        assert tokens <= TARGETS[name][0]
        assert calls <= TARGETS[name][1]
