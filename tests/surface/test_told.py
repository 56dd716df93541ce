"""What the schemas of tools tell is what the engine takes."""

from dataclasses import fields

import pytest

from relaybook.core.plan.task_spec import TaskSpec
from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.errors import InvalidArguments
from relaybook.surface.arguments import TASK_SCHEMA
from relaybook.surface.tools import tools_for

#: Fields of a task that stages, compositions and partitions fill; the schema has no room for them.
FILLED = {"skill", "tier", "parent_actions", "goal", "gate", "items"}


def test_the_schema_of_a_task_tells_every_field_that_a_caller_fills() -> None:
    assert {*TASK_SCHEMA["properties"], *FILLED} == {each.name for each in fields(TaskSpec)}
    assert FILLED.isdisjoint(TASK_SCHEMA["properties"])


@pytest.mark.parametrize("role", ["orchestrator", "worker"])
def test_update_task_tells_every_status_that_it_takes(engine: Engine, role: str) -> None:
    [tool] = [each for each in tools_for(engine, role) if each.name == "update_task"]

    with pytest.raises(InvalidArguments) as refused:
        engine.update_task(Update(workflow_id="wf_1", task_id="a", status="done"))

    assert refused.value.allowed == ", ".join(tool.parameters["properties"]["status"]["enum"])
