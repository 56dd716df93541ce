"""Whole verbs in this process against bare sqlite3 running the statements that they run.

The statements of one run are recorded and played back on a copy of the ledger as it stood
before, with the same values and the same pragmas, while the engine works on another copy. The
target binds with the default durability, where both wait for the disk at each commit; without
that wait the time is nearly all Python's.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.measure import Block, interleave, speed, timed
from benchmarks.recording import Statement, recording, replay
from benchmarks.six import VERBS, Six, measured, new_workflow
from benchmarks.table import line
from benchmarks.workload import WIDTH
from relaybook.engine import Engine
from relaybook.store.base import Durability
from relaybook.store.sqlite import CHECKPOINT_PAGES, SqliteStore

ROUNDS = 100
WARM_UP = 5
TARGETS: Mapping[Durability, str] = {"full": ">= 0.6", "normal": ""}

#: What each verb of six tasks said to the ledger.
Script = Mapping[str, list[Statement]]


def run() -> Iterator[str]:
    for durability in TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            yield from _measured(Path(folder) / "ledger.db", durability)


def _measured(ledger: Path, durability: Durability) -> Iterator[str]:
    workflow = _prepare(ledger)
    scripts = _record(_copy(ledger, "recorded"), workflow)
    engine = _open(_copy(ledger, "engine"), durability)
    bare = _bare(_copy(ledger, "bare"), durability)
    blocks = [_engine_block(engine, workflow), _bare_block(bare, scripts)]
    samples = interleave(blocks, ROUNDS, WARM_UP)
    engine.store.close()
    bare.close()
    for verb in (*VERBS, "all"):
        found = speed(samples[f"{verb} engine"], samples[f"{verb} bare"])
        name = "the three together" if verb == "all" else f"{verb}s a second"
        yield line(f"{name}, {durability}, engine / bare", found, TARGETS[durability])


def _prepare(path: Path) -> str:
    engine = _open(path, "normal")
    workflow = new_workflow(engine, (ROUNDS + WARM_UP) * WIDTH)
    engine.store.close()
    return workflow


def _copy(ledger: Path, name: str) -> Path:
    """A copy of a ledger that is closed, so that one file is all there is."""
    return Path(shutil.copy(ledger, ledger.with_stem(name)))


def _open(path: Path, durability: Durability) -> Engine:
    return Engine(SqliteStore(path, durability))


def _record(path: Path, workflow: str) -> list[Script]:
    scripts: list[Script] = []
    with recording() as log:
        engine = _open(path, "normal")
        for number in range(ROUNDS + WARM_UP):
            script: dict[str, list[Statement]] = {}
            for name, verb in Six(engine, workflow, number * WIDTH).verbs().items():
                log.clear()
                verb()
                script[name] = list(log)
            scripts.append(script)
        engine.store.close()
    return scripts


def _bare(path: Path, durability: Durability) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    conn.execute(f"PRAGMA synchronous = {durability}")
    conn.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    conn.execute("PRAGMA foreign_keys = ON")
    return conn


def _engine_block(engine: Engine, workflow: str) -> Block:
    firsts = iter(range(0, (ROUNDS + WARM_UP) * WIDTH, WIDTH))

    def block() -> Mapping[str, float]:
        return _with_all(measured(Six(engine, workflow, next(firsts)), "engine"), "engine")

    return block


def _bare_block(bare: sqlite3.Connection, scripts: list[Script]) -> Block:
    left = iter(scripts)

    def block() -> Mapping[str, float]:
        spent = {
            f"{verb} bare": timed(lambda said=said: replay(bare, said)) / WIDTH
            for verb, said in next(left).items()
        }
        return _with_all(spent, "bare")

    return block


def _with_all(spent: dict[str, float], suffix: str) -> Mapping[str, float]:
    return {**spent, f"all {suffix}": sum(spent.values())}
