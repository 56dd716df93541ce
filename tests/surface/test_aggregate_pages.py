"""The digest at any time: before, between and after results, a bounded page at a time."""

from typing import Any

import pytest
from mcp import Client

from relaybook.core.digest.brief import RULE
from relaybook.core.text import compact
from relaybook.engine import Engine
from tests.helpers import Clock, resolve, start, task, workflow
from tests.surface.calls import call, refusal
from tests.surface.digests import FINDINGS, aggregate, break_down, do, entries, every_page

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("S101", "S102", "S108")
async def test_it_works_before_any_start_in_the_middle_after_a_loss_and_after_cancel(
    client: Client, engine: Engine, clock: Clock
) -> None:
    name = workflow(engine, "a", "b", "c")
    before = await aggregate(client, name)
    do(engine, name, "a", 1, summary="done")
    start(engine, name, "b")
    middle = await aggregate(client, name)
    clock.move(7_200)
    lost = await aggregate(client, name)
    await call(client, "resolve", workflow_id=name, decision="cancel", reason="no use")
    cancelled = await aggregate(client, name)

    def told(found: dict[str, Any]) -> tuple[str, dict[str, int], list[str]]:
        return found["summary"], found["counts"], [gap["reason"] for gap in found["gaps"]]

    rest = "Failed tasks: []. Partial results available."
    assert told(before) == (
        "0 of 3 tasks completed.",
        {"total": 3, "completed": 0, "failed": 0, "not_started": 3},
        ["not started"] * 3,
    )
    assert told(middle) == (
        f"1 of 3 tasks completed. {rest}",
        {"total": 3, "completed": 1, "failed": 0, "not_started": 1, "running": 1},
        ["no result yet", "not started"],
    )
    gone = "no sign of life since its lease ran out; its session may be lost"
    assert told(lost) == (
        f"1 of 3 tasks completed. {rest}",
        {"total": 3, "completed": 1, "failed": 0, "not_started": 1, "unknown": 1},
        [gone, "not started"],
    )
    assert cancelled["status"] == "cancelled"
    assert cancelled["summary"] == f"1 of 3 tasks completed. {rest}"
    assert [line.get("summary") for line in cancelled["tasks"]] == ["done", None, None]
    assert len(cancelled["gaps"]) == 2
    for found in (before, middle, lost, cancelled):
        assert found["brief"]["rule"] == RULE


async def test_results_that_come_between_two_pages_are_named(
    client: Client, engine: Engine
) -> None:
    names = [f"t{number:02}" for number in range(40)]
    name = workflow(engine, *names)
    for one in names[:30]:
        do(engine, name, one, 1, summary="word " * 40)

    first = await aggregate(client, name)
    quiet = await aggregate(client, name, cursor=first["cursor"])
    do(engine, name, "t35", 1)
    do(engine, name, "t31", 1)
    following = await aggregate(client, name, cursor=quiet["cursor"])
    last = following
    while "cursor" in last:
        last = await aggregate(client, name, cursor=last["cursor"])

    assert "changed" not in quiet
    assert following["changed"] == {"since_seq": first["seq"], "tasks": "t31, t35"}
    assert last["changed"] == following["changed"]
    assert last["next"] == "aggregate without a cursor: tasks changed while you read"
    assert "changed" not in await aggregate(client, name)


@pytest.mark.parametrize("cursor", ["2", "tasks:3", "tasks:3@99999", "x:1@1", "tasks:3@²"])
async def test_a_cursor_that_no_digest_gave_is_refused(
    client: Client, engine: Engine, cursor: str
) -> None:
    name = workflow(engine, "a")

    error = await refusal(client, "aggregate", workflow_id=name, cursor=cursor)

    assert (error["code"], "leave the cursor out" in error["next"]) == ("invalid_arguments", True)


HOSTILE = ('"\\', "🧀", "\n\t", "\u200b")


@pytest.mark.parametrize("pattern", ["fan_out", "pipeline", "supervisor", "expert_panel"])
async def test_no_size_of_ids_texts_and_lists_makes_an_answer_too_long(
    client: Client, engine: Engine, pattern: str
) -> None:
    names = [f"{number:02}{'x' * 126}" for number in range(14)]
    plan = [
        task(
            one,
            label="🧀" * 300,
            schema=FINDINGS,
            expert_role=f"{number} " + '"\\' * 90,
            parent_actions=[{"action": "🧀" * 200, "tier": "T4"}],
        )
        for number, one in enumerate(names)
    ]
    options = {"brief": "🧀" * 3_000, "acceptance": ['"' * 500] * 9}
    metadata = {"audience": "🧀" * 200}
    name = workflow(engine, *plan, pattern=pattern, metadata=metadata, options=options)
    for one, odd in zip(names, HOSTILE, strict=False):
        text = odd * 300
        data = {
            "findings": [{"file": f"{number} {text}", "why": text} for number in range(5)],
            "lines": 10**300,
            "verdict": 1,
            "blockers": [text] * 5,
            text: {"deep": [[[[text] * 3] * 2]], "own": one},
        }
        do(engine, name, one, data, summary=text, confidence="low", gaps=[f"left out: {text}"])
        resolve(engine, name, "confirm", task_id=one, reason=f"done{odd * 2_000}")
    for one in names[4:5] if pattern == "pipeline" else names[4:7]:
        break_down(engine, name, one, "🧀" * 5_000)

    for detail, limit in (("concise", 4_000), ("detailed", 20_000)):
        pages = await every_page(client, name, detail=detail)
        assert [line["task_id"] for line in entries(pages, "tasks")] == names
        assert len(entries(pages, "gaps")) == 14
        assert max(len(compact(page).encode()) for page in pages) <= limit
