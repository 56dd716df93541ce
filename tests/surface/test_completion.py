"""Completion: what fits what was typed, for templates and prompts."""

from collections.abc import Mapping

import pytest
from mcp import Client
from mcp_types import PromptReference, ResourceTemplateReference

from relaybook.engine import Engine
from tests.helpers import Clock, task, workflow
from tests.stages import PROOF, advance, staged

pytestmark = pytest.mark.anyio

WORKFLOW = "ledger://workflows/{id}"
PATCH = "ledger://lessons/{project}/{target}"
TASK = "ledger://workflows/{id}/tasks/{task_id}"


async def completed(
    client: Client, uri: str, name: str, typed: str, chosen: Mapping[str, str] | None = None
) -> list[str]:
    ref = ResourceTemplateReference(type="ref/resource", uri=uri)
    result = await client.complete(
        ref, {"name": name, "value": typed}, context_arguments=dict(chosen or {})
    )
    return result.completion.values


async def test_workflows_come_newest_first(client: Client, engine: Engine, clock: Clock) -> None:
    older = workflow(engine, "a")
    clock.move(1)
    newer = workflow(engine, "a")

    assert await completed(client, WORKFLOW, "id", "") == [newer, older]


async def test_a_workflow_is_found_by_any_part_of_id_or_name(
    client: Client, engine: Engine
) -> None:
    tasks = [task("a")]
    audit = engine.create_workflow("fan_out", "Audit 100%_done", tasks=tasks)["workflow_id"]
    other = engine.create_workflow("fan_out", "Docs 100 done", tasks=tasks)["workflow_id"]

    assert await completed(client, WORKFLOW, "id", "udit") == [audit]
    assert await completed(client, WORKFLOW, "id", "100%_") == [audit]
    assert await completed(client, WORKFLOW, "id", other[-3:]) == [other]


async def test_tasks_are_those_of_the_workflow_chosen(client: Client, engine: Engine) -> None:
    workflow(engine, "elsewhere")
    workflow_id = workflow(engine, "one", "two", task("three", label="Number 2"))

    assert await completed(client, TASK, "task_id", "", {"id": workflow_id}) == [
        "one",
        "two",
        "three",
    ]
    assert await completed(client, TASK, "task_id", "2", {"id": workflow_id}) == ["three"]
    assert await completed(client, TASK, "task_id", "") == []


async def test_templates_that_begin_with_what_was_typed_come_first(client: Client) -> None:
    found = await completed(client, "prompt://{name}", "name", "re")

    assert found[0].startswith("re")
    assert "hook_reflect" in found
    assert all("re" in name for name in found)


async def test_names_of_events_and_the_last_days_are_offered(client: Client, clock: Clock) -> None:
    clock.now = 1_771_027_199.0  # 2026-02-13T23:59:59Z
    uri = "ledger://hooks/{event}/{since}"

    assert await completed(client, uri, "event", "comp") == ["completed"]
    assert (await completed(client, uri, "since", "2026-02"))[:2] == ["2026-02-13", "2026-02-12"]


async def test_no_more_than_a_hundred_values_are_sent(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, *[task(f"t{n}") for n in range(130)])

    ref = ResourceTemplateReference(type="ref/resource", uri=TASK)
    argument = {"name": "task_id", "value": "t"}
    result = await client.complete(ref, argument, context_arguments={"id": workflow_id})

    assert result.completion.values == [f"t{n}" for n in range(100)]
    assert (result.completion.total, result.completion.has_more) == (130, True)


async def test_the_argument_of_a_prompt_is_completed(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")

    ref = PromptReference(type="ref/prompt", name="recover")
    result = await client.complete(ref, {"name": "workflow_id", "value": "wf"})

    assert result.completion.values == [workflow_id]


async def test_an_argument_of_a_composition_is_completed_from_its_values(client: Client) -> None:
    ref = PromptReference(type="ref/prompt", name="documentation_sweep")

    found = [
        (await client.complete(ref, {"name": name, "value": "re"})).completion.values
        for name in ("doc_type", "audience", "nothing")
    ]

    assert found == [["reference", "readme"], [], []]


async def test_compositions_are_among_the_prompts_that_can_be_read(client: Client) -> None:
    assert await completed(client, "prompt://{name}", "name", "deal_review") == [
        "deal_review",
        "deal_review_domain",
    ]


@pytest.mark.parametrize(
    ("uri", "name"), [("ledger://workflows/{id}", "task_id"), ("nope://{id}", "id"), ("", "")]
)
async def test_what_is_no_variable_has_no_values(client: Client, uri: str, name: str) -> None:
    assert await completed(client, uri, name, "") == []


async def test_much_text_typed_is_no_fault(client: Client) -> None:
    assert await completed(client, WORKFLOW, "id", "%" * 100_000) == []


async def test_lessons_are_found_by_project_and_file(client: Client, engine: Engine) -> None:
    workflow_id = staged(engine, "implement")
    advance(engine, workflow_id)
    advance(engine, workflow_id, 0, outcome="completed", **PROOF[0])

    assert await completed(client, PATCH, "project", "mp") == ["mpmp"]
    assert await completed(client, PATCH, "target", "") == ["skill:python-backend"]
