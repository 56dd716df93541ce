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
from tests.helpers import complete, start, task, workflow


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
def test_a_status_says_all_that_is_asked_of_one(engine: Engine) -> None:
    name = workflow(engine, task("a"), task("b"))
    start(engine, name, "a", session_key="s-1")
    complete(engine, name, "a")
    start(engine, name, "b", session_key="s-2")

    shown = engine.show_workflow(name)

    assert shown["workflow_id"] == name
    assert (shown["type"], shown["status"]) == ("fan_out", "in_progress")
    assert shown["progress"] == "1/2 complete"
    assert shown["counts"] == {"in_progress": 1, "completed": 1}
    assert shown["elapsed_seconds"] == 0
    assert shown["created_at"] == shown["updated_at"] == "2027-01-15T08:00:00Z"
    assert [
        (each["id"], each["label"], each["status"], each.get("session_key"), each["has_result"])
        for each in shown["tasks"]
    ] == [
        ("a", "Do a", "completed", None, True),
        ("b", "Do b", "in_progress", "s-2", False),
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
