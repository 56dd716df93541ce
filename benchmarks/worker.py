"""The calls of an orchestrator and its worker over one connection, in the order they are made."""

from collections.abc import Generator
from typing import Any

from benchmarks.workload import output, plan

TASKS = 6

Call = tuple[str, dict[str, Any]]
#: Yields a call, is sent its answer, and has no end.
Calls = Generator[Call, dict[str, Any], None]


def calls(beats: int = 1) -> Calls:
    """Workflow after workflow: each task claimed, kept alive, looked at and completed; a digest.

    A task is kept alive by so many heartbeats.
    """
    while True:
        asked = {"pattern": "fan_out", "tasks": plan(TASKS)}
        workflow = (yield "create_workflow", asked)["workflow_id"]
        for number in range(TASKS):
            claim = (yield "claim_task", {"workflow_id": workflow})["claim"]
            for _ in range(beats):
                yield "update_task", {"claim": claim, "status": "in_progress"}
            yield "get_workflow", {"workflow_id": workflow}
            ended = {"claim": claim, "status": "completed", "output": output(number)}
            yield "update_task", ended
        yield "aggregate", {"workflow_id": workflow}
