"""Rendering a prompt of 20 kB of data and linting it, against the round trip of a tool that does
nothing; and judging one more prompt beside the others of a small and of a large workflow.
"""

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import Block, interleave, ratio, timed
from benchmarks.servers import floor_command
from benchmarks.stdio_client import StdioClient
from benchmarks.table import line
from benchmarks.workload import WIDTH
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.prompt_rules import judge, read_facts
from relaybook.engine import Engine
from relaybook.engine.prompts.lint import facts
from relaybook.engine.request import Update
from relaybook.registry.frame import Frame
from relaybook.registry.prompt import render
from relaybook.registry.templates import Templates
from relaybook.store.sqlite import SqliteStore

ROUNDS = 60
DATA_BYTES = 20_000
TARGET = "<= 0.25"
WORKFLOWS = (10, 1_000)
ACROSS_TARGET = "<= 1.2"

_NOOP = {"workflow_id": "wf_00000000", "task_id": "t0", "status": "in_progress"}


def run() -> Iterator[str]:
    with StdioClient(floor_command("noop"), "2026-07-28") as floor:
        samples = interleave([_noop(floor), _render_and_lint()], ROUNDS)
    for name in ("render", "lint", "both"):
        found = ratio(samples[name], samples["noop"])
        yield line(f"{name}, 20 kB of data / no-op", found, TARGET if name == "both" else "")
    with tempfile.TemporaryDirectory() as folder:
        yield from _across(Path(folder) / "ledger.db")


def _noop(client: StdioClient) -> Block:
    def block() -> Mapping[str, float]:
        return {"noop": sum(client.call("update_task", _NOOP)[0] for _ in range(WIDTH)) / WIDTH}

    return block


def _render_and_lint() -> Block:
    """Reviews of a source that is another one each time, so that nothing is known beforehand."""
    template = Templates().get("code_review")
    spec = TaskSpec(id="t0", label="Review part 0 of the billing service")
    numbers = itertools.count()

    def block() -> Mapping[str, float]:
        spent = {"render": 0.0, "lint": 0.0}
        for number in itertools.islice(numbers, WIDTH):
            args, frame = _review(number), Frame(nonce=f"{number:012x}", minutes=8)
            made: list[Any] = []
            spent["render"] += timed(lambda: made.append(render(template, args, frame)))  # noqa: B023
            spent["lint"] += timed(lambda: judge(read_facts(facts(made[0], template, spec))))  # noqa: B023
        each = {name: seconds / WIDTH for name, seconds in spent.items()}
        return {**each, "both": sum(each.values())}

    return block


def _review(number: int) -> dict[str, Any]:
    lines = (
        f"    total_{number}_{place} = rate(region, day) * lines[{place}].amount  # net\n"
        for place in itertools.count()
    )
    content = "".join(itertools.islice(lines, DATA_BYTES // 60))
    return {"sources": [{"path": f"billing/part_{number}.py", "content": content}]}


def _across(path: Path) -> Iterator[str]:
    engine = Engine(SqliteStore(path, "normal"))
    blocks = [_judging(engine, tasks) for tasks in WORKFLOWS]
    samples = interleave(blocks, ROUNDS)
    engine.store.close()
    few, many = (samples[f"judge {tasks}"] for tasks in WORKFLOWS)
    yield line("render_prompt, among 1,000 prompts / 10", ratio(many, few), ACROSS_TARGET)


def _judging(engine: Engine, tasks: int) -> Block:
    """Render the prompt of the last task, once all the others were started."""
    made = engine.create_workflow("fan_out", tasks=[_task(number) for number in range(tasks)])
    workflow = made["workflow_id"]
    for number in range(tasks - 1):
        name = f"t{number}"
        for status in ("in_progress", "pending"):
            engine.update_task(Update(workflow_id=workflow, task_id=name, status=status))

    def judged() -> None:
        for _ in range(WIDTH):
            engine.render_prompt(workflow_id=workflow, task_id=f"t{tasks - 1}")

    return lambda: {f"judge {tasks}": timed(judged) / WIDTH}


def _task(number: int) -> dict[str, Any]:
    label = f"Review part {number} of the billing service"
    return {
        "id": f"t{number}",
        "label": label,
        "template": "code_review",
        "args": _review(number % 100),
    }
