from typing import Annotated, Any

import pytest
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult

from relaybook.surface import answers
from relaybook.surface.shape import schema_of
from relaybook.surface.slim import slim

SHAPES = [each for each in vars(answers).values() if hasattr(each, "__total__")]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_schema_of_an_answer_is_the_one_that_the_sdk_gives(shape: Any) -> None:
    async def answer() -> Any: ...

    answer.__annotations__ = {"return": Annotated[CallToolResult, shape]}

    assert schema_of(shape) == slim(Tool.from_function(answer).output_schema)
