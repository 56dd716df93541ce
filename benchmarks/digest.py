"""Aggregating a large workflow against one a tenth of its size: time and memory, by result."""

import gc
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.measure import Block, interleave, ratio, timed
from benchmarks.table import line
from benchmarks.workload import output, plan
from relaybook.engine import Engine
from relaybook.engine.update import Update
from relaybook.store.sqlite import SqliteStore

SIZES = (1_000, 10_000)
ROUNDS = 6
WARM_UP = 1
#: Linear: a result costs the same whatever their number.
TARGET = "<= 1.2"
ITEMS = 3

Output = Callable[[int], str]


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(SqliteStore(Path(folder) / "ledger.db", "normal"))
        for name, make in (("fan-out", _fan_out), ("map-reduce", _map_reduce)):
            yield from _compare(engine, name, {size: make(engine, size) for size in SIZES})
        engine.store.close()


def _compare(engine: Engine, name: str, workflows: Mapping[int, str]) -> Iterator[str]:
    blocks = [_block(engine, workflow, size) for size, workflow in workflows.items()]
    samples = interleave(blocks, ROUNDS, WARM_UP)
    small, large = SIZES
    found = ratio(samples[str(large)], samples[str(small)])
    yield line(f"aggregate {name}, a result of {large:,} / {small:,}", found, TARGET)
    for size, workflow in workflows.items():
        peak = _peak(lambda workflow=workflow: engine.aggregate(workflow))
        yield f"  its peak memory, {size:,} results: {peak / 1e6:.2f} MB, {peak / size:.0f} B each"


def _block(engine: Engine, workflow: str, size: int) -> Block:
    return lambda: {str(size): timed(lambda: engine.aggregate(workflow)) / size}


def _peak(call: Callable[[], object]) -> int:
    """The most bytes that `call` holds at once; it was called before."""
    gc.collect()
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def _fan_out(engine: Engine, size: int) -> str:
    """The id of a fan-out in which every task is completed."""
    answer = engine.create_workflow("fan_out", tasks=plan(size))
    return _completed(engine, answer["workflow_id"], [f"t{n}" for n in range(size)], output)


def _map_reduce(engine: Engine, size: int) -> str:
    """The id of a map-reduce in which every partition came back with its items."""
    answer = engine.create_workflow(
        "map_reduce",
        items=[f"i{number}" for number in range(size * ITEMS)],
        batches=size,
        args={"instruction": "Rate the comment of each script from 1 to 5."},
    )
    width = len(str(size))
    tasks = [f"p{number:0{width}}" for number in range(1, size + 1)]
    return _completed(engine, answer["workflow_id"], tasks, _partition)


def _partition(number: int) -> str:
    items = ",".join(
        f'{{"id":"i{item}","info":"One comment names the reason for period {item}, the auditors.",'
        f'"rationale":"The only choice in script {item} is explained where it is made.",'
        f'"answer":{item % 5 + 1},"confidence":"high"}}'
        for item in range(number * ITEMS, (number + 1) * ITEMS)
    )
    return (
        '<result>\n{"status":"ok","summary":"All items rated.","data":'
        f'{{"partition":"p{number + 1}","items":[{items}],"carry_over":[]}}}}\n</result>'
    )


def _completed(engine: Engine, workflow: str, tasks: list[str], said: Output) -> str:
    for number, task in enumerate(tasks):
        for status, text in (("in_progress", ""), ("completed", said(number))):
            engine.update_task(
                Update(workflow_id=workflow, task_id=task, status=status, output=text)
            )
    return workflow
