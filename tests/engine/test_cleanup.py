"""cleanup removes what ended long ago, and nothing else."""

import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Resolution
from relaybook.errors import InvalidArguments, UnknownWorkflow
from tests.helpers import Clock, dump, task, workflow

DAY = 86_400.0


def ended(engine: Engine) -> str:
    name = workflow(engine, task("a"))
    engine.resolve(Resolution(workflow_id=name, decision="cancel"))
    return name


@pytest.mark.requirement("S132")
def test_only_workflows_that_ended_over_seven_days_ago_are_removed(
    engine: Engine, clock: Clock
) -> None:
    old, open_one = ended(engine), workflow(engine, task("a"))
    clock.move(3 * DAY)
    recent = ended(engine)
    clock.move(5 * DAY)

    answer = engine.cleanup()

    assert (answer["removed"], answer["workflows"]) == (1, [old])
    with pytest.raises(UnknownWorkflow):
        engine.show_workflow(old)
    assert {row["workflow_id"] for row in engine.list_workflows()["workflows"]} == {
        open_one,
        recent,
    }


def test_nothing_of_a_removed_workflow_is_left(engine: Engine, clock: Clock) -> None:
    ended(engine)
    clock.move(8 * DAY)

    engine.cleanup()

    left = {name: rows for name, rows in dump(engine.store).items() if rows}
    assert set(left) <= {"schema_version"}


def test_a_dry_run_says_what_would_go_and_removes_nothing(engine: Engine, clock: Clock) -> None:
    name = ended(engine)
    clock.move(8 * DAY)
    before = dump(engine.store)

    answer = engine.cleanup(dry_run=True)

    assert (answer["found"], answer["removed"], answer["workflows"]) == (1, 0, [name])
    assert dump(engine.store) == before


def test_more_than_one_batch_is_removed(engine: Engine, clock: Clock) -> None:
    for _ in range(120):
        ended(engine)
    clock.move(8 * DAY)

    assert engine.cleanup()["removed"] == 120
    assert engine.list_workflows()["workflows"] == []


@pytest.mark.parametrize("days", [-1, 1e300, float("nan"), float("inf")])
def test_impossible_days_are_refused(engine: Engine, days: float) -> None:
    with pytest.raises(InvalidArguments, match="0 to 100000"):
        engine.cleanup(days=days)
