"""The same complete while the ledger grows around it, and while its own workflow does."""

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from benchmarks.measure import Block, interleave, ratio
from benchmarks.six import Six, measured, new_workflow
from benchmarks.table import line
from benchmarks.workload import WIDTH
from relaybook.engine import Engine
from relaybook.store.sqlite import SqliteStore

ROUNDS = 60
WARM_UP = 5
LEDGERS = (0, 10_000, 200_000)
WORKFLOWS = (10, 1_000, 20_000)
#: How many tasks each workflow of a filled ledger has.
FILLER_TASKS = 100
TARGET = "<= 1.2"

_TABLES = ("workflows", "tasks", "attempts", "edges", "events", "texts")


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _ledgers(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from _workflows(Path(folder) / "ledger.db")


def _ledgers(folder: Path) -> Iterator[str]:
    engines = {size: _filled(folder / f"{size}.db", size) for size in LEDGERS}
    blocks = [_block(engine, (ROUNDS + WARM_UP) * WIDTH, size) for size, engine in engines.items()]
    samples = interleave(blocks, ROUNDS, WARM_UP)
    for engine in engines.values():
        engine.store.close()
    floor = LEDGERS[0]
    for size in LEDGERS[1:]:
        found = ratio(samples[f"complete {size}"], samples[f"complete {floor}"])
        yield line(f"complete, {size:,} other tasks / none", found, TARGET)


def _workflows(path: Path) -> Iterator[str]:
    engine = Engine(SqliteStore(path, "normal"))
    blocks = [_block(engine, size, size) for size in WORKFLOWS]
    samples = interleave(blocks, ROUNDS, WARM_UP)
    engine.store.close()
    floor = WORKFLOWS[0]
    for size in WORKFLOWS[1:]:
        found = ratio(samples[f"complete {size}"], samples[f"complete {floor}"])
        yield line(f"complete, workflow of {size:,} tasks / {floor}", found, TARGET)


def _block(engine: Engine, tasks: int, name: int) -> Block:
    """Six tasks a time of a workflow of `tasks`, and of another when they are used up."""
    left: list[tuple[str, int]] = []

    def block() -> Mapping[str, float]:
        if not left:
            workflow = new_workflow(engine, tasks)
            left.extend((workflow, first) for first in range(0, tasks - WIDTH + 1, WIDTH))
        return measured(Six(engine, *left.pop(0)), str(name))

    return block


def _filled(path: Path, tasks: int) -> Engine:
    """An engine on a ledger that holds that many tasks already, a third of them completed."""
    engine = Engine(SqliteStore(path, "normal"))
    if tasks:
        workflow = new_workflow(engine, FILLER_TASKS)
        for first in range(0, FILLER_TASKS // 3, WIDTH):
            for verb in Six(engine, workflow, first).verbs().values():
                verb()
        with closing(sqlite3.connect(path)) as conn, conn:
            for table in _TABLES:
                _multiply(conn, table, tasks // FILLER_TASKS - 1)
    return engine


def _multiply(conn: sqlite3.Connection, table: str, copies: int) -> None:
    """Copy all rows of a table under the ids of other workflows; claims are unique, so they too."""
    names = [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]
    own = {"workflow_id", "claim", *(["id"] if table == "workflows" else [])}
    shown = ", ".join(f"{name} || :copy" if name in own else name for name in names)
    conn.execute(f"CREATE TEMP TABLE one AS SELECT * FROM {table}")
    sql = f"INSERT INTO {table} ({', '.join(names)}) SELECT {shown} FROM one"
    conn.executemany(sql, ({"copy": f"_{number}"} for number in range(copies)))
    conn.execute("DROP TABLE one")
