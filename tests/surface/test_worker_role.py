"""A worker has its own task, the guides, and nothing of its siblings."""

from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS, ResourceTemplateReference

from relaybook.core.result.record import KINDS, OF_WORKER
from relaybook.engine import Engine
from relaybook.engine.readables.table import READABLES
from relaybook.store.base import Store
from relaybook.surface.tools import tools_for
from relaybook.surface.worker_words import NAMES, WORDS
from tests.helpers import dump, resolve, result, start, task, workflow
from tests.surface.calls import call, filled, refusal

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("S71", "A7")
async def test_a_worker_cannot_create_a_workflow(worker: Client) -> None:
    names = [each.name for each in (await worker.list_tools()).tools]

    error = await refusal(worker, "create_workflow", pattern="fan_out", tasks=[])

    assert names == [
        name for name in names if name in ("claim_task", "update_task", "read", "record")
    ]
    assert error["code"] == "unknown_tool"


@pytest.mark.requirement("S71", "A7")
@pytest.mark.parametrize("presented", ["claim", "parent_task_id"])
async def test_a_workflow_made_in_the_name_of_a_task_is_refused(
    client: Client, engine: Engine, ledger: Store, presented: str
) -> None:
    claim = start(engine, workflow(engine, "a"), "a")
    before = dump(ledger)

    said = {presented: claim if presented == "claim" else "a"}
    error = await refusal(client, "create_workflow", pattern="fan_out", tasks=[task("b")], **said)

    assert (error["code"], repr(presented) in error["message"]) == ("invalid_arguments", True)
    assert dump(ledger) == before


@pytest.mark.requirement("A7")
async def test_a_worker_claims_and_finishes_its_task(worker: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")

    claimed = await call(worker, "claim_task")
    done = await call(
        worker, "update_task", claim=claimed["claim"], status="completed", output=result(1)
    )

    assert (claimed["task_id"], done["status"]) == ("a", "completed")
    assert engine.show_workflow(workflow_id)["status"] == "completed"


@pytest.mark.requirement("A7")
async def test_a_worker_cannot_name_a_task_to_update(worker: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")
    start(engine, workflow_id, "a")

    for named in ({"workflow_id": workflow_id}, {"task_id": "a"}):
        error = await refusal(worker, "update_task", claim="x", status="failed", error="x", **named)
        assert error["code"] == "invalid_arguments"
    error = await refusal(worker, "update_task", claim="x", status="failed", error="x")
    assert error["code"] == "stale_claim"


async def test_a_worker_reads_its_own_task_with_its_claim(worker: Client, engine: Engine) -> None:
    workflow(engine, "a", "b")
    claimed = await call(worker, "claim_task")
    uri = f"ledger://workflows/{claimed['workflow_id']}/tasks/{claimed['task_id']}"

    again = await call(worker, "read", uri=f"{uri}/prompt", claim=claimed["claim"])
    shown = await call(worker, "read", uri=uri, claim=claimed["claim"])

    assert again["text"] == claimed["prompt"]
    assert '"status":"in_progress"' in shown["text"]


async def test_a_worker_reads_nothing_else_of_the_ledger(worker: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a", "b")
    claimed = await call(worker, "claim_task")
    sibling = "b" if claimed["task_id"] == "a" else "a"

    for each in READABLES:
        if each.worker != "all":
            uri = filled(each.uri, workflow_id, sibling)
            error = await refusal(worker, "read", uri=uri, claim=claimed["claim"])
            assert error["code"] == "forbidden"
            error = await refusal(worker, "read", uri=uri)
            assert error["code"] == "forbidden"
    error = await refusal(
        worker, "read", uri=f"ledger://workflows/{workflow_id}/tasks/a", claim="x"
    )
    assert error["code"] == "stale_claim"


async def test_the_resources_of_a_worker_are_the_guides_and_contracts(
    worker: Client, engine: Engine
) -> None:
    workflow_id = workflow(engine, "a")

    listed = [each.uri for each in (await worker.list_resources()).resources]
    with pytest.raises(MCPError) as caught:
        await worker.read_resource(f"ledger://workflows/{workflow_id}")

    templates = (await worker.list_resource_templates()).resource_templates
    assert listed + [each.uri_template for each in templates] == [
        each.uri for each in READABLES if each.worker == "all"
    ]
    assert all(uri.startswith(("guide://", "contract://")) for uri in listed)
    assert (await worker.list_prompts()).prompts == []
    with pytest.raises(MCPError, match="There is no prompt"):
        await worker.get_prompt("deal_review", {})
    assert caught.value.error.code == INVALID_PARAMS
    assert workflow_id not in caught.value.error.message


async def test_nothing_of_the_ledger_is_completed_for_a_worker(
    worker: Client, engine: Engine
) -> None:
    workflow(engine, "a")

    ref = ResourceTemplateReference(type="ref/resource", uri="ledger://workflows/{id}")
    found = await worker.complete(ref, {"name": "id", "value": ""})

    assert found.completion.values == []


@pytest.mark.requirement("S85")
async def test_a_workers_failure_is_recorded_whatever_code_it_names(
    worker: Client, engine: Engine
) -> None:
    workflow(engine, "a")
    claim = (await call(worker, "claim_task"))["claim"]

    said = {"claim": claim, "status": "failed", "error": "no key", "error_code": "auth"}
    answer = await call(worker, "update_task", **said)

    assert answer["error"] == {"code": "unknown", "message": "auth: no key", "suggested": True}


@pytest.mark.requirement("A7")
@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("user_told", {}),
        ("handoff", {"to": "devops"}),
        ("review", dict.fromkeys(("satisfied", "looping", "progressing"), True)),
    ],
)
async def test_a_worker_does_not_record_what_its_orchestrator_says(
    worker: Client, engine: Engine, ledger: Store, kind: str, entry: dict[str, Any]
) -> None:
    workflow(engine, "a")
    claim = (await call(worker, "claim_task"))["claim"]
    before = dump(ledger)

    error = await refusal(worker, "record", claim=claim, kind=kind, entries=[entry])

    assert (error["code"], dump(ledger)) == ("forbidden", before)
    assert "artifact" in error["allowed"]


async def test_a_kind_that_there_is_not_names_those_of_the_role(
    worker: Client, client: Client, engine: Engine
) -> None:
    workflow_id = workflow(engine, "a")
    claim = (await call(worker, "claim_task"))["claim"]

    mine = await refusal(worker, "record", claim=claim, kind="nope", entries=[{}])
    all_of_them = await refusal(
        client, "record", workflow_id=workflow_id, task_id="a", kind="nope", entries=[{}]
    )

    assert set(mine["allowed"].split(", ")) == OF_WORKER
    assert set(all_of_them["allowed"].split(", ")) == set(KINDS)


async def test_a_worker_is_told_only_ways_on_that_it_has(worker: Client, engine: Engine) -> None:
    workflow(engine, task("a", template="counted"))
    claim = (await call(worker, "claim_task"))["claim"]

    done = {"claim": claim, "status": "completed"}
    told = await refusal(worker, "update_task", **done, output=result({"count": "many"}))

    assert told["code"] == "malformed_output"
    assert "accept_raw" not in told["next"]
    corrected = await call(worker, "update_task", **done, output=result({"count": 1}))
    assert corrected["status"] == "completed"


def foreign(told: dict[str, Any]) -> list[str]:
    """The tools that a worker does not have and is told of all the same."""
    return [name for name in NAMES if name in told.get("allowed", "") + told.get("next", "")]


def test_the_tools_that_a_worker_is_not_told_of_are_those_that_it_does_not_have(
    engine: Engine,
) -> None:
    every = {tool.name for tool in tools_for(engine, "all")}

    assert {*NAMES, *WORDS} == every - {tool.name for tool in tools_for(engine, "worker")}


async def test_a_worker_that_names_no_workflow_of_ours_claims_without_one(
    worker: Client, engine: Engine
) -> None:
    workflow_id = workflow(engine, "a")

    told = await refusal(worker, "claim_task", workflow_id="wf_00000000")
    claimed = await call(worker, "claim_task")

    assert told["code"] == "unknown_workflow"
    assert workflow_id not in told["allowed"]
    assert "call claim_task without workflow_id" in told["next"]
    assert claimed["task_id"] == "a"


async def test_a_worker_of_a_cancelled_workflow_is_told_how_it_frees_what_it_writes(
    worker: Client, engine: Engine
) -> None:
    workflow_id = workflow(engine, task("a", writes=["docs/"]))
    claim = (await call(worker, "claim_task"))["claim"]
    resolve(engine, workflow_id, "cancel")

    told = await refusal(worker, "update_task", claim=claim, status="in_progress")
    freed = await call(worker, "update_task", claim=claim, status="pending")

    assert (told["code"], foreign(told)) == ("workflow_ended", [])
    assert "update_task(status='pending', claim)" in told["next"]
    assert freed["task_id"] == "a"


async def test_a_worker_that_reads_its_result_before_there_is_one_goes_on(
    worker: Client, engine: Engine
) -> None:
    workflow_id = workflow(engine, "a")
    claim = (await call(worker, "claim_task"))["claim"]

    uri = f"ledger://workflows/{workflow_id}/tasks/a/result"
    told = await refusal(worker, "read", uri=uri, claim=claim)

    assert foreign(told) == []
    assert told["next"].startswith("go on with your task")


async def test_the_arguments_of_a_tool_are_named_once(worker: Client) -> None:
    told = await refusal(worker, "record", clam="x", kind="finding", entries=[])

    assert sorted(told["allowed"].split(", ")) == ["claim", "entries", "kind"]
