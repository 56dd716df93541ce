"""Many processes on one ledger, and processes that are killed: nothing twice, nothing lost."""

import multiprocessing
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from relaybook.engine import Engine
from relaybook.store.base import Store
from relaybook.store.sqlite import SqliteStore
from tests.helpers import PROMPTS, complete, task, workflow

WORKERS, TASKS = 8, 200
KILLS, SEED = 50, 20260731


def engine_at(path: Path) -> tuple[Store, Engine]:
    store = SqliteStore(path, "normal")
    return store, Engine(store, (PROMPTS,), token=secrets.token_hex)


def work(path: Path, workflow_id: str) -> None:
    """Claim and complete until the workflow is over; any error but 'nothing now' is fatal."""
    store, engine = engine_at(path)
    while True:
        answer = engine.claim_task(workflow_id)
        if answer["claimed"]:
            complete(engine, workflow_id, answer["task_id"], os.getpid(), claim=answer["claim"])
        elif "retry_after_seconds" not in answer:
            break
        else:
            time.sleep(0.002)
    store.close()


@pytest.mark.requirement("S134")
def test_eight_workers_do_every_task_once(tmp_path: Path) -> None:
    store, engine = engine_at(tmp_path / "ledger.db")
    draw = random.Random(SEED)
    plan = [
        task(f"t{n}", *{f"t{draw.randrange(n)}" for _ in range(draw.randrange(3)) if n})
        for n in range(TASKS)
    ]
    workflow_id = workflow(engine, *plan, pattern="pipeline")
    spawn = multiprocessing.get_context("spawn")
    workers = [
        spawn.Process(target=work, args=(tmp_path / "ledger.db", workflow_id))
        for _ in range(WORKERS)
    ]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0] * WORKERS
    with store.read() as tx:
        attempts = tx.rows("SELECT task_id, outcome FROM attempts")
        seqs = tx.rows("SELECT seq FROM events ORDER BY seq")
    assert Counter(attempts) == {(f"t{n}", "completed"): 1 for n in range(TASKS)}
    assert seqs == [(n + 1,) for n in range(1 + TASKS + 2 * TASKS)]
    assert engine.show_workflow(workflow_id)["status"] == "completed"
    store.close()


WRITER = f"""
import sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from tests.end_to_end.test_processes import write_until_killed
write_until_killed(Path(sys.argv[1]))
"""


def write_until_killed(path: Path) -> None:
    """Make workflows of one task and complete them, printing each update once it is answered."""
    _, engine = engine_at(path)
    while True:
        name = workflow(engine, "a")
        say("created", name)
        claim = engine.claim_task(name)["claim"]
        say("started", claim)
        complete(engine, name, "a", name, claim=claim)
        say("completed", name)


def say(kind: str, name: str) -> None:
    os.write(sys.stdout.fileno(), f"{kind} {name}\n".encode())


@pytest.mark.requirement("S134", "S135")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [SEED])
def test_what_was_answered_survives_a_kill_at_any_moment(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "ledger.db"
    draw = random.Random(seed)

    for _ in range(KILLS):
        said = killed_writer(path, draw)
        store, engine = engine_at(path)
        assert missing(store, said) == []
        complete_one_more(engine)
        store.close()


def killed_writer(path: Path, draw: random.Random) -> list[tuple[str, str]]:
    """What a writer said before it was killed, a random few lines and moments into its work."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(draw.randrange(1, 12))]
        time.sleep(draw.random() * 0.01)
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
    whole = (line.split() for line in lines if line.endswith("\n"))
    return [(kind, name) for kind, name in whole]


def missing(store: Store, said: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The updates that were answered and are not in the ledger."""
    with store.read() as tx:
        assert tx.rows("PRAGMA integrity_check") == [("ok",)]
        there = {("created", row[0]) for row in tx.rows("SELECT id FROM workflows")}
        there |= {("started", row[0]) for row in tx.rows("SELECT claim FROM attempts")}
        done = "SELECT workflow_id FROM attempts WHERE outcome = 'completed'"
        there |= {("completed", row[0]) for row in tx.rows(done)}
        count = "SELECT count(*) FROM events WHERE workflow_id = workflows.id"
        assert tx.rows(f"SELECT id FROM workflows WHERE seq <> ({count})") == []
    return [each for each in said if each not in there]


def complete_one_more(engine: Engine) -> None:
    name = workflow(engine, "a")
    claim = engine.claim_task(name)["claim"]
    assert complete(engine, name, "a", claim=claim)["workflow_status"] == "completed"
