"""Short ways to results and to the digest of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcp import Client

from relaybook.engine import Engine
from tests.helpers import fail, result, start, update
from tests.surface.calls import call


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


FINDINGS = schema(
    findings={"type": "array", "x-merge": "union", "x-key": "file"},
    lines={"type": "integer", "x-merge": "sum"},
)


async def aggregate(client: Client, workflow_id: str, **said: Any) -> dict[str, Any]:
    return await call(client, "aggregate", workflow_id=workflow_id, **said)


async def every_page(client: Client, workflow_id: str, **said: Any) -> list[dict[str, Any]]:
    pages = [await aggregate(client, workflow_id, **said)]
    while "cursor" in pages[-1]:
        pages.append(await aggregate(client, workflow_id, cursor=pages[-1]["cursor"], **said))
    return pages


def entries(pages: Sequence[Mapping[str, Any]], section: str) -> list[Any]:
    return [entry for page in pages for entry in page.get(section, [])]


def do(engine: Engine, workflow_id: str, task_id: str, data: Any = None, **members: Any) -> Any:
    """Start the task and complete it with `data`; the answer."""
    start(engine, workflow_id, task_id)
    text = result(data, **members)
    return update(engine, workflow_id, task_id, "completed", output=text)


def break_down(engine: Engine, workflow_id: str, task_id: str, error: str) -> None:
    start(engine, workflow_id, task_id)
    fail(engine, workflow_id, task_id, error, error_code="timeout")
