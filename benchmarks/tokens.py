"""What crosses between agent and server in whole orchestrations, in tokens of four characters.

Counted as a model sees it: the arguments of a call, and the answer once. Prompts and results have
to cross and are counted by themselves. So are the arguments and the done criteria of a plan's tasks,
which stand in the prompts word for word.
"""

import itertools
import json
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.servers import server_command
from benchmarks.stdio_client import Era, StdioClient
from benchmarks.table import count
from benchmarks.workload import WIDTH, plan
from relaybook.registry.templates import Templates

ERA: Era = "2026-07-28"
#: By tool, the members of its arguments and its answer that are prompts and results: a digest is
#: made of results.
APART: Mapping[str, frozenset[str]] = {
    "create_workflow": frozenset({"args", "done", "items"}),
    "update_task": frozenset({"prompt", "output"}),
    "aggregate": frozenset({"tasks", "merged", "records", "panel", "chain"}),
}
#: The most tokens and calls of a job. Workers that claim leave the orchestrator four calls, and
#: one for each wait of 45 s.
TARGETS = {"fan-out of 30": (6_000, 14), "fan-out of 30, workers claim": (6_000, 5)}


@dataclass(slots=True)
class Talk:
    """A conversation with a server, counted in characters."""

    client: StdioClient
    worker: StdioClient
    calls: int = 0
    said: int = 0
    prompts_and_results: int = 0

    def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        answer = self.client.call(tool, arguments)[1]
        self.calls += 1
        for message in (arguments, answer):
            whole, apart = _length(message), _apart(message, APART.get(tool, frozenset()))
            self.said += whole - apart
            self.prompts_and_results += apart
        return answer


def _length(message: Any) -> int:
    return len(json.dumps(message, separators=(",", ":"), ensure_ascii=False))


def _apart(message: Any, names: Collection[str]) -> int:
    """The characters of the members of `message`, however deep, that have one of these names."""
    if isinstance(message, list):
        return sum(_apart(each, names) for each in message)
    if not isinstance(message, Mapping):
        return 0
    return sum(
        _length(value) if name in names else _apart(value, names) for name, value in message.items()
    )


def run() -> Iterator[str]:
    for name, talk in held(JOBS):
        most = TARGETS.get(name)
        tokens, calls = (f"<= {most[0]}", f"<= {most[1]}") if most else ("", "")
        yield count(f"{name}: tokens", talk.said / 4, tokens)
        yield count(f"{name}: tokens of prompts, results", talk.prompts_and_results / 4)
        yield count(f"{name}: calls", talk.calls, calls)


def held(names: Iterable[str]) -> Iterator[tuple[str, Talk]]:
    """The jobs of these names, and what was said in each."""
    with tempfile.TemporaryDirectory() as folder:
        command = server_command(Path(folder) / "ledger.db", "normal")
        with StdioClient(command, ERA) as client, StdioClient(command, ERA) as worker:
            for name in names:
                talk = Talk(client, worker)
                JOBS[name](talk)
                yield name, talk


def _fan_out(talk: Talk) -> None:
    tasks = plan(30)
    made = talk("create_workflow", pattern="fan_out", name="Tax tables", tasks=tasks)
    _work_off(talk, made["workflow_id"], [task["id"] for task in tasks], "supervised_piece")
    _digest(talk, made["workflow_id"])


def _fan_out_claimed(talk: Talk) -> None:
    """Workers claim; the orchestrator waits once, as it would for each 45 seconds."""
    made = talk("create_workflow", pattern="fan_out", name="Tax tables", tasks=plan(30))
    for _ in range(30):
        claim = talk.worker.call("claim_task", {"workflow_id": made["workflow_id"]})[1]["claim"]
        ended = {"claim": claim, "status": "completed", "output": _result("supervised_piece")}
        talk.worker.call("update_task", ended)
    talk("get_workflow", workflow_id=made["workflow_id"], since=made["seq"], wait_seconds=45)
    _digest(talk, made["workflow_id"])


def _pipeline(talk: Talk) -> None:
    tasks = plan(10)
    for before, task in itertools.pairwise(tasks):
        task["depends_on"] = [before["id"]]
    made = talk("create_workflow", pattern="pipeline", name="Tax tables", tasks=tasks)
    for task in tasks:
        _work_off(talk, made["workflow_id"], [task["id"]], "supervised_piece")
    _digest(talk, made["workflow_id"])


def _panel(talk: Talk) -> None:
    args = Templates().get("consensus_check").example_args
    roles = ("security", "performance", "cost", "operations", "usability")
    tasks = [
        {"id": role, "label": f"Judge it for {role}", "expert_role": role, "args": args}
        for role in roles
    ]
    made = talk("create_workflow", pattern="expert_panel", name="Token storage", tasks=tasks)
    _work_off(talk, made["workflow_id"], roles, "consensus_check")
    _digest(talk, made["workflow_id"])


def _map_reduce(talk: Talk) -> None:
    items = [{"id": f"m{number}", "path": f"billing/m_{number}.py"} for number in range(300)]
    made = talk(
        "create_workflow",
        pattern="map_reduce",
        name="Comments",
        items=items,
        batches=10,
        args={"instruction": "Rate how well the comments explain the reasons, from 1 to 5."},
    )
    _work_off(talk, made["workflow_id"], made["ready"], "map_partition")
    _digest(talk, made["workflow_id"])


def _work_off(talk: Talk, workflow: str, names: Sequence[str], template: str) -> None:
    """Start and complete the tasks, as many at a time as may run at once, a call for each lot."""
    for first in range(0, len(names), WIDTH):
        lot = names[first : first + WIDTH]
        begun = [{"task_id": name, "status": "in_progress"} for name in lot]
        talk("update_task", workflow_id=workflow, updates=begun)
        ended = [
            {"task_id": name, "status": "completed", "output": _result(template, name)}
            for name in lot
        ]
        talk("update_task", workflow_id=workflow, updates=ended)


def _result(template: str, task: str = "") -> str:
    """What a worker sends: the example of its template; of a partition a record for each item."""
    data = Templates().get(template).example_result
    if template == "map_partition":
        place = int(task.removeprefix("p")) - 1
        record = data["items"][0]
        items = [{**record, "id": f"m{number}"} for number in range(30 * place, 30 * place + 30)]
        data = {**data, "partition": task, "items": items}
    said = {"status": "ok", "summary": "Done and checked.", "confidence": "high", "data": data}
    return f"All of it was done and checked.\n\n<result>\n{json.dumps(said)}\n</result>"


def _digest(talk: Talk, workflow: str) -> None:
    """The digest, page by page."""
    answer = talk("aggregate", workflow_id=workflow)
    while "cursor" in answer:
        answer = talk("aggregate", workflow_id=workflow, cursor=answer["cursor"])


JOBS: Mapping[str, Callable[[Talk], None]] = {
    "fan-out of 30": _fan_out,
    "fan-out of 30, workers claim": _fan_out_claimed,
    "pipeline of 10": _pipeline,
    "panel of 5": _panel,
    "map-reduce of 300": _map_reduce,
}
