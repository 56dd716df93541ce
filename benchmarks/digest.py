"""Aggregating a large workflow against one a tenth of its size: time and memory.

The time is that of one result. Memory is the most that Python holds at once during the call;
what lies on disk (core/merge/pile.py) is not counted, the pages of it in the cache are, at most 1 MB.
"""

import gc
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests import postgres

from benchmarks.measure import Block, interleave, ratio, timed
from benchmarks.table import line
from benchmarks.workload import output, plan
from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.store.base import Store
from relaybook.store.open import open_store
from relaybook.store.sqlite import SqliteStore

SIZES = (1_000, 10_000)
ROUNDS = 6
WARM_UP = 1
#: Linear: a result costs the same whatever their number.
TARGET = "<= 1.2"
#: Bounded: all of them need no more memory than a tenth of them.
MEMORY_TARGET = "<= 1.1"
ITEMS = 3

Output = Callable[[int], str]


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _measure("sqlite", SqliteStore(Path(folder) / "ledger.db", "normal"))
    yield from _measure("postgres", open_store(postgres.schema("benchmark_digest")))


def _measure(kind: str, store: Store) -> Iterator[str]:
    engine = Engine(store)
    for name, make in (("fan-out", _fan_out), ("map-reduce", _map_reduce)):
        workflows = {size: make(engine, size) for size in SIZES}
        yield from _compare(engine, f"{name}, {kind}", workflows)
    store.close()


def _compare(engine: Engine, name: str, workflows: Mapping[int, str]) -> Iterator[str]:
    blocks = [_block(engine, workflow, size) for size, workflow in workflows.items()]
    samples = interleave(blocks, ROUNDS, WARM_UP)
    small, large = SIZES
    found = ratio(samples[str(large)], samples[str(small)])
    yield line(f"aggregate {name}: a result of {large:,} / {small:,}", found, TARGET)
    peaks = {
        size: _peak(lambda workflow=workflow: engine.aggregate(workflow))
        for size, workflow in workflows.items()
    }
    figure = f"  its peak memory, {large:,} / {small:,} results"
    yield (
        f"{figure:<46} {peaks[large] / peaks[small]:>6.2f}  {'':<13} {MEMORY_TARGET:<8}"
        f" {peaks[large] / 1e6:>6.2f} MB {peaks[small] / 1e6:>6.2f} MB"
    )
    more = (peaks[large] - peaks[small]) / (large - small)
    yield f"  bytes that each further result takes: {more:.0f}"


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
