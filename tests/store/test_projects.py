"""What an engine for some projects shows and changes, on both stores."""

from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.engine.items import EVENT_NAMES
from relaybook.engine.readables.table import READABLES
from relaybook.engine.request import Resolution
from relaybook.errors import Forbidden, Refusal, UnknownLesson, UnknownWorkflow
from tests.helpers import Clock, complete, dump, start, task, workflow
from tests.http.foreign import PROJECT, Foreign, foreign_work, leaks

OWN = "own_project"


@pytest.fixture
def foreign(engine: Engine) -> Foreign:
    return foreign_work(engine)


@pytest.fixture
def mine(engine: Engine, foreign: Foreign) -> Engine:
    """The engine of somebody who may see OWN."""
    workflow(engine, "a", "b", project=OWN)
    return engine.within(frozenset([OWN]))


def test_nothing_readable_shows_another_project(mine: Engine, foreign: Foreign) -> None:
    known = (PROJECT, *(getattr(foreign, name) for name in Foreign.__dataclass_fields__))

    for each in READABLES:
        try:
            said: Any = mine.read_text(foreign.uri(each.uri)).text
        except Refusal as refusal:
            said = str(refusal)
        assert not leaks(said, *known), each.uri


def test_no_list_or_figure_holds_another_project(mine: Engine) -> None:
    found: list[Any] = [
        mine.list_workflows(),
        mine.list_workflows(project=PROJECT),
        mine.list_items(),
        mine.list_items(project=PROJECT),
        mine.items_graph(),
        mine.items_stats(),
        mine.list_lessons(),
        mine.list_lessons(project=PROJECT),
        mine.export_lessons("skill:python-backend", project=PROJECT),
        mine.skill_health(),
        mine.loop_view(),
        mine.loop_view(project=PROJECT),
        mine.claim_task(project=PROJECT),
        *(mine.hook_events(name) for name in EVENT_NAMES),
    ]

    assert not [each for each in found if leaks(repr(each))]


def test_nothing_of_another_project_is_completed(
    mine: Engine, engine: Engine, foreign: Foreign
) -> None:
    own = mine.list_workflows()["workflows"][0]["workflow_id"]
    asked = [
        (each.uri, name)
        for each in READABLES
        for name in each.variables
        if "ledger" in each.uri and name not in ("event", "since")
    ]

    for uri, name in asked:
        found = mine.complete(uri, name, "", {"id": foreign.workflow_id})
        all_of_them = engine.complete(uri, name, "", {"id": foreign.workflow_id})
        assert list(found.values) == ([own] if name == "id" else [])
        assert found.total == len(found.values) < all_of_them.total


def test_the_marks_of_another_project_stand_still(
    mine: Engine, engine: Engine, foreign: Foreign
) -> None:
    uris = [foreign.uri(each.uri) for each in READABLES]
    before = mine.marks(uris)

    engine.claim_task(foreign.workflow_id)
    workflow(engine, "new", project=PROJECT)

    assert mine.marks(uris) == before
    assert engine.marks(uris) != before


def test_what_is_another_project_s_stays_when_all_that_ended_is_removed(
    mine: Engine, engine: Engine, foreign: Foreign, clock: Clock
) -> None:
    engine.resolve(Resolution(workflow_id=foreign.workflow_id, decision="cancel"))
    clock.move(1)
    rows = dump(engine.store)

    seen = mine.cleanup(days=0, dry_run=True)
    removed = mine.cleanup(days=0)

    assert (seen["found"], seen["workflows"], removed["removed"]) == (0, [], 0)
    assert dump(engine.store) == rows
    assert engine.cleanup(days=0)["removed"] == 1


def test_work_and_decisions_keep_to_the_own_project(mine: Engine, foreign: Foreign) -> None:

    own = mine.list_workflows()["workflows"][0]["workflow_id"]

    with pytest.raises(Forbidden, match=OWN):
        mine.create_workflow("fan_out", tasks=[task("x")], project=PROJECT)
    with pytest.raises(UnknownLesson):
        mine.resolve(Resolution(workflow_id=own, decision="accept_lesson", lesson=foreign.lesson))
    with pytest.raises(UnknownWorkflow):
        mine.claim_task(foreign.workflow_id)
    assert mine.home == OWN
    assert start(mine, own, "a")


def test_the_figures_of_a_skill_are_kept_by_project(engine: Engine, foreign: Foreign) -> None:
    theirs = engine.within(frozenset([PROJECT])).skill_health()

    assert theirs == engine.skill_health()
    assert theirs
    assert engine.within(frozenset([OWN])).skill_health() == {}


def test_the_times_of_another_project_are_no_advice(
    mine: Engine, engine: Engine, clock: Clock
) -> None:
    names = [f"t{n}" for n in range(12)]
    theirs = workflow(engine, *names, project=PROJECT)
    for name in names:
        start(engine, theirs, name)
        clock.move(3_600)
        complete(engine, theirs, name)
    everybody, me = (each.plan({"minutes": 60}, template="piece") for each in (engine, mine))

    assert everybody["expected"]["minutes"] == 60
    assert me["expected"]["minutes"] < 60


def test_who_may_see_no_project_sees_nothing(engine: Engine, foreign: Foreign) -> None:
    nobody = engine.within(frozenset())

    assert nobody.list_workflows()["workflows"] == []
    assert not nobody.claim_task()["claimed"]
    with pytest.raises(UnknownWorkflow):
        nobody.show_workflow(foreign.workflow_id)
