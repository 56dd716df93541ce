"""An agent of pydantic-ai that runs a whole workflow: python scripted_agent.py COMMAND|URL

It runs where the framework is installed, apart from us. Its model is a script: it sees the tools
and their answers as a model would, and takes from them what it needs for the next call.
"""
# pyright: reportMissingImports=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false

import asyncio  # noqa: TID251  # the framework's own loop
import json
import sys
from collections.abc import Generator
from typing import Any

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import FunctionModel

TASKS = [{"id": "one", "label": "Review auth"}, {"id": "two", "label": "Review API"}]
OUTPUT = '<result>{"status": "ok", "summary": "it holds", "data": {"risk": 1}}</result>'


class Script:
    """The model: each turn it is shown the last answer and says the next call."""

    def __init__(self) -> None:
        self.calls = 0
        self._turns = _play()

    def __call__(self, messages: list[Any], info: Any) -> ModelResponse:
        tools = {tool.name for tool in info.function_tools}
        assert {"plan", "create_workflow", "update_task", "aggregate"} <= tools, tools
        answers = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
        turn = self._turns.send(_answer(answers[0].content) if answers else None)
        if isinstance(turn, str):
            return ModelResponse(parts=[TextPart(turn)])
        self.calls += 1
        return ModelResponse(parts=[ToolCallPart(*turn)])


def _answer(content: Any) -> Any:
    return json.loads(content) if isinstance(content, str) else content


def _play() -> Generator[Any, Any]:
    """The calls of an orchestrator that does both tasks itself; each yields its answer."""
    facts = {"minutes": 40, "subtasks": 2, "independent": True}
    advice = yield "plan", {"facts": facts}
    plan = {"pattern": advice["pattern"], "name": "scripted", "tasks": TASKS}
    created = yield "create_workflow", plan
    workflow_id = created["workflow_id"]
    for task_id in created["ready"]:
        start = {"workflow_id": workflow_id, "task_id": task_id, "status": "in_progress"}
        started = yield "update_task", start
        assert started["prompt"]
        done = {"claim": started["claim"], "status": "completed", "output": OUTPUT}
        yield "update_task", done | {"accept_raw": True}
    digest = yield "aggregate", {"workflow_id": workflow_id}
    yield f"{digest['status']} with {digest['counts']['completed']} of {len(TASKS)}"


async def main(where: str) -> None:
    target = where if "://" in where else StdioTransport(where, ["serve"])
    script = Script()
    agent = Agent(FunctionModel(script), toolsets=[MCPToolset(target)])
    async with agent:
        done = await agent.run("Review auth and API.")
    assert done.output == "completed with 2 of 2", done.output
    sys.stdout.write(f"{script.calls} calls\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
