"""`relaybook work` as a process, with small shell commands in the place of agents."""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from relaybook.engine import Engine
from relaybook.engine.request import Update
from relaybook.model import Attempt, Outcome, Status, Task
from relaybook.store.cases import get_task
from relaybook.store.tables import ATTEMPTS
from relaybook.store.texts import get_text

from .conftest import Run

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
ANSWER = """printf '<result>\\n{"n": 1}\\n</result>\\n'"""


def plan(engine: Engine, *ids: str, **fields: Any) -> str:
    said = {
        "template": "supervised_piece",
        "args": {"done_criteria": ["n is there"]},
        "schema": SCHEMA,
    }
    tasks = [{"id": name, "label": f"Piece {name}", **said, **fields} for name in ids]
    return engine.create_workflow("fan_out", "work", tasks=tasks)["workflow_id"]


def task(engine: Engine, workflow_id: str, task_id: str = "t1") -> Task:
    with engine.store.read() as tx:
        return get_task(tx, workflow_id, task_id)


def attempts(engine: Engine, workflow_id: str, task_id: str = "t1") -> Sequence[Attempt]:
    where = "WHERE workflow_id = :workflow_id AND task_id = :task_id ORDER BY number"
    with engine.store.read() as tx:
        return ATTEMPTS.find(tx, where, workflow_id=workflow_id, task_id=task_id)


def text(engine: Engine, workflow_id: str, name: str | None) -> str:
    with engine.store.read() as tx:
        return get_text(tx, workflow_id, str(name))


def work(ledger: Path, command: str, *more: str) -> list[str]:
    return ["work", "--store", str(ledger), "--shell", "--command", command, "--wait", "0", *more]


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    with anyio.fail_after(seconds):
        while not holds():  # noqa: ASYNC110 - another process makes it hold
            await anyio.sleep(0.02)


async def ended(process: "subprocess.Popen[str]") -> int:
    await until(lambda: process.poll() is not None)
    return process.wait()


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock on `path`."""
    with path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def holder(tmp_path: Path, sigterm: str = "SIG_DFL") -> str:
    """A command that holds the lock on `held` as long as it lives."""
    script = tmp_path / "holder.py"
    script.write_text(
        "import fcntl, signal, time\n"
        f"signal.signal(signal.SIGTERM, signal.{sigterm})\n"
        "file = open('held', 'w')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "open('holding', 'w').close()\n"
        "time.sleep(60)\n",
        encoding="utf-8",
    )
    return "python3 holder.py"


@pytest.mark.requirement("S118")
async def test_a_result_is_recorded_for_the_task_that_was_claimed(
    engine: Engine, ledger: Path, relaybook_process: Run, tmp_path: Path
) -> None:
    workflow = plan(engine, "t1")
    names = "RELAYBOOK_ROLE RELAYBOOK_WORKFLOW RELAYBOOK_TASK RELAYBOOK_CLAIM"
    command = f"cat > prompt; for v in {names}; do printenv $v; done > env; {ANSWER}"

    worker = relaybook_process(*work(ledger, command))

    assert await ended(worker) == 0
    done, (attempt,) = task(engine, workflow), attempts(engine, workflow)
    assert (done.status, attempt.outcome) == (Status.COMPLETED, Outcome.COMPLETED)
    assert str(attempt.session_key).endswith(f":{worker.pid}")
    assert json.loads(text(engine, workflow, done.result)) == {"data": {"n": 1}, "status": "ok"}
    assert (tmp_path / "prompt").read_text() == text(engine, workflow, attempt.prompt)
    assert (tmp_path / "env").read_text().split() == ["worker", workflow, "t1", attempt.claim]


@pytest.mark.requirement("S84", "S85", "S88", "S89")
async def test_output_without_a_result_fails_and_is_kept_until_no_retry_is_left(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    workflow = plan(engine, "t1", "t2")
    command = f"[ $RELAYBOOK_TASK = t1 ] && echo all done || {ANSWER}"

    worker = relaybook_process(*work(ledger, command))

    assert await ended(worker) == 1
    failed, made = task(engine, workflow), attempts(engine, workflow)
    assert (failed.status, failed.failures) == (Status.FAILED, 3)
    assert [attempt.error_code for attempt in made] == ["malformed_output"] * 3
    assert {text(engine, workflow, attempt.output) for attempt in made} == {"all done\n"}
    assert task(engine, workflow, "t2").status is Status.COMPLETED


async def test_the_error_names_what_is_wrong_with_a_result(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    workflow = plan(engine, "t1")

    worker = relaybook_process(*work(ledger, 'echo \'<result>{"n": "one"}</result>\''))

    assert await ended(worker) == 1
    assert '/n: is "one"; expected type "integer"' in str(task(engine, workflow).error)


async def test_a_command_that_only_repeats_its_prompt_fails(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    workflow = plan(engine, "t1")

    worker = relaybook_process(*work(ledger, "cat"))

    assert await ended(worker) == 1
    assert task(engine, workflow).error_code == "malformed_output"
    assert "is the example of the prompt" in str(task(engine, workflow).error)


async def test_a_crash_is_recorded_with_the_end_of_standard_error(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    workflow = plan(engine, "t1")
    noise = "python3 -c \"import sys; sys.stderr.write('x' * 100_000 + 'the cause')\""

    worker = relaybook_process(*work(ledger, f"{noise}; exit 3"))

    assert await ended(worker) == 1
    failed = task(engine, workflow)
    assert failed.error_code == "crash"
    assert str(failed.error).startswith("ended with exit code 3: xxx")
    assert str(failed.error).endswith("the cause")
    assert len(str(failed.error)) == 2_000


async def test_a_result_counts_whatever_the_exit_code(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    workflow = plan(engine, "t1")

    worker = relaybook_process(*work(ledger, f"{ANSWER}; exit 3"))

    assert await ended(worker) == 0
    assert task(engine, workflow).status is Status.COMPLETED


async def test_a_command_that_asks_leaves_its_task_waiting_for_an_answer(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    workflow = plan(engine, "t1")
    asked = '{"status": "needs_input", "questions": ["Which n?"]}'

    worker = relaybook_process(*work(ledger, f"echo '<result>{asked}</result>'"))

    assert await ended(worker) == 1
    assert task(engine, workflow).status is Status.INPUT_REQUIRED
    assert worker.stderr is not None
    told = worker.stderr.read()
    assert (
        f"1 task(s) of '{workflow}' wait for an answer: relaybook resolve --id {workflow}" in told
    )


async def test_a_server_and_a_ledger_at_once_are_refused(
    ledger: Path, relaybook_process: Run
) -> None:
    worker = relaybook_process(*work(ledger, "true", "--url", "http://127.0.0.1:1/mcp"))

    assert await ended(worker) == 2
    assert worker.stderr is not None
    assert "Allowed: --url, or --store" in worker.stderr.read()


@pytest.mark.requirement("S85")
async def test_the_time_limit_ends_the_whole_process_group(
    engine: Engine, ledger: Path, relaybook_process: Run, tmp_path: Path
) -> None:
    workflow = plan(engine, "t1", timeout_seconds=2)

    stubborn = holder(tmp_path, sigterm="SIG_IGN")
    worker = relaybook_process(*work(ledger, f"{stubborn} & echo begun; wait"))
    await until((tmp_path / "holding").exists)
    assert is_locked(tmp_path / "held")
    assert await ended(worker) == 1
    failed, (attempt,) = task(engine, workflow), attempts(engine, workflow)
    assert not is_locked(tmp_path / "held")
    assert failed.error_code == "timeout"
    assert failed.error == "ended after its time limit of 2 s: begun"
    assert text(engine, workflow, attempt.output) == "begun\n"


async def test_what_a_command_leaves_running_cannot_hold_its_result_back(
    engine: Engine, ledger: Path, relaybook_process: Run, tmp_path: Path
) -> None:
    workflow = plan(engine, "t1")
    wait = "while ! [ -e holding ]; do sleep 0.02; done"

    worker = relaybook_process(*work(ledger, f"{holder(tmp_path)} & {wait}; {ANSWER}"))

    assert await ended(worker) == 0
    assert task(engine, workflow).status is Status.COMPLETED
    assert not is_locked(tmp_path / "held")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stopped_worker_ends_its_command_and_gives_its_claim_back(
    number: signal.Signals, engine: Engine, ledger: Path, relaybook_process: Run, tmp_path: Path
) -> None:
    workflow = plan(engine, "t1")
    worker = relaybook_process(*work(ledger, f"{holder(tmp_path)} & wait"))
    await until((tmp_path / "holding").exists)

    worker.send_signal(number)

    assert await ended(worker) == 130
    given, (attempt,) = task(engine, workflow), attempts(engine, workflow)
    assert (given.status, given.failures, given.claim) == (Status.PENDING, 0, None)
    assert attempt.outcome is Outcome.RELEASED
    assert not is_locked(tmp_path / "held")


async def test_renewals_keep_a_claim_for_longer_than_its_lease(
    engine: Engine, ledger: Path, relaybook_process: Run, tmp_path: Path
) -> None:
    workflow = plan(engine, "t1")
    command = f"touch began; while ! [ -e go ]; do sleep 0.02; done; {ANSWER}"
    worker = relaybook_process(*work(ledger, command, "--lease", "5"))
    await until((tmp_path / "began").exists)
    first_end = task(engine, workflow).lease_until or 0.0
    await until(lambda: (task(engine, workflow).lease_until or 0.0) > first_end + 1)
    later = Engine(engine.store, clock=lambda: first_end + 1)

    answer = later.claim_task(workflow)

    assert (answer["claimed"], answer["reason"][:9]) == (False, "all taken")
    (tmp_path / "go").touch()
    assert await ended(worker) == 0
    assert task(engine, workflow).attempt == 1


async def test_a_command_whose_task_is_cancelled_is_ended(
    engine: Engine, ledger: Path, relaybook_process: Run, tmp_path: Path
) -> None:
    workflow = plan(engine, "t1")
    worker = relaybook_process(*work(ledger, f"{holder(tmp_path)} & wait", "--lease", "5"))
    await until((tmp_path / "holding").exists)

    engine.update_task(Update(status="cancelled", workflow_id=workflow, task_id="t1"))

    assert await ended(worker) == 0
    assert not is_locked(tmp_path / "held")
    assert "not reported" in str(worker.stderr and worker.stderr.read())


async def test_the_task_of_a_killed_worker_is_taken_over(
    engine: Engine, ledger: Path, relaybook_process: Run, tmp_path: Path
) -> None:
    workflow = plan(engine, "t1")
    first = relaybook_process(*work(ledger, "echo $$ > first; exec sleep 60", "--lease", "5"))
    await until(lambda: (tmp_path / "first").exists() and (tmp_path / "first").stat().st_size > 0)

    first.kill()
    second = relaybook_process(*work(ledger, ANSWER, "--wait", "20"))

    assert await ended(second) == 0
    os.killpg(int((tmp_path / "first").read_text()), signal.SIGKILL)
    lost, done = attempts(engine, workflow)
    assert (lost.outcome, lost.error_code) == (Outcome.EXPIRED, "lost_session")
    assert done.outcome is Outcome.COMPLETED
    assert str(done.session_key).endswith(f":{second.pid}")


async def test_as_many_commands_run_at_once_as_were_asked_for(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    workflow = plan(engine, "t1", "t2", "t3", "t4")
    meet = "while [ $(ls | grep -c began) -lt 3 ]; do sleep 0.02; done"
    command = f"touch $RELAYBOOK_TASK.began; {meet}; {ANSWER}"

    worker = relaybook_process(*work(ledger, command, "--parallel", "3"))

    assert await ended(worker) == 0
    assert engine.show_workflow(workflow)["status"] == "completed"


async def test_a_step_that_becomes_ready_is_taken_at_once(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    fields = {"template": "supervised_piece", "args": {"done_criteria": ["n"]}, "schema": SCHEMA}
    steps = [{"id": name, "label": name, **fields} for name in ("t1", "t2", "t3")]
    workflow = engine.create_workflow("pipeline", tasks=steps)["workflow_id"]

    worker = relaybook_process(*work(ledger, ANSWER, "--parallel", "2"))

    assert await ended(worker) == 0
    assert engine.show_workflow(workflow)["status"] == "completed"


async def test_a_worker_that_is_kept_takes_what_is_planned_later(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    worker = relaybook_process(*work(ledger, ANSWER)[:-2], "--keep")
    plan(engine, "t1")
    await until(lambda: engine.list_workflows()["workflows"][0]["status"] == "completed")

    worker.send_signal(signal.SIGTERM)

    assert await ended(worker) == 130


@pytest.mark.requirement("S84")
async def test_a_busy_ledger_loses_no_result(
    engine: Engine, ledger: Path, relaybook_process: Run, tmp_path: Path
) -> None:
    workflow = plan(engine, "t1")
    command = f"touch began; while ! [ -e go ]; do sleep 0.02; done; {ANSWER}; touch answered"
    worker = relaybook_process(*work(ledger, command))
    await until((tmp_path / "began").exists)

    with engine.store.transaction():
        (tmp_path / "go").touch()
        await until((tmp_path / "answered").exists)
        before = time.monotonic()
        await until(lambda: time.monotonic() > before + 0.5)

    assert await ended(worker) == 0
    assert task(engine, workflow).status is Status.COMPLETED
