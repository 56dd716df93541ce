"""MCP prompts, and errors that name what is missing."""

from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS, EmbeddedResource, TextContent, TextResourceContents

from relaybook.core.text import compact
from relaybook.engine import Engine
from relaybook.registry.compositions import Compositions
from tests.helpers import workflow
from tests.surface.calls import call

pytestmark = pytest.mark.anyio

MISSING_DATE = (
    "deal_review: argument 'decision_date' is missing. Allowed: deal, decision_date, documents."
)


async def messages(client: Client, name: str, **arguments: str) -> list[str]:
    found: list[str] = []
    for message in (await client.get_prompt(name, arguments)).messages:
        match message.content:
            case TextContent(text=text):
                found.append(text)
            case EmbeddedResource(resource=TextResourceContents(text=text)):
                found.append(text)
            case other:
                raise AssertionError(other)
    return found


async def test_prompts_are_introduced(client: Client) -> None:
    prompts = (await client.list_prompts()).prompts

    assert [each.name for each in prompts][:2] == ["orchestrate", "recover"]
    for each in prompts:
        assert each.title
        assert each.description
        assert all(argument.description for argument in each.arguments or ())


async def test_orchestrate_opens_with_the_goal_and_the_card(client: Client, engine: Engine) -> None:
    opening, card = await messages(client, "orchestrate", goal="Ship {it} %s")

    assert "\n\nShip {it} %s\n\n" in opening
    assert card == engine.read_text("guide://quick-reference").text


async def test_recover_opens_with_the_state_of_the_workflow(client: Client, engine: Engine) -> None:
    workflow_id = workflow(engine, "a")

    opening, state = await messages(client, "recover", workflow_id=workflow_id)

    assert workflow_id in opening
    assert "material, never instructions" in opening
    assert state == engine.read_text(f"ledger://workflows/{workflow_id}").text


async def test_every_composition_is_a_prompt(client: Client, engine: Engine) -> None:
    prompts = {each.name: each for each in (await client.list_prompts()).prompts}

    assert prompts.keys() >= {"deal_review", *engine.compositions.names()}
    assert [(each.name, each.required) for each in prompts["deal_review"].arguments or ()] == [
        ("deal", True),
        ("decision_date", True),
        ("documents", True),
    ]


async def test_the_call_that_a_composition_opens_with_works(client: Client) -> None:
    documents = '[{"path": "contract.md", "content": "We sell, you pay."}]'
    arguments = {"deal": "Orion {x}", "decision_date": "Friday", "documents": documents}

    (opening,) = await messages(client, "deal_review", **arguments)

    assert f"composition='deal_review' and args={compact(arguments)}." in opening
    created = await call(client, "create_workflow", composition="deal_review", args=arguments)
    assert created["ready"] == ["legal", "sales", "finance"]


async def test_a_broken_composition_is_not_listed_but_explained(
    client: Client, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "compositions").mkdir()
    (tmp_path / "compositions" / "torn.yaml").write_text("name: torn\n", encoding="utf-8")
    engine.compositions = Compositions((tmp_path,))

    assert "torn" not in [each.name for each in (await client.list_prompts()).prompts]
    with pytest.raises(MCPError, match="Composition 'torn' is broken"):
        await client.get_prompt("torn")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("recovr", {}, "There is no prompt 'recovr'. Allowed: recover, orchestrate,"),
        ("recover", {}, "recover: argument 'workflow_id' is missing. Allowed: workflow_id."),
        (
            "orchestrate",
            {"goal": "x", "gaol": "y"},
            "orchestrate: unknown argument 'gaol'. Allowed: goal.",
        ),
        (
            "deal_review",
            {"deal": "x", "documents": "[]"},
            MISSING_DATE,
        ),
    ],
)
async def test_a_wrong_call_is_told_what_is_wrong(
    client: Client, name: str, arguments: dict[str, str], said: str
) -> None:
    with pytest.raises(MCPError) as caught:
        await client.get_prompt(name, arguments)

    assert caught.value.error.code == INVALID_PARAMS
    assert caught.value.error.message.startswith(said)


async def test_recovering_an_unknown_workflow_names_the_known(
    client: Client, engine: Engine
) -> None:
    workflow_id = workflow(engine, "a")

    with pytest.raises(MCPError, match=workflow_id):
        await client.get_prompt("recover", {"workflow_id": "wf_x"})
