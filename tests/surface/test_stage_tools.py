"""The workflow engine by tools, in both eras, and the same session by Python."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from relaybook.engine import Engine
from relaybook.playbook import WorkflowEngine
from relaybook.store.base import Store
from tests.helpers import Clock, dump, engine_on, open_ledger
from tests.stages import HOOKS, HOOKS_WITH_FINDINGS, NAME, PROOF, STAGES, SUMMARY
from tests.surface.calls import call, read_json, refusal

pytestmark = pytest.mark.anyio


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


def python_session(engine: Engine) -> None:
    """The same by Python."""
    playbook = WorkflowEngine(engine)
    wf = playbook.create_pipeline(name=NAME, project="mpmp", stages=STAGES)
    assert wf.summary() == SUMMARY
    for index, proof in enumerate(PROOF):
        stage = playbook.advance(wf)
        assert stage is not None
        assert (stage.index, stage.status) == (index, "in_progress")
        done = playbook.complete_stage(wf, stage_index=index, **proof)
        if done.answer["status"] == "review":
            playbook.confirm_stage(wf, stage_index=index, reason="deployed")
        hooks = playbook.get_post_hook_tasks(wf, stage_index=index)
        assert all("## Output Interface" in hook["description"] for hook in hooks)
        playbook.mark_post_hooks_run(wf, stage_index=index)
        assert playbook.get_post_hook_tasks(wf, stage_index=index) == []
    assert playbook.advance(wf) is None


def comparable(store: Store) -> dict[str, Any]:
    """The rows but for what is drawn by chance: the nonces of prompts, and so their hashes."""
    rows = dump(store)
    prompt = 12
    rows["attempts"] = [row[:prompt] + row[prompt + 1 :] for row in rows["attempts"]]
    rows["events"] = [(*row[:-1], _without_prompt(row[-1])) for row in rows["events"]]
    rows["texts"] = [row for row in rows["texts"] if not row[2].startswith("## Role")]
    return {table: sorted(found, key=repr) for table, found in rows.items()}


def _without_prompt(data: str) -> Any:
    return {k: v for k, v in json.loads(data).items() if k not in ("prompt", "claim")}


@pytest.mark.requirement("S179", "S180", "S202", "A28")
async def test_the_playbooks_session_leaves_the_same_ledger_by_tools_and_by_python(
    client: Client, ledger: Store, clock: Clock, tmp_path: Path
) -> None:
    await session(client)
    (tmp_path / "python").mkdir()
    other = open_ledger("sqlite", tmp_path / "python")
    python_session(engine_on(other, Clock(clock.now)))

    by_tools, by_python = comparable(ledger), comparable(other)
    other.close()

    for table in ("workflows", "edges", "lessons", "skill_stats", "texts"):
        assert by_tools[table] == by_python[table], table
    assert [event[1:] for event in by_tools["events"]] == [e[1:] for e in by_python["events"]]
    assert len(by_tools["attempts"]) == len(by_python["attempts"]) == 4


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
