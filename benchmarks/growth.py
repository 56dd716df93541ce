"""Each tool while the ledger grows, and while its workflow does; the verbs that name one task
are to cost the same.
"""

import itertools
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.measure import Block, Samples, interleave, ratio, timed
from benchmarks.six import Six, measured, new_workflow
from benchmarks.table import line
from benchmarks.tools import in_ledger, in_workflow
from benchmarks.workload import WIDTH
from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.store.sqlite import SqliteStore

ROUNDS = 40
WARM_UP = 5
#: Of the tools that tell of whole workflows: rounds and warm-up.
WHOLE_LEDGERS, WHOLE_WORKFLOWS = (20, 2), (3, 1)
LEDGERS = (0, 10_000, 200_000)
#: Takes minutes to fill, and 4 GB of disk: measured only when it is asked for.
MILLION = (0, 1_000_000)
WORKFLOWS = (10, 1_000, 100_000)
#: How many tasks of a workflow are completed when it is measured, and how many are still to do.
COMPLETED, TO_DO = (0, 9_996), 300
#: How many tasks each workflow of a filled ledger has, and those that are worked on.
FILLER_TASKS = 100
TARGET = "<= 1.1"

_TABLES = ("workflows", "tasks", "attempts", "edges", "events", "texts", "prints")


def run() -> Iterator[str]:
    yield from _ledgers(LEDGERS)
    with tempfile.TemporaryDirectory() as folder:
        yield from _workflows(Path(folder) / "ledger.db")
    with tempfile.TemporaryDirectory() as folder:
        yield from _late(Path(folder) / "ledger.db")


def run_million() -> Iterator[str]:
    yield from _ledgers(MILLION)


def _ledgers(sizes: Sequence[int]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        engines = {size: filled(Path(folder) / f"{size}.db", size) for size in sizes}
        blocks = [_block(engine, FILLER_TASKS, size) for size, engine in engines.items()]
        samples = interleave(blocks, ROUNDS, WARM_UP)
        whole = [in_ledger(engine, size) for size, engine in engines.items()]
        others = interleave(whole, *WHOLE_LEDGERS)
        for engine in engines.values():
            engine.store.close()
    yield from _lines(samples, sizes, "{verb}, {size:,} other tasks / none", TARGET)
    yield from _lines(others, sizes, "{verb}, {size:,} other tasks / none")


def _workflows(path: Path) -> Iterator[str]:
    engine = Engine(SqliteStore(path, "normal"))
    blocks = [_block(engine, size, size) for size in WORKFLOWS]
    samples = interleave(blocks, ROUNDS, WARM_UP)
    others = interleave([in_workflow(engine, size) for size in WORKFLOWS], *WHOLE_WORKFLOWS)
    engine.store.close()
    yield from _lines(samples, WORKFLOWS, "{verb}, workflow of {size:,} / of 10", TARGET)
    yield from _lines(others, WORKFLOWS, "{verb}, workflow of {size:,} / of 10")


def _late(path: Path) -> Iterator[str]:
    engine = Engine(SqliteStore(path, "normal"))
    blocks = [_block(engine, TO_DO, done, done) for done in COMPLETED]
    samples = interleave(blocks, ROUNDS, WARM_UP)
    engine.store.close()
    yield from _lines(samples, COMPLETED, "{verb}, {size:,} completed / none", TARGET)


def _lines(samples: Samples, sizes: Sequence[int], figure: str, target: str = "") -> Iterator[str]:
    least = f" {sizes[0]}"
    verbs = [name.removesuffix(least) for name in samples if name.endswith(least)]
    for verb, size in itertools.product(verbs, sizes[1:]):
        found = ratio(samples[f"{verb} {size}"], samples[verb + least])
        yield line(figure.format(verb=verb, size=size), found, target)


def _block(engine: Engine, tasks: int, name: int, done: int = 0) -> Block:
    """Six tasks a time of a workflow of `tasks` and `done` ones; of another when they are used up."""
    left: list[tuple[str, int]] = []

    def block() -> Mapping[str, float]:
        if not left:
            workflow = new_workflow(engine, done + tasks)
            _complete(engine, workflow, done)
            left.extend((workflow, first) for first in range(done, done + tasks - WIDTH + 1, WIDTH))
        workflow, first = left.pop(0)
        others = _others(engine, workflow, f"t{first}")
        spent = {f"{verb} {name}": timed(call) for verb, call in others.items()}
        return spent | measured(Six(engine, workflow, first), str(name))

    return block


def _complete(engine: Engine, workflow: str, tasks: int) -> None:
    for first in range(0, tasks, WIDTH):
        for verb in Six(engine, workflow, first).verbs().values():
            verb()


def _others(engine: Engine, workflow: str, task: str) -> Mapping[str, Callable[[], object]]:
    """One call of each verb that leaves its task to be started; in this order."""
    claimed: list[str] = []
    lines = [{"name": "lines", "value": 1}]
    return {
        "render": lambda: engine.render_prompt(workflow_id=workflow, task_id=task),
        "claim": lambda: claimed.append(engine.claim_task(workflow)["claim"]),
        "record": lambda: engine.record("metric", lines, claim=claimed[0]),
        "release": lambda: engine.update_task(Update(status="pending", claim=claimed[0])),
        "show": lambda: engine.show_workflow(workflow),
    }


def filled(path: Path, tasks: int) -> Engine:
    """An engine on a ledger that holds that many tasks already, a third of them completed."""
    engine = Engine(SqliteStore(path, "normal"))
    if tasks:
        workflow = new_workflow(engine, FILLER_TASKS)
        _complete(engine, workflow, FILLER_TASKS // 3)
        with closing(sqlite3.connect(path)) as conn, conn:
            conn.execute("PRAGMA cache_size = -500000")
            for table in _TABLES:
                _multiply(conn, table, tasks // FILLER_TASKS - 1)
    return engine


def _multiply(conn: sqlite3.Connection, table: str, copies: int) -> None:
    """Copy all rows of a table under the ids of other workflows; claims are unique, so they too."""
    names = [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]
    own = {"workflow_id", "claim", *(["id"] if table == "workflows" else [])}
    shown = ", ".join(f"{name} || suffix" if name in own else name for name in names)
    conn.execute(f"CREATE TEMP TABLE one AS SELECT * FROM {table}")
    conn.execute(
        "WITH RECURSIVE copies (nth, suffix) AS (SELECT 1, '_00000001' UNION ALL"
        " SELECT nth + 1, printf('_%08d', nth + 1) FROM copies WHERE nth < :copies)"
        f" INSERT INTO {table} ({', '.join(names)}) SELECT {shown} FROM copies CROSS JOIN one",
        {"copies": copies},
    )
    conn.execute("DROP TABLE one")
