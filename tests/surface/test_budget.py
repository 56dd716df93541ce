"""What a model is given of the tools stays small."""

import json

import pytest
from mcp import Client
from mcp_types import Tool

pytestmark = pytest.mark.anyio

DESCRIPTION_LIMIT = 160


def size(*values: object) -> int:
    """Bytes of compact JSON."""
    return sum(
        len(json.dumps(v, separators=(",", ":"), ensure_ascii=False).encode()) for v in values
    )


def sizes(tools: list[Tool]) -> tuple[int, int]:
    """What a model reads of `tools`, and what their output schemas add."""
    for each in tools:
        outputs = size(each.output_schema)
        inputs = size(each.name, each.description, each.input_schema)
        print(f"{each.name:16} {inputs:6} {outputs:6}")  # noqa: T201
    read = sum(size(each.name, each.description, each.input_schema) for each in tools)
    return read, sum(size(each.output_schema) for each in tools)


async def test_the_tools_of_an_orchestrator_cost_little(client: Client) -> None:
    read, outputs = sizes((await client.list_tools()).tools)

    assert read <= 10_000
    assert outputs <= 10_000


async def test_the_tools_of_a_worker_cost_less(worker: Client) -> None:
    read, outputs = sizes((await worker.list_tools()).tools)

    assert read <= 3_500
    assert outputs <= 3_500


async def test_descriptions_are_short_and_begin_with_when(client: Client, worker: Client) -> None:
    for each in (*(await client.list_tools()).tools, *(await worker.list_tools()).tools):
        assert each.description is not None
        assert len(each.description) <= DESCRIPTION_LIMIT, each.name
        assert each.description.startswith("Call "), each.name
