"""What a worker asks, and how the answer reaches its next attempt."""

import pytest

from relaybook.engine import Engine
from relaybook.errors import InvalidArguments
from relaybook.store.base import Store
from tests.helpers import dump, resolve, result, start, update, workflow


@pytest.mark.requirement("S5")
def test_the_answer_to_a_workers_question_is_in_its_next_prompt(engine: Engine) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    asked = result(None, status="needs_input", questions=["Which branch?", "Which region?"])
    update(engine, name, "a", "completed", output=asked)

    (question,) = engine.open_decisions(name)["open"]
    resolve(engine, name, "answer", task_id="a", answers=("main-7", "north-3"))
    again = resolve(engine, name, "answer", task_id="a", answers=("main-7", "north-3"))
    prompt = engine.claim_task(name)["prompt"]

    assert question["questions"] == ["Which branch?", "Which region?"]
    assert again["repeated"] is True
    positions = [prompt.index(w) for w in ("Which branch?", "main-7", "Which region?", "north-3")]
    assert positions == sorted(positions)


@pytest.mark.parametrize("answers", [("main",), ("main", "north", "more")])
def test_as_many_answers_are_given_as_questions_were_asked(
    engine: Engine, ledger: Store, answers: tuple[str, ...]
) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    asked = result(None, status="needs_input", questions=["Which branch?", "Which region?"])
    update(engine, name, "a", "completed", output=asked)
    before = dump(ledger)

    with pytest.raises(InvalidArguments, match="asks 2 question") as refusal:
        resolve(engine, name, "answer", task_id="a", answers=answers)

    assert "1. 'Which branch?'; 2. 'Which region?'" in refusal.value.allowed
    assert dump(ledger) == before


@pytest.mark.parametrize("answers", [(), ("",), (" \n",), ("x" * 5_000,)])
def test_an_answer_is_a_text_of_bounded_size(engine: Engine, answers: tuple[str, ...]) -> None:
    name = workflow(engine, "a", "b")
    start(engine, name, "a")
    update(engine, name, "a", "input_required", output="which?")

    with pytest.raises(InvalidArguments):
        resolve(engine, name, "answer", task_id="a", answers=answers)

    assert engine.open_decisions(name)["open"][0]["questions"] == ["which?"]
