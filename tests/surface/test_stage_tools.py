"""The workflow engine by tools, in both eras."""

from typing import Any

import pytest
from mcp import Client

from relaybook.engine import Engine
from relaybook.engine.view.advice import timestamp
from tests.helpers import result
from tests.stages import HOOKS, HOOKS_WITH_FINDINGS, NAME, PROOF, STAGES, SUMMARY
from tests.surface.calls import call, read_json, refusal

pytestmark = pytest.mark.anyio

CORRECTED = result(
    {
        "files": [{"path": "src/a.py", "change": "TODO"}],
        "tests": [],
        "decisions": [],
        "findings": [],
    }
)


async def session(client: Client) -> str:
    """The playbook's session over MCP."""
    made = await call(client, "create_workflow", name=NAME, project="mpmp", stages=STAGES)
    said = {"workflow_id": made["workflow_id"]}
    assert made["summary"] == SUMMARY

    async def advance(**more: Any) -> dict[str, Any]:
        return await call(client, "advance_stage", **said, **more)

    await advance()
    await advance(stage=0, outcome="completed", **PROOF[0])
    await advance(stage=0, hooks_run=HOOKS_WITH_FINDINGS)
    await advance(stage=1, outcome="completed", **PROOF[1])
    await advance(stage=1, hooks_run=HOOKS)
    await advance(stage=2, outcome="completed", **PROOF[2])
    await call(client, "resolve", **said, decision="confirm", task_id="stage-2", reason="deployed")
    await advance(stage=2, hooks_run=HOOKS)
    await advance(stage=3, outcome="completed", **PROOF[3])
    assert (await advance(stage=3, hooks_run=HOOKS))["complete"] is True
    return made["workflow_id"]


@pytest.mark.requirement("S254", "A17")
async def test_advance_stage_says_by_code_what_is_in_the_way(client: Client) -> None:
    made = await call(client, "create_workflow", name=NAME, stages=STAGES)
    said = {"workflow_id": made["workflow_id"]}

    early = await refusal(client, "advance_stage", **said, stage=0, outcome="completed")
    await call(client, "advance_stage", **said)
    review = await call(client, "advance_stage", **said, stage=0, outcome="completed")
    held = await refusal(client, "advance_stage", **said)
    waiting = await call(client, "resolve", **said)
    await call(client, "resolve", **said, decision="waive", task_id="stage-0", reason="a spike")
    hooks = await refusal(client, "advance_stage", **said)

    assert early["code"] == "not_started"
    assert review["gate"]["items"][0]["rule"] == "min_artifacts"
    assert held["code"] == "in_review"
    assert [each["decisions"] for each in waiting["open"]] == [["waive"]]
    assert (hooks["code"], hooks["hooks"]) == ("hooks_pending", HOOKS)


@pytest.mark.requirement("A37")
@pytest.mark.parametrize(
    ("tool", "way", "status"),
    [
        ("advance_stage", {"stage": 0, "outcome": "completed", "output": CORRECTED}, "review"),
        (
            "advance_stage",
            {"stage": 0, "outcome": "failed", "error_code": "malformed_output", "output": "it is"},
            "failed",
        ),
        (
            "update_task",
            {"task_id": "stage-0", "status": "completed", "output": "it is", "accept_raw": True},
            "review",
        ),
    ],
    ids=["corrected", "failed", "raw"],
)
async def test_after_a_malformed_output_of_a_stage_each_way_that_is_told_works(
    client: Client, tool: str, way: dict[str, Any], status: str
) -> None:
    made = await call(client, "create_workflow", name=NAME, stages=STAGES)
    said = {"workflow_id": made["workflow_id"]}
    await call(client, "advance_stage", **said)

    error = await refusal(
        client, "advance_stage", **said, stage=0, outcome="completed", output="it is"
    )

    assert error["code"] == "malformed_output"
    assert "update_task(task_id='stage-0', status='completed', output=…, acc" in error["next"]
    assert not error["next"].endswith("…")
    assert (await call(client, tool, **said, **way))["status"] == status


async def test_a_hook_whose_output_is_malformed_can_be_named_alone(client: Client) -> None:
    made = await call(client, "create_workflow", name=NAME, stages=STAGES)
    said = {"workflow_id": made["workflow_id"]}
    await call(client, "advance_stage", **said)
    await call(client, "advance_stage", **said, stage=0, outcome="completed", **PROOF[0])
    bad = {"hook": "reflect", "output": "it is fine"}

    error = await refusal(client, "advance_stage", **said, stage=0, hooks_run=[bad])

    assert (error["code"], "with its name alone" in error["next"]) == ("malformed_output", True)
    named = await call(client, "advance_stage", **said, stage=0, hooks_run=["reflect"])
    assert [each["skill"] for each in named["hooks"]] == HOOKS


@pytest.mark.requirement("S184", "S208", "A15")
async def test_an_unknown_capability_is_refused_by_name(client: Client) -> None:
    stages = [{"capability": "deplyo", "goal": "x"}]

    made = await refusal(client, "create_workflow", stages=stages)
    found = await refusal(client, "find_skills", capabilities=["implement", "deplyo"])

    assert made["code"] == found["code"] == "unknown_capability"
    assert "'deplyo'" in made["message"]
    assert "deploy" in made["allowed"]


@pytest.mark.requirement("S205", "S206", "S207", "S210")
async def test_skills_are_found_by_what_they_can_and_need(client: Client) -> None:
    async def names(**wanted: Any) -> list[str]:
        answer = await call(client, "find_skills", **wanted)
        return [each["skill"] for each in answer.get("skills") or answer["pipeline"]]

    assert await names(capability="deploy") == ["devops"]
    assert await names(capability="verification") == ["sanity-check"]
    assert await names(capabilities=["implement", "deploy", "verification"]) == [
        "python-backend",
        "devops",
        "sanity-check",
    ]
    assert "python-backend" in await names(input="spec")
    assert "sanity-check" in await names(output="verdict")


@pytest.mark.requirement("S213", "S214", "S236")
async def test_items_lessons_health_and_contracts_are_resources(client: Client) -> None:
    await session(client)

    items = await read_json(client, "ledger://items")
    item = await read_json(client, "ledger://items/wf-implement-auth-refresh-stage-0")
    lessons = await read_json(client, "ledger://lessons")
    health = await read_json(client, "ledger://health")
    loop = await read_json(client, "ledger://loop")
    index = await read_json(client, "contract://index")
    contract = await read_json(client, "contract://devops")

    assert items["counts"] == {"done": 4}
    assert (item["status"], item["skill"]) == ("done", "python-backend")
    assert [each["status"] for each in lessons["lessons"]] == ["proposed"]
    assert health["skills"]["python-backend"]["passed"] == 2
    assert set(loop) == {"done", "learned", "changed"}
    assert index["capabilities"]["deploy"] == ["devops"]
    assert contract["name"] == "devops"


def timed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events as they are read, with times of ISO 8601."""
    return [event | {"at": timestamp(event["at"])} for event in events]


@pytest.mark.requirement("S257")
async def test_what_the_commands_about_items_show_are_resources(
    client: Client, engine: Engine
) -> None:
    await session(client)
    slug = "wf-implement-auth-refresh-stage-1"

    listed = await read_json(client, "ledger://items")
    tail = await read_json(client, f"ledger://items/{slug}/events")
    hooks = await read_json(client, "ledger://hooks/completed/2026-02-14")
    later = await read_json(client, "ledger://hooks/completed/2999-01-01")
    stats = await read_json(client, "ledger://stats")

    first, second, *_ = listed["items"]
    assert ("blockers" in first, second["blockers"]) == (False, [first["slug"]])
    assert tail["events"] == timed(engine.item_events(slug, limit=100))
    assert hooks["events"] == timed(engine.hook_events("completed", since="2026-02-14"))
    assert (len(hooks["events"]), later["events"]) == (4, [])
    assert stats["items"] == engine.items_stats()


async def test_an_orchestrator_that_lost_its_answer_is_led_on_by_every_tool(client: Client) -> None:
    made = await call(client, "create_workflow", name=NAME, stages=STAGES)
    said = {"workflow_id": made["workflow_id"]}
    await call(client, "advance_stage", **said)
    await call(client, "advance_stage", **said, stage=0, outcome="completed", **PROOF[0])

    shown = await call(client, "get_workflow", **said)
    resumed = await call(client, "get_workflow", **said, detail="resume")
    waiting = await call(client, "resolve", **said)
    started = {"task_id": "stage-1", "status": "in_progress"}
    blocked = await refusal(client, "update_task", **said, **started)

    assert resumed["hooks_due"] == [{"task_id": "stage-0", "hooks": HOOKS_WITH_FINDINGS}]
    assert [each["decisions"] for each in waiting["open"]] == [["waive"]]
    assert "advance_stage(stage=0, hooks_run=" in shown["next"]
    assert {resumed["next"], waiting["next"], blocked["next"]} == {shown["next"]}


async def test_advance_stage_refuses_a_workflow_of_tasks(client: Client) -> None:
    tasks = [{"id": "a", "label": "A", "template": "piece"}, {"id": "b", "label": "B"}]
    tasks[1] |= {"template": "piece"}
    made = await call(client, "create_workflow", pattern="pipeline", name="plain", tasks=tasks)

    refused = await refusal(client, "advance_stage", workflow_id=made["workflow_id"])

    assert refused["code"] == "invalid_arguments"
    assert "update_task or claim_task" in refused["allowed"]
