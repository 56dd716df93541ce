"""Short ways to call a tool and look at its answer."""

import json
from typing import Any

from mcp import Client
from mcp_types import CallToolResult, TextContent


async def raw_call(client: Client, tool: str, /, **arguments: Any) -> CallToolResult:
    result = await client.call_tool(tool, arguments)
    assert isinstance(result, CallToolResult)
    return result


async def call(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """What the tool answers; it must not refuse."""
    result = await raw_call(client, tool, **arguments)
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    return result.structured_content


async def refusal(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """The error that the tool answers with, as data."""
    result = await raw_call(client, tool, **arguments)
    assert result.is_error
    assert result.structured_content is not None
    return result.structured_content["error"]


def text_of(result: CallToolResult) -> str:
    """The one text of an answer."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


async def read_json(client: Client, uri: str) -> Any:
    """The resource at `uri`, read as JSON."""
    return json.loads(await read_text(client, uri))


async def read_text(client: Client, uri: str) -> str:
    (contents,) = (await client.read_resource(uri)).contents
    return contents.model_dump()["text"]


def filled(uri: str, workflow_id: str, task_id: str) -> str:
    """The template `uri` for a task, and for a skill or prompt that there is."""
    name = "devops" if uri.startswith("contract:") else "research"
    slug = f"{workflow_id}%2F{task_id}"
    return uri.format(
        id=workflow_id,
        task_id=task_id,
        slug=slug,
        name=name,
        project="ours",
        target="SOUL.md",
        event="created",
        since="2026-02-14",
    )
