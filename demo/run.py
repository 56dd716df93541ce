"""The demo: comment quality of many Python files, by map-reduce over real processes.

One MCP server over stdio keeps the ledger; this script is its client and the orchestrator;
four `relaybook work` processes are the workers, with `comment_quality.py` in the place of an
agent. One of them is killed on the way, to show that its work is not lost.
"""

import argparse
import math
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from mcp import Client, StdioServerParameters
from mcp_ledger import McpLedger
from report import Merged, report

HERE = Path(__file__).parent
DEFAULT_FOLDERS = ("server", "tests", "benchmarks", "demo")
WORKERS = 4
FILES_PER_PARTITION = 60
PARTITIONS_PER_WORKER = 3
#: Seconds after which a silent worker is replaced; the least that the ledger takes.
LEASE_SECONDS = 5
OVER = ("completed", "failed", "partial", "cancelled")
INSTRUCTION = "Rate how well the comments and docstrings of each file explain it, from 1 to 5."
ANSWER_SCHEMA = {
    "type": "object",
    "properties": {
        "code_lines": {"type": "integer"},
        "comment_lines": {"type": "integer"},
        "public": {"type": "integer"},
        "documented": {"type": "integer"},
        "score": {"type": ["integer", "null"], "minimum": 1, "maximum": 5},
    },
}


def say(line: str = "") -> None:
    shown = "".join(char if char.isprintable() or char == "\n" else "?" for char in line)
    sys.stdout.write(f"{shown}\n")
    sys.stdout.flush()


def python_files(base: Path, folders: Sequence[str]) -> list[str]:
    """Paths of all Python files below the folders, relative to `base`."""
    found = [path for folder in folders for path in (base / folder).rglob("*.py")]
    # A pipe or a device would be read for ever; a link to nothing is told as a gap.
    files = [path for path in found if path.is_file() or not path.exists()]
    return sorted(str(path.relative_to(base)) for path in files)


def batches(files: int) -> int:
    """Enough partitions for every worker to have several, none of them large."""
    wanted = max(WORKERS * PARTITIONS_PER_WORKER, math.ceil(files / FILES_PER_PARTITION))
    return min(files, wanted)


async def start_worker(base: Path, store: str, workflow_id: str, log: Path) -> Process:
    agent = shlex.join([sys.executable, str(HERE / "comment_quality.py")])
    options = {"--command": agent, "--workflow": workflow_id}
    options |= {"--parallel": "1", "--lease": str(LEASE_SECONDS)}
    words = [word for pair in options.items() for word in pair]
    with log.open("w", encoding="utf-8") as errors:
        return await anyio.open_process(
            [sys.executable, "-m", "relaybook", "work", *words],
            cwd=base,
            env={**os.environ, "RELAYBOOK_STORE": store},
            stdin=None,
            stdout=None,
            stderr=errors,
            start_new_session=True,
        )


async def held_by(ledger: McpLedger, workflow_id: str, worker: Process) -> str | None:
    """The task that a worker has in progress, by the session key that it claimed with."""
    for task in await ledger.tasks(workflow_id):
        mine = task.get("session_key", "").endswith(f":{worker.pid}")
        if mine and task["status"] == "in_progress":
            return task["id"]
    return None


async def kill_one(ledger: McpLedger, workflow_id: str, workers: Sequence[Process]) -> str | None:
    """Kill a worker that holds a task, and answer which task; None if none does just now.

    Each is frozen first, so that what the ledger says of it stays true until it is killed.
    """
    for worker in workers:
        if worker.returncode is not None:
            continue
        os.killpg(worker.pid, signal.SIGSTOP)
        task_id = await held_by(ledger, workflow_id, worker)
        if task_id is not None:
            os.killpg(worker.pid, signal.SIGKILL)
            say(f"  killed worker {worker.pid} (SIGKILL) while it held {task_id};")
            say(f"  its lease of {LEASE_SECONDS} s runs out, then another worker takes {task_id}")
            return task_id
        os.killpg(worker.pid, signal.SIGCONT)
    return None


async def follow(ledger: McpLedger, workflow_id: str, workers: Sequence[Process]) -> None:
    """Show progress until the workflow is over or nobody works on it."""
    state = await ledger.workflow(workflow_id)
    killed: str | None = None
    shown = ""
    while state["status"] not in OVER and any(each.returncode is None for each in workers):
        counts = state["counts"]
        if state["progress"] != shown:
            shown = state["progress"]
            say(f"  {shown}, {counts.get('in_progress', 0)} in progress")
        total = int(shown.partition("/")[2].split()[0])
        if killed is None and counts.get("completed", 0) >= total / 4:
            killed = await kill_one(ledger, workflow_id, workers)
        state = await ledger.workflow(workflow_id, since=state["seq"], wait_seconds=1)
    say(f"  {state['progress']}")
    if killed is not None:
        await tell_recovery(ledger, workflow_id, killed)


async def tell_recovery(ledger: McpLedger, workflow_id: str, task_id: str) -> None:
    for task in await ledger.tasks(workflow_id):
        if task["id"] == task_id:
            say(
                f"  {task_id}, taken from the killed worker: {task['status']} at attempt "
                f"{task['attempt']}"
            )


async def end(workers: Sequence[Process]) -> None:
    """SIGTERM, which makes a worker give its claims back."""
    with anyio.CancelScope(shield=True):
        for worker in workers:
            if worker.returncode is None:
                with suppress(ProcessLookupError):
                    worker.terminate()
        for worker in workers:
            await worker.wait()


async def demo(base: Path, folders: Sequence[str], named: str | None) -> int:
    files = python_files(base, folders)
    if not files:
        say(f"There is no Python file below {', '.join(folders)} of {base}.")
        return 1
    logs = Path(tempfile.mkdtemp(prefix="relaybook-demo-"))
    store = named or str(logs / "ledger.db")
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "relaybook", "serve"],
        env={**os.environ, "RELAYBOOK_STORE": store},
    )
    started = anyio.current_time()
    async with Client(server) as client:
        ledger = McpLedger(client)
        created = await plan(ledger, files)
        workflow_id = created["workflow_id"]
        say(f"{len(files)} files in {batches(len(files))} partitions, {WORKERS} workers")
        await work(ledger, workflow_id, base, store, logs)
        merged = Merged(files)
        async for result in ledger.results(workflow_id):
            merged.add(result)
        summary = await ledger.summary(workflow_id)
    say(f"  {anyio.current_time() - started:.1f} s from plan to merged results\n")
    for line in report(merged, summary):
        say(line)
    tell_where(named, logs, workflow_id)
    return 0 if summary["status"] == "completed" else 1


async def stoppable(base: Path, folders: Sequence[str], named: str | None) -> int:
    """What the demo ends with, or 130 if a signal ended it, after its workers."""
    code = 130
    async with anyio.create_task_group() as group:
        group.start_soon(cancel_on_signal, group.cancel_scope)
        code = await demo(base, folders, named)
        group.cancel_scope.cancel()
    return code


async def cancel_on_signal(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for received in signals:
            say(f"{received.name}: ending the workers")
            scope.cancel()


async def plan(ledger: McpLedger, files: Sequence[str]) -> dict[str, Any]:
    return await ledger.create(
        pattern="map_reduce",
        name="comment quality",
        items=[{"id": path} for path in files],
        batches=batches(len(files)),
        args={"instruction": INSTRUCTION, "answer_schema": ANSWER_SCHEMA},
    )


async def work(ledger: McpLedger, workflow_id: str, base: Path, store: str, logs: Path) -> None:
    workers: list[Process] = []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(end, workers)
        for number in range(1, WORKERS + 1):
            log = logs / f"worker-{number}.log"
            workers.append(await start_worker(base, store, workflow_id, log))
        await follow(ledger, workflow_id, workers)


def tell_where(named: str | None, logs: Path, workflow_id: str) -> None:
    if named is not None:
        say(f"\nThe workers' logs: {logs}")
        say(f"Its events: relaybook read ledger://workflows/{workflow_id}/events")
        return
    tool, store = Path(sys.executable).with_name("sqlite-utils"), logs / "ledger.db"
    query = f"select seq, type, task_id from events where workflow_id = '{workflow_id}'"
    say(f"\nThe ledger: {store}, with the workers' logs beside it")
    say(f"Its events: {tool} {store} {shlex.quote(query)} --table")


def main() -> int:
    parser = argparse.ArgumentParser(description="Comment quality of many Python files.")
    parser.add_argument("--dir", default=os.environ.get("DIR"), help="default: this repository")
    parser.add_argument("--store", help="a ledger by its URL; default: a new file")
    options = parser.parse_args()
    given: str | None = options.dir
    base = Path(given).resolve() if given else HERE.resolve().parent
    if not base.is_dir():
        say(f"There is no folder at {base}.")
        return 1
    folders = ["."] if given else [name for name in DEFAULT_FOLDERS if (base / name).is_dir()]
    return anyio.run(stoppable, base, folders, options.store)


if __name__ == "__main__":
    sys.exit(main())
