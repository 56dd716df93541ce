"""The ledger as the demo sees it: the tools of a real server, called over stdio by MCP."""

import json
from collections.abc import AsyncIterator
from typing import Any

from mcp import Client


class McpLedger:
    """The few calls that the demo makes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(self, **plan: Any) -> dict[str, Any]:
        return await self._call("create_workflow", **plan)

    async def workflow(self, workflow_id: str, **more: Any) -> dict[str, Any]:
        """Its state; with `since` and `wait_seconds`, after the next change."""
        return await self._call("get_workflow", workflow_id=workflow_id, **more)

    async def tasks(self, workflow_id: str) -> list[dict[str, Any]]:
        """A line for each task, in the order of the plan."""
        pages = self._pages("get_workflow", "tasks", workflow_id=workflow_id, detail="detailed")
        return [task async for task in pages]

    async def summary(self, workflow_id: str) -> dict[str, Any]:
        """The first page of the digest: counts, coverage, gaps, and the honest sentence."""
        return await self._call("aggregate", workflow_id=workflow_id)

    async def results(self, workflow_id: str) -> AsyncIterator[dict[str, Any]]:
        """The data of each completed task, read by the link that the digest gives."""
        async for task in self._pages("aggregate", "tasks", workflow_id=workflow_id):
            if task["status"] == "completed":
                yield await self._read(task["link"])

    async def _read(self, uri: str) -> dict[str, Any]:
        text = "".join([part async for part in self._parts(uri)])
        return json.loads(text)["data"]

    async def _parts(self, uri: str) -> AsyncIterator[str]:
        page = await self._call("read", uri=uri)
        yield page["text"]
        while cursor := page.get("cursor"):
            page = await self._call("read", uri=uri, cursor=cursor)
            yield page["text"]

    async def _pages(
        self, tool: str, section: str, **arguments: Any
    ) -> AsyncIterator[dict[str, Any]]:
        page = await self._call(tool, **arguments)
        while True:
            for entry in page.get(section, ()):
                yield entry
            if not page.get("cursor"):
                return
            page = await self._call(tool, **arguments, cursor=page["cursor"])

    async def _call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self._client.call_tool(tool, arguments)
        if result.is_error or result.structured_content is None:
            raise SystemExit(f"{tool} was refused: {result.content}")
        return result.structured_content
