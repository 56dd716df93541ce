"""What every workflow has: a type, metadata, a status that says all that is asked of one."""

import json
from contextlib import closing

import pytest
import sqlite_utils

from relaybook.engine import Engine
from relaybook.model import Pattern
from relaybook.store.base import Store
from relaybook.store.cases import get_workflow
from relaybook.store.sqlite import SqliteStore
from tests.helpers import Clock, complete, fail, start, task, update, workflow


def plan_for(pattern: Pattern) -> list[dict[str, object]]:
    roles = {"expert_role": "security"} if pattern is Pattern.EXPERT_PANEL else {}
    return [task("a", **roles)]


FIVE_TYPES = ["fan_out", "pipeline", "supervisor", "expert_panel", "map_reduce"]


@pytest.mark.requirement("S126")
@pytest.mark.parametrize("pattern", FIVE_TYPES)
def test_there_are_five_types_of_workflow(engine: Engine, pattern: str) -> None:
    made = engine.create_workflow(pattern, tasks=plan_for(Pattern(pattern)))

    assert engine.show_workflow(made["workflow_id"])["type"] == pattern
    assert sorted(Pattern) == sorted(FIVE_TYPES)


@pytest.mark.requirement("S141")
def test_metadata_is_kept_with_the_workflow(engine: Engine, ledger: Store) -> None:
    said = {"request": "Review the API", "model": "cheap first"}
    made = engine.create_workflow("fan_out", tasks=[task("a")], metadata=said)

    with ledger.read() as tx:
        kept = get_workflow(tx, made["workflow_id"]).metadata

    assert json.loads(kept) == said


@pytest.mark.requirement("S137")
def test_a_status_says_all_that_is_asked_of_one(engine: Engine, clock: Clock) -> None:
    name = workflow(engine, *"abcd")
    clock.move(60)
    start(engine, name, "a", session_key="s-1")
    complete(engine, name, "a")
    start(engine, name, "b", session_key="s-2")
    start(engine, name, "c", session_key="s-3")
    update(engine, name, "c", "pending")
    clock.move(5)

    shown = engine.show_workflow(name)

    assert shown["workflow_id"] == name
    assert (shown["type"], shown["status"]) == ("fan_out", "in_progress")
    assert shown["progress"] == "1/4 complete"
    assert shown["counts"] == {"pending": 2, "ready": 2, "in_progress": 1, "completed": 1}
    assert shown["elapsed_seconds"] == 65
    assert (shown["created_at"], shown["updated_at"]) == (
        "2027-01-15T08:00:00Z",
        "2027-01-15T08:01:00Z",
    )
    assert [
        (each["id"], each["label"], each["status"], each.get("session_key"), each["has_result"])
        for each in shown["tasks"]
    ] == [
        ("a", "Do a", "completed", "s-1", True),
        ("b", "Do b", "in_progress", "s-2", False),
        ("c", "Do c", "pending", None, False),
        ("d", "Do d", "pending", None, False),
    ]


@pytest.mark.requirement("S135")
def test_every_update_of_a_task_is_kept_as_an_event_with_its_time(
    engine: Engine, clock: Clock
) -> None:
    name = workflow(engine, "a", "b")
    for change in (start, complete):
        clock.move(60)
        change(engine, name, "a")
    for change in (start, fail):
        clock.move(60)
        change(engine, name, "b")

    told = engine.show_workflow(name, since=3)["events"]

    assert [(each["type"], each["task_id"], each["at"]) for each in told] == [
        ("task_started", "a", "2027-01-15T08:01:00Z"),
        ("task_completed", "a", "2027-01-15T08:02:00Z"),
        ("task_started", "b", "2027-01-15T08:03:00Z"),
        ("task_failed", "b", "2027-01-15T08:04:00Z"),
    ]


@pytest.mark.requirement("S256")
def test_the_ledger_is_an_sqlite_file_that_sqlite_utils_reads(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    engine = Engine(SqliteStore(path))
    made = engine.create_workflow("fan_out", tasks=[{"id": "a", "label": "Do it"}])

    with closing(sqlite_utils.Database(path, execute_plugins=False)) as db:
        rows = list(db["tasks"].rows)

    assert [(row["workflow_id"], row["id"], row["label"]) for row in rows] == [
        (made["workflow_id"], "a", "Do it")
    ]
    assert engine.templates.get(rows[0]["template"]).body.source.startswith("## Role")
    engine.store.close()
