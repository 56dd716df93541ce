"""forecast: what runs, and how long is left by what earlier runs took."""

import pytest

from relaybook.core.forecast import minutes_left
from relaybook.engine import Engine
from tests.helpers import Clock, complete, start, task, workflow


@pytest.mark.parametrize(
    ("tasks", "width", "chain", "left"),
    [
        ([], 6, 0.0, 0.0),
        ([(5, 0), (5, 0)], 1, 0.0, 10.0),
        ([(5, 0), (5, 0)], 2, 0.0, 5.0),
        ([(5, 0), (5, 0)], 6, 10.0, 10.0),
        ([(5, 2)], 1, 0.0, 3.0),
        ([(5, 9)], 1, 0.0, 0.0),
    ],
)
def test_the_work_is_divided_among_workers_but_a_chain_is_not(
    tasks: list[tuple[float, float]], width: int, chain: float, left: float
) -> None:
    assert minutes_left(tasks, width, chain) == left


def test_the_expected_minutes_of_the_plan_count_while_there_is_no_history(
    engine: Engine, clock: Clock
) -> None:
    id = workflow(engine, task("a", expected_minutes=10), task("b", expected_minutes=10))
    start(engine, id, "a")
    clock.move(240)

    told = engine.forecast(id)

    assert (told["done"], told["total"], told["failed"]) == (0, 2, 0)
    assert told["running"] == [
        {"task_id": "a", "label": "Do a", "minutes": 4.0, "expected_minutes": 10.0}
    ]
    assert told["minutes_left"] == 10.0


def test_five_earlier_runs_of_a_template_say_how_long_the_next_one_takes(
    engine: Engine, clock: Clock
) -> None:
    earlier = workflow(engine, *"abcde")
    for name in "abcde":
        start(engine, earlier, name)
        clock.move(60)
        complete(engine, earlier, name)
    id = workflow(engine, "a")
    start(engine, id, "a")

    told = engine.forecast(id)

    assert told["running"][0]["expected_minutes"] == 1.0
    assert told["minutes_left"] == 1.0
    assert engine.forecast(earlier)["minutes_left"] == 0.0
