"""What a plan's prompts cost before it is written, and what an expert role adds to them."""

from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import PromptTooLarge
from tests.helpers import task, workflow


def panel(engine: Engine, *roles: str, **args: Any) -> str:
    """A panel on one proposal."""
    given = {"proposal": "Keep tokens for 30 days."} | args
    tasks = [
        task(f"e{number}", template="consensus_check", expert_role=role, args=given)
        for number, role in enumerate(roles)
    ]
    return workflow(engine, *tasks, pattern="expert_panel")


def prompt(engine: Engine, workflow_id: str, task_id: str) -> str:
    return engine.render_prompt(workflow_id=workflow_id, task_id=task_id)["prompt"]


def cost(engine: Engine, *tasks: Any, **said: Any) -> dict[str, Any]:
    return engine.create_workflow(tasks=tasks, dry_run=True, **said)["cost"]


def test_a_known_role_brings_its_own_questions_and_sentence(engine: Engine) -> None:
    made = panel(engine, "Security", "data  quality")

    first, second = (prompt(engine, made, name) for name in ("e0", "e1"))

    assert "You judge what an attacker could reach" in first
    assert "- entry points: Which input can an outsider control" in first
    assert "You judge whether the data means what its readers take it to mean." in second
    assert "Which figure could two readers compute differently?" in second
    assert "entry points" not in second


def test_criteria_that_are_given_stand_alone(engine: Engine) -> None:
    made = panel(engine, "security", criteria=[{"name": "age", "question": "How old is it?"}])

    text = prompt(engine, made, "e0")

    assert "- age: How old is it?" in text
    assert "entry points" not in text


def test_a_plan_with_a_prompt_too_large_names_the_task_and_is_not_made(engine: Engine) -> None:
    large = task("b", "a", args={"goal": "word " * 50_000})

    with pytest.raises(PromptTooLarge, match="Task 'b'") as caught:
        engine.create_workflow("pipeline", tasks=[task("a"), large])

    assert "less in args" in caught.value.next
    assert engine.list_workflows()["workflows"] == []


def test_a_prompt_too_large_is_found_wherever_it_stands_in_a_long_plan(engine: Engine) -> None:
    tasks = [task(f"t{number}") for number in range(250)]
    tasks[100] = task("t100", args={"goal": "word " * 50_000})

    with pytest.raises(PromptTooLarge, match="Task 't100'"):
        engine.create_workflow("fan_out", tasks=tasks)

    assert engine.list_workflows()["workflows"] == []


@pytest.mark.requirement("S155")
def test_a_plan_that_is_registered_tells_the_same_cost(engine: Engine) -> None:
    tasks = [task("a"), task("b", label="Look at it")]

    made = engine.create_workflow("fan_out", tasks=tasks)

    assert made["cost"] == cost(engine, *tasks, pattern="fan_out")


@pytest.mark.requirement("S153", "S155")
@pytest.mark.parametrize("workers", [1, 3, 10])
def test_the_cost_of_a_plan_is_the_words_of_its_prompts_times_the_workers(
    engine: Engine, workers: int
) -> None:
    tasks = [task(f"t{number}", label="Look at it") for number in range(workers)]
    words = len(prompt(engine, workflow(engine, *tasks[:1]), "t0").split())

    told = cost(engine, *tasks, pattern="fan_out")

    assert told == {
        "words": words,
        "workers": workers,
        "total_words": words * workers,
        "tokens_estimate": -(-words * workers * 4 // 3),
    }


def test_prompts_that_will_carry_results_are_told_apart(engine: Engine) -> None:
    tasks = [task("a"), task("b", "a"), task("c", "b")]

    assert cost(engine, *tasks, pattern="pipeline")["growing"] == 2


def test_the_cost_of_a_large_plan_is_estimated_from_some_of_its_prompts(engine: Engine) -> None:
    tasks = [task(f"t{number}", label="Look at it") for number in range(250)]

    one, many = (cost(engine, *some, pattern="fan_out") for some in (tasks[:1], tasks))

    assert (many["words"], many["workers"]) == (one["words"], 250)
    assert many["total_words"] == 250 * one["words"]


def test_a_dry_run_writes_nothing_and_shows_the_tasks(engine: Engine) -> None:
    shown = engine.create_workflow("pipeline", tasks=[task("a"), task("b", "a")], dry_run=True)

    assert shown["tasks"] == [
        {"id": "a", "label": "Do a", "template": "piece"},
        {"id": "b", "label": "Do b", "template": "piece", "depends_on": ["a"]},
    ]
    assert engine.list_workflows()["workflows"] == []
