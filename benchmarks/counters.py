"""What a verb does, counted: statements to the ledger and calls of Python functions.

The counts are the same on every run of one interpreter, so that a test can hold them to what
`counters.json` says. Functions called differ a little between versions of Python.
"""

import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.recording import Statement, recording
from benchmarks.tools import JOB, STAGES
from benchmarks.workload import output, plan
from relaybook.engine import Engine
from relaybook.engine.request import StageReport, Update
from relaybook.store.sqlite import SqliteStore

SAVED = Path(__file__).with_name("counters.json")

Verb = Callable[[], Mapping[str, Any]]


def run() -> Iterator[str]:
    saved = count()
    SAVED.write_text(json.dumps(saved, indent=2) + "\n", encoding="utf-8")
    yield f"{'verb, counted':<46} {'statements':>10} {'calls':>8}"
    for verb, found in saved.items():
        yield f"{verb:<46} {found['statements']:>10} {found['calls']:>8}"


def count() -> dict[str, dict[str, int]]:
    """The statements and the calls of each verb, by its name."""
    with tempfile.TemporaryDirectory() as folder, recording() as log:
        store = SqliteStore(Path(folder) / "ledger.db", "normal")
        engine = _predictable(store)
        for verb in _story(engine).values():
            verb()  # so that nothing below is done for the first time
        found = {name: counted(verb, log) for name, verb in _story(engine).items()}
        store.close()
    return found


def _predictable(store: SqliteStore) -> Engine:
    """An engine whose clock ticks by the second and whose tokens are numbers."""
    ticks, tokens = itertools.count(1_800_000_000), itertools.count(1)
    return Engine(
        store,
        clock=lambda: float(next(ticks)),
        token=lambda size: f"{next(tokens):0{2 * size}x}",
    )


def _story(engine: Engine) -> Mapping[str, Verb]:
    """The verbs on one workflow of ten tasks; each is called once, in this order."""
    known: dict[str, str] = {}

    def update(**said: Any) -> Mapping[str, Any]:
        return engine.update_task(Update(workflow_id=known["workflow"], task_id="t0", **said))

    def create() -> Mapping[str, Any]:
        answer = engine.create_workflow("fan_out", tasks=plan(10))
        known["workflow"] = answer["workflow_id"]
        return answer

    def start() -> Mapping[str, Any]:
        answer = update(status="in_progress")
        known["claim"] = answer["claim"]
        return answer

    return {
        "create_workflow (10 tasks)": create,
        "update_task (start)": start,
        "update_task (heartbeat)": lambda: update(status="in_progress", claim=known["claim"]),
        "update_task (complete)": lambda: update(
            status="completed", claim=known["claim"], output=output(0)
        ),
        "claim_task": lambda: engine.claim_task(known["workflow"]),
        "get_workflow": lambda: engine.show_workflow(known["workflow"]),
        "aggregate": lambda: engine.aggregate(known["workflow"]),
        **_others(engine, known),
    }


def _others(engine: Engine, known: Mapping[str, str]) -> Mapping[str, Verb]:
    """The tools that no worker needs, on the same workflow and on one of a stage."""

    def advance() -> Mapping[str, Any]:
        made = engine.create_workflow(name="Billing", stages=STAGES)
        return engine.advance_stage(StageReport(workflow_id=made["workflow_id"]))

    return {
        "plan": lambda: engine.plan(JOB),
        "render_prompt": lambda: engine.render_prompt(workflow_id=known["workflow"], task_id="t5"),
        "record": lambda: engine.record(
            "metric", [{"name": "lines", "value": 1}], workflow_id=known["workflow"], task_id="t0"
        ),
        "change_plan (1 task)": lambda: engine.change_plan(
            known["workflow"], add=[{**plan(1)[0], "id": "more"}], reason="more to do"
        ),
        "create_workflow, advance_stage": advance,
        "resolve (what is open)": lambda: engine.open_decisions(known["workflow"]),
        "find_skills": lambda: engine.find_skills(capability="implement"),
        "read (a workflow)": lambda: engine.read(f"ledger://workflows/{known['workflow']}"),
        "get_workflow (list)": engine.list_workflows,
        "cleanup (dry run)": lambda: engine.cleanup(dry_run=True),
    }


def counted(verb: Callable[[], object], log: list[Statement]) -> dict[str, int]:
    """The statements and the calls of one run of `verb`; `log` is that of `recording`."""
    calls = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    log.clear()
    before = sys.getprofile()
    sys.setprofile(profile)
    verb()
    sys.setprofile(before)
    return {"statements": sum(len(each.values) for each in log), "calls": calls}
