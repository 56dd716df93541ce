"""`relaybook work --url` while its server is away: what its command answered is not lost."""

import signal
import subprocess
from pathlib import Path

import anyio
import pytest

from relaybook.engine import Engine

from .conftest import Run
from .test_http import announced
from .test_worker import ANSWER, ended, plan, until

pytestmark = pytest.mark.anyio

#: Answers once the file `go` is there.
COMMAND = f"touch began; while ! [ -e go ]; do sleep 0.02; done; {ANSWER}; touch answered"
WORK = ("work", "--shell", "--command", COMMAND)


def serve(run: Run, ledger: Path, port: str = "0") -> tuple["subprocess.Popen[str]", str]:
    """A server on the ledger, and its URL."""
    server = run("serve", "--role", "all", "--http", "--port", port, "--store", str(ledger))
    return server, announced(server)


async def takes_a_result_away(
    run: Run, ledger: Path, folder: Path, *options: str
) -> tuple["subprocess.Popen[str]", str]:
    """A worker whose command answered after its server had ended, and the server's URL."""
    server, url = serve(run, ledger)
    worker = run(*WORK, "--url", url, *options)
    await until((folder / "began").exists)
    server.kill()
    server.wait()
    (folder / "go").touch()
    await until((folder / "answered").exists)
    return worker, url


async def said(worker: "subprocess.Popen[str]", word: str) -> str:
    """The next line of the worker that holds the word."""
    assert worker.stderr is not None
    with anyio.fail_after(60):
        while True:
            line = await anyio.to_thread.run_sync(worker.stderr.readline, abandon_on_cancel=True)
            assert line, f"it ended before it said {word!r}"
            if word in line:
                return line


@pytest.mark.requirement("S84")
async def test_a_kept_worker_outlives_its_server_and_its_result_is_recorded(
    engine: Engine, ledger: Path, relaybook_process: Run, tmp_path: Path
) -> None:
    workflow = plan(engine, "t1")
    worker, url = await takes_a_result_away(relaybook_process, ledger, tmp_path, "--keep")
    assert "did not answer" in await said(worker, "waiting: ")

    serve(relaybook_process, ledger, port=url.rpartition(":")[2].removesuffix("/mcp"))

    await said(worker, "completed")
    assert engine.show_workflow(workflow)["status"] == "completed"
    worker.send_signal(signal.SIGTERM)
    assert await ended(worker) == 130


async def test_a_result_that_a_stopped_worker_cannot_record_is_kept_in_a_file(
    engine: Engine, ledger: Path, relaybook_process: Run, tmp_path: Path
) -> None:
    workflow = plan(engine, "t1")
    worker, _ = await takes_a_result_away(relaybook_process, ledger, tmp_path)
    await said(worker, "waiting: ")

    worker.send_signal(signal.SIGTERM)

    told = await said(worker, f"{workflow}/t1: its output is in ")
    assert await ended(worker) == 5
    (kept,) = [each async for each in anyio.Path(tmp_path).glob(f"{workflow}-t1-*.txt")]
    assert kept.name in told
    record = ("--id", workflow, "--task-id", "t1", "--status", "completed", "--result")
    update = relaybook_process("update", "--store", str(ledger), *record, f"@{kept}")
    assert await ended(update) == 0
    assert engine.show_workflow(workflow)["status"] == "completed"
