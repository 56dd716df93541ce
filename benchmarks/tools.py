"""Each tool that names no task, called once, for `growth` to measure.

What tells of a whole workflow grows with it; a list and a
digest are told page by page.
"""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.measure import Block, timed
from benchmarks.workload import plan
from relaybook.engine import Engine
from relaybook.engine.request import StageReport

SMALL = 10

JOB = {"subtasks": 6, "minutes": 10}
STAGES = [{"capability": "implement", "goal": "Move the billing service to the new tables"}]

Verbs = Mapping[str, Callable[[], object]]


def in_ledger(engine: Engine, name: int) -> Block:
    """One call of each tool on a workflow of ten tasks, as `tool name`."""

    def block() -> Mapping[str, float]:
        staged = engine.create_workflow(name="Billing", stages=STAGES)["workflow_id"]
        verbs = {
            "plan": lambda: engine.plan(JOB),
            **_of_workflow(engine, SMALL),
            "advance_stage": lambda: engine.advance_stage(StageReport(workflow_id=staged)),
            "claim_task (of any workflow)": engine.claim_task,
            "find_skills": lambda: engine.find_skills(capability="implement"),
            "get_workflow (list)": engine.list_workflows,
            "cleanup (dry run)": lambda: engine.cleanup(dry_run=True),
        }
        return {f"{tool} {name}": timed(verb) for tool, verb in verbs.items()}

    return block


def in_workflow(engine: Engine, size: int) -> Block:
    """One call of each tool that names a workflow, on one of `size` tasks, as `tool size`."""
    return lambda: {
        f"{tool} {size}": timed(verb) for tool, verb in _of_workflow(engine, size).items()
    }


def _of_workflow(engine: Engine, size: int) -> Verbs:
    """The tools that name a workflow, in this order; the first makes one of `size` tasks less one."""
    made: list[str] = []
    tasks, (added,) = plan(size - 1), plan(1)
    added = {**added, "id": "added"}

    def create() -> None:
        answer: dict[str, Any] = engine.create_workflow("fan_out", tasks=tasks)
        made.append(answer["workflow_id"])

    return {
        "create_workflow": create,
        "change_plan": lambda: engine.change_plan(made[0], add=[added], reason="more to do"),
        "get_workflow": lambda: engine.show_workflow(made[0]),
        "get_workflow (resume)": lambda: engine.show_workflow(made[0], detail="resume"),
        "resolve (what is open)": lambda: engine.open_decisions(made[0]),
        "read (a workflow)": lambda: engine.read(f"ledger://workflows/{made[0]}"),
        "aggregate": lambda: engine.aggregate(made[0]),
    }
