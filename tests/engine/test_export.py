"""export and import: the rows of a workflow come back, in any ledger, whole or not at all."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relaybook.core.text import canonical, text_hash
from relaybook.engine import Engine
from relaybook.engine.request import Resolution, StageReport
from relaybook.errors import AlreadyThere, InvalidExport, UnknownWorkflow
from relaybook.store.base import Store
from relaybook.store.sqlite import SqliteStore
from tests.helpers import (
    Clock,
    complete,
    dump,
    engine_on,
    fail,
    open_ledger,
    start,
    task,
    update,
    workflow,
)

STAGES = [{"capability": "planning", "goal": goal} for goal in ("Plan it", "Plan again")]


def lived(engine: Engine, clock: Clock) -> str:
    """A workflow to which most things happened, one of its tasks in progress."""
    plan = [task(name) for name in "abc"] + [task("d", writes=["src/"]), task("e", "a", "b")]
    id = workflow(engine, *plan, metadata={"for": "ann\0 and \ud800"})
    for name in "ab":
        start(engine, id, name)
        clock.move(30)
    complete(engine, id, "a", {"seen": 1})
    fail(engine, id, "b")
    start(engine, id, "b")
    fail(engine, id, "b", "it broke again")
    start(engine, id, "c")
    update(engine, id, "c", "input_required", output="Which one?")
    engine.resolve(Resolution(workflow_id=id, decision="answer", task_id="c", answers=("this",)))
    engine.change_plan(id, add=[task("f")], replaces=["b"], reason="split")
    engine.record("finding", [{"text": "Tests are slow."}], workflow_id=id, task_id="a")
    start(engine, id, "d", session_key="s-d")
    return id


def learned(engine: Engine, clock: Clock) -> str:
    """A workflow of stages, the first of which failed: skills have figures of it."""
    id = engine.create_workflow(name="stages", stages=STAGES, hooks="advisory")["workflow_id"]
    engine.advance_stage(StageReport(workflow_id=id))
    clock.move(60)
    fail(engine, id, "stage-0")
    return id


@pytest.fixture
def other(ledger: Store, tmp_path: Path, clock: Clock) -> Iterator[Engine]:
    """An engine on an empty ledger of the other kind."""
    kind = "postgres" if isinstance(ledger, SqliteStore) else "sqlite"
    (tmp_path / "other").mkdir()
    store = open_ledger(kind, tmp_path / "other")
    yield engine_on(store, clock)
    store.close()


def lasts(size: int) -> str:
    """A token that no other engine of these tests draws."""
    return "f" * 2 * size


def rows(engine: Engine) -> dict[str, Any]:
    """All but what no event says: common phrases of prompts, and renewed leases."""
    found = dump(engine.store)
    del found["prints"]
    return found


@pytest.mark.parametrize("live", [lived, learned], ids=["lived", "learned"])
def test_an_import_gives_the_rows_of_the_exported_workflow(
    live: Callable[[Engine, Clock], str], engine: Engine, other: Engine, clock: Clock
) -> None:
    id = live(engine, clock)

    answer = other.import_workflow(json.loads(json.dumps(engine.export_workflow(id))))

    assert rows(other) == rows(engine)
    assert answer["workflow_id"] == id
    assert other.export_workflow(id) == engine.export_workflow(id)


def test_an_imported_workflow_goes_on_under_its_claim(
    engine: Engine, other: Engine, clock: Clock
) -> None:
    id = workflow(engine, "a", "b")
    claim = start(engine, id, "a")

    other.import_workflow(engine.export_workflow(id))
    complete(other, id, "a", claim=claim)

    assert other.show_workflow(id)["counts"]["completed"] == 1


def test_a_workflow_that_is_there_is_not_imported_again(engine: Engine, clock: Clock) -> None:
    id = lived(engine, clock)
    before = dump(engine.store)

    with pytest.raises(AlreadyThere, match=id):
        engine.import_workflow(engine.export_workflow(id))

    assert dump(engine.store) == before


def test_what_only_one_workflow_can_have_is_refused(engine: Engine, other: Engine) -> None:
    id = workflow(engine, task("a", writes=["src/"]), request_id="r-1")
    exported = engine.export_workflow(id)
    other.token = lasts
    workflow(other, "x", request_id="r-1")
    before = dump(other.store)

    with pytest.raises(AlreadyThere, match="request_id"):
        other.import_workflow(exported)

    assert dump(other.store) == before


def test_a_write_scope_that_is_taken_is_refused(engine: Engine, other: Engine) -> None:
    ours = workflow(engine, task("a", writes=["src/auth/"]))
    start(engine, ours, "a")
    other.token = lasts
    theirs = workflow(other, task("a", writes=["src/"]))
    start(other, theirs, "a")
    before = dump(other.store)

    with pytest.raises(AlreadyThere, match="writes what its task"):
        other.import_workflow(engine.export_workflow(ours))

    assert dump(other.store) == before


def forged(exported: dict[str, Any], place: int, change: dict[str, Any] | None) -> dict[str, Any]:
    """The document with one event changed, or left out, and its digest made to fit."""
    said = json.loads(json.dumps(exported))
    event = said["events"].pop(place)
    if change is not None:
        said["events"].insert(place if place >= 0 else len(said["events"]), event | change)
    return sealed(said)


def sealed(said: dict[str, Any]) -> dict[str, Any]:
    """The document with the digest that fits."""
    content = {name: said[name] for name in ("workflow_id", "events", "texts")}
    return said | {"digest": text_hash(canonical(content))}


@pytest.mark.parametrize(
    ("place", "change", "told"),
    [
        (0, None, "cannot have happened in this order"),
        (-1, {"type": "task_completed"}, "cannot have happened in this order"),
        (-1, {"type": "task_sung"}, "knows no event 'task_sung'"),
        (0, {"data": {}}, "cannot have happened in this order"),
        (-1, {"data": 7}, "cannot have happened in this order"),
    ],
    ids=["one missing", "too early", "unknown", "no plan", "no data"],
)
def test_a_document_that_cannot_be_is_refused_and_leaves_no_trace(
    place: int, change: dict[str, Any] | None, told: str, engine: Engine, other: Engine
) -> None:
    exported = engine.export_workflow(workflow(engine, "a"))
    before = dump(other.store)

    with pytest.raises(InvalidExport, match=told):
        other.import_workflow(forged(exported, place, change))

    assert dump(other.store) == before


def test_a_document_of_another_id_is_refused(engine: Engine, other: Engine) -> None:
    exported = engine.export_workflow(workflow(engine, "a"))

    with pytest.raises(InvalidExport, match="changed or cut short"):
        other.import_workflow(exported | {"workflow_id": "wf_other"})


def test_a_claim_that_is_taken_is_refused(engine: Engine) -> None:
    id = workflow(engine, "a")
    start(engine, id, "a")
    forgery = sealed(engine.export_workflow(id) | {"workflow_id": "wf_other"})
    before = dump(engine.store)

    with pytest.raises(AlreadyThere, match="has the claim of its task 'a'"):
        engine.import_workflow(forgery)

    assert dump(engine.store) == before


@pytest.mark.parametrize("claim", [None, ["x"], {"x": 1}])
def test_a_claim_that_no_attempt_has_is_refused(claim: Any, engine: Engine, other: Engine) -> None:
    id = workflow(engine, "a")
    start(engine, id, "a")
    exported = engine.export_workflow(id)
    for event in exported["events"]:
        if "claim" in event["data"]:
            event["data"]["claim"] = claim

    with pytest.raises(InvalidExport, match="cannot have happened"):
        other.import_workflow(sealed(exported))


@pytest.mark.parametrize("name", ["", "../x", "wf x", "wf_1/tasks/a", "<b>"])
def test_an_id_that_is_none_of_a_workflow_is_refused(
    name: str, engine: Engine, other: Engine
) -> None:
    exported = engine.export_workflow(workflow(engine, "a"))

    with pytest.raises(InvalidExport, match="no id of a workflow"):
        other.import_workflow(sealed(exported | {"workflow_id": name}))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "no export of a workflow"),
        ({"format": "relaybook workflow", "version": 2}, "has version 2, not 1"),
        ({"format": "relaybook workflow", "version": 1, "events": []}, "changed or cut short"),
    ],
)
def test_what_is_no_document_is_refused(said: Any, told: str, engine: Engine) -> None:
    with pytest.raises(InvalidExport, match=told):
        engine.import_workflow(said)


def test_a_workflow_that_is_not_there_is_not_exported(engine: Engine) -> None:
    with pytest.raises(UnknownWorkflow):
        engine.export_workflow("wf_none")
