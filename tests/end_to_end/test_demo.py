"""The demo's analyser in the place of an agent, under a real worker."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from relaybook.core.result.envelope import from_json
from relaybook.engine import Engine
from relaybook.store.tables import TASKS
from relaybook.store.texts import get_text

from .conftest import Run

ANALYSER = Path(__file__).parents[2] / "demo" / "comment_quality.py"
COMMAND = shlex.join([sys.executable, str(ANALYSER)])
GOOD = '''"""What it is."""

# Why it is so.
LIMIT = 3


def public() -> int:
    """What it answers."""
    return LIMIT


def other() -> None:
    pass
'''


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    missing = tmp_path / "projct"

    ran = subprocess.run(
        [sys.executable, ANALYSER.with_name("run.py"), "--dir", missing],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stdout) == (1, f"There is no folder at {missing}.\n")


def test_a_signal_ends_the_workers_too_and_a_pipe_is_no_file(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"m{number}.py").write_text(GOOD, encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.py")
    words = [sys.executable, ANALYSER.with_name("run.py"), "--dir", tmp_path]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        began = demo.stdout.readline()

        demo.send_signal(signal.SIGTERM)

        told = demo.stdout.read()  # until the last process that holds it has ended
    assert began.startswith("3 files in ")
    assert (demo.returncode, "SIGTERM: ending the workers" in told) == (130, True)


def answers(engine: Engine, workflow_id: str) -> dict[str, Any]:
    """The answer for each file, from the results of all partitions."""
    with engine.store.read() as tx:
        tasks = TASKS.find(tx, "WHERE workflow_id = :id ORDER BY position", id=workflow_id)
        texts = [get_text(tx, workflow_id, str(task.result)) for task in tasks]
    results = [from_json(text).data for text in texts]
    return {item["id"]: item["answer"] for result in results for item in result["items"]}


@pytest.mark.requirement("S41")
@pytest.mark.parametrize(
    ("wanted", "good"),
    [
        (
            {"answer_schema": {"type": "object"}},
            {"code_lines": 5, "comment_lines": 1, "public": 3, "documented": 2, "score": 4},
        ),
        ({}, 4),
    ],
)
def test_every_file_is_judged_or_named_with_the_reason(
    wanted: dict[str, Any], good: Any, engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    files = {"good.py": GOOD, "empty.py": "", "bad.py": "def f(:\n", "open.py": "x = (\n"}
    for name, content in files.items():
        (ledger.parent / name).write_text(content, encoding="utf-8")
    items = [{"id": name} for name in [*files, "gone.py"]]
    args = {"instruction": "Judge the comments of each file.", **wanted}
    workflow = engine.create_workflow("map_reduce", items=items, batches=2, args=args)

    worker = relaybook_process("work", "--command", COMMAND, "--store", str(ledger))
    worker.communicate(timeout=30)

    found = answers(engine, workflow["workflow_id"])
    empty = found.pop("empty.py")
    assert worker.returncode == 0
    assert found == {"good.py": good, "bad.py": None, "open.py": None, "gone.py": None}
    assert (empty["score"] if wanted else empty) is None
