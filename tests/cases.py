"""Cases and commands for tests of the pure core: short ways to say common ones."""

from typing import Any

from relaybook.core.plan.tasks import added_tasks, read_tasks
from relaybook.core.task.case import Case, evolve, opened
from relaybook.core.task.command import (
    Answer,
    Ask,
    Cancel,
    Close,
    Command,
    Complete,
    Expire,
    Fail,
    Start,
)
from relaybook.core.task.machine import decide, number
from relaybook.model import Decision, EventType, Pattern, Status

NOW: dict[str, Any] = {"at": 100.0, "actor": "test"}


def plan(*tasks: dict[str, Any], pattern: Pattern = Pattern.SUPERVISOR, width: int = 6) -> Case:
    """A new workflow of the tasks given; `x` to `z` are added, so that no breaker opens early."""
    others = [{"id": name} for name in "xyz"]
    specs = read_tasks([*tasks, *others], pattern)
    said = {"name": "w", "project": "p", "pattern": str(pattern), "max_parallel": width}
    changes = [(EventType.WORKFLOW_CREATED, None, said), *added_tasks(specs, ["h"] * len(specs))]
    events = number("wf", 0, Command(**NOW), changes)
    return evolve(opened(events[0]), events[1:])


def do(case: Case, *commands: Command) -> Case:
    for command in commands:
        case = evolve(case, decide(case, command))
    return case


def told(said: dict[str, Any], **known: Any) -> dict[str, Any]:
    return NOW | known | said


def start(task_id: str = "a", claim: str = "c1", **said: Any) -> Start:
    return Start(**told(said, task_id=task_id, claim=claim, lease_seconds=600.0))


def done(task_id: str = "a", **said: Any) -> Complete:
    return Complete(**told(said, task_id=task_id, result="r", summary="", output="o"))


def failed(task_id: str = "a", **said: Any) -> Fail:
    return Fail(**told(said, task_id=task_id, error_code="crash", error="no"))


def asked(task_id: str = "a", **said: Any) -> Ask:
    return Ask(**told(said, task_id=task_id, questions='["?"]'))


def cancelled(task_id: str = "a") -> Cancel:
    return Cancel(task_id=task_id, reason="no use", **NOW)


def expired(task_id: str = "a") -> Expire:
    return Expire(**told({"at": 5_000.0}, task_id=task_id))


def answered(words: str = '["!"]') -> Answer:
    return Answer(task_id="a", answer=words, **NOW)


def closed(decision: Decision) -> Close:
    return Close(decision=decision, reason="enough", **NOW)


def in_status(status: Status) -> Case:
    """A case whose task `a` got to `status` on its shortest way."""
    ways: dict[Status, list[Command]] = {
        Status.PENDING: [],
        Status.IN_PROGRESS: [start()],
        Status.INPUT_REQUIRED: [start(), asked()],
        Status.COMPLETED: [start(), done()],
        Status.FAILED: [start(), failed()],
        Status.CANCELLED: [cancelled()],
    }
    if status in ways:
        return do(plan({"id": "a"}), *ways[status])
    if status is Status.NOT_APPLICABLE:
        case = plan({"id": "s"}, {"id": "a", "on_failure": "s"})
        return do(case, start("s", "c0"), done("s"))
    case = in_status(Status.IN_PROGRESS)
    said = {"result": "r", "summary": "", "output": "o"}
    return evolve(
        case, number("wf", case.workflow.seq, start(), [(EventType.GATE_FAILED, "a", said)])
    )
