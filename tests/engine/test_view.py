"""What is shown of workflows, and how much of it."""

import json
from typing import Any

import pytest

from relaybook.engine import Engine
from relaybook.errors import (
    InvalidArguments,
    InvalidPlan,
)
from tests.helpers import Clock, complete, fail, resolve, start, task, workflow


@pytest.mark.requirement("S119")
def test_a_concise_answer_stays_under_4_kb_for_2000_tasks(engine: Engine) -> None:
    name = workflow(engine, *(task(f"t{n:0127}", label="w" * 300) for n in range(2_000)))
    for _ in range(3):
        answer = engine.claim_task(name, session_key="s" * 200)
        fail(engine, name, answer["task_id"], "e" * 2_000)

    answer = engine.show_workflow(name)

    assert len(json.dumps(answer, ensure_ascii=False)) <= 4_000
    assert len(json.dumps(engine.show_workflow(name, detail="detailed"))) <= 20_000


def test_a_list_of_workflows_stays_under_4_kb(engine: Engine) -> None:
    names = {workflow(engine, "a", project="p" * 200) for _ in range(30)}

    seen, cursor = list[str](), ""
    while cursor or not seen:
        page = engine.list_workflows(cursor=cursor)
        assert len(json.dumps(page)) <= 4_000
        seen += [each["workflow_id"] for each in page["workflows"]]
        cursor = page.get("cursor", "")

    assert (len(seen), set(seen)) == (30, names)


def rest(engine: Engine, page: dict[str, Any], **said: Any) -> list[str]:
    """The ids of the workflows on the pages after `page`."""
    seen: list[str] = []
    while "cursor" in page:
        page = engine.list_workflows(cursor=page["cursor"], **said)
        seen += ids(page)
    return seen


def ids(page: dict[str, Any]) -> list[str]:
    return [each["workflow_id"] for each in page["workflows"]]


def made(engine: Engine, clock: Clock) -> list[str]:
    """Thirty workflows, that of the newest change first."""
    names: list[str] = []
    for _ in range(30):
        names.insert(0, workflow(engine, "a"))
        clock.move(1)
    return names


def test_what_leaves_a_list_while_it_is_read_takes_no_other_with_it(
    engine: Engine, clock: Clock
) -> None:
    names = made(engine, clock)

    first = engine.list_workflows(active=True)
    for name in ids(first)[:3]:
        resolve(engine, name, "cancel", reason="not needed")
    following = rest(engine, first, active=True)

    assert ids(first) + following == names


def test_what_changes_while_a_list_is_read_is_told_at_its_end_and_the_rest_once(
    engine: Engine, clock: Clock
) -> None:
    names = made(engine, clock)
    told, untold = names[1], names[-1]

    first = engine.list_workflows()
    for name in (untold, told):
        clock.move(1)
        start(engine, name, "a")
    following = rest(engine, first)

    assert ids(first) + following == [*names[:-1], untold, told]


def test_the_last_page_says_how_many_changed_meanwhile(engine: Engine, clock: Clock) -> None:
    names = made(engine, clock)
    page = engine.list_workflows()
    clock.move(1)
    start(engine, names[-1], "a")

    while "cursor" in page:
        page = engine.list_workflows(cursor=page["cursor"])

    assert "1 of them changed since the first page" in page["summary"]


@pytest.mark.parametrize(
    "cursor", ["13", "1.0,2.0,", "1.0,2.0,wf_1;", "\u0661.0,2.0,wf_1", "x" * 500]
)
def test_a_cursor_that_no_list_gave_is_refused(engine: Engine, cursor: str) -> None:
    with pytest.raises(InvalidArguments, match="is not one that relaybook gave"):
        engine.list_workflows(cursor=cursor)


def test_pages_hold_every_task_once(engine: Engine) -> None:
    name = workflow(engine, *(f"t{n}" for n in range(100)))

    seen, cursor = list[str](), ""
    while cursor or not seen:
        page = engine.show_workflow(name, cursor=cursor)
        seen += [each["id"] for each in page["tasks"]]
        cursor = page.get("cursor", "")

    assert seen == [f"t{n}" for n in range(100)]


@pytest.mark.requirement("S131", "S142")
def test_workflows_are_listed_by_last_change_and_the_active_alone(
    engine: Engine, clock: Clock
) -> None:
    names: list[str] = []
    for _ in range(3):
        names.append(workflow(engine, "a"))
        clock.move(1)
    start(engine, names[0], "a")
    clock.move(1)
    start(engine, names[1], "a")
    complete(engine, names[1], "a")

    everything = [each["workflow_id"] for each in engine.list_workflows()["workflows"]]
    active = [each["workflow_id"] for each in engine.list_workflows(active=True)["workflows"]]

    assert everything == [names[1], names[0], names[2]]
    assert active == [names[0], names[2]]


@pytest.mark.requirement("S177")
def test_what_is_late_in_any_active_workflow_is_seen_at_a_glance(
    engine: Engine, clock: Clock
) -> None:
    ended, slow = workflow(engine, "a"), workflow(engine, "a", "b")
    start(engine, slow, "a")
    start(engine, ended, "a")
    clock.move(601)
    complete(engine, ended, "a")
    calm = workflow(engine, "a")

    told = engine.list_workflows(active=True)

    flags = ("overdue", "stalled", "update_due")
    assert {
        row["workflow_id"]: {flag: row[flag] for flag in flags if flag in row}
        for row in told["workflows"]
    } == {slow: {"overdue": ["a"], "stalled": True, "update_due": True}, calm: {}}
    assert told["summary"] == "2 workflow(s); 1 stalled, 1 overdue, 1 update_due"


@pytest.mark.requirement("S121")
def test_a_workflow_of_over_ten_minutes_wants_the_user_told(engine: Engine, clock: Clock) -> None:
    name = workflow(engine, "a")
    start(engine, name, "a")

    clock.move(600)
    assert "update_due" not in engine.show_workflow(name)
    clock.move(1)
    assert engine.show_workflow(name)["update_due"] is True


@pytest.mark.requirement("S75")
def test_a_task_past_its_timeout_is_overdue(engine: Engine, clock: Clock) -> None:
    name = workflow(engine, "a")
    start(engine, name, "a")

    clock.move(601)

    assert engine.show_workflow(name)["overdue"] == ["a"]


@pytest.mark.parametrize("wrong", [{"tasks": []}, {"tasks": [task("a")], "items": ["x"]}])
def test_a_plan_is_tasks_or_items(engine: Engine, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidPlan):
        engine.create_workflow("fan_out", **wrong)
