"""watch: follows work that another process does, and ends with it."""

import io
import json
from pathlib import Path

from rich.console import Console

from relaybook.cli.watch_bars import Bars
from relaybook.engine import Engine
from tests.helpers import start, update

from .conftest import Run


def test_watch_says_each_change_and_ends_with_the_work(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    id = engine.create_workflow("fan_out", tasks=[{"id": "a", "label": "Do a"}])["workflow_id"]
    process = relaybook_process("watch", id, "--store", str(ledger))
    assert process.stdout is not None

    lines = [process.stdout.readline()]
    start(engine, id, "a")
    lines.append(process.stdout.readline())
    update(engine, id, "a", "completed", output="Done.", accept_raw=True)
    rest, _ = process.communicate(timeout=60)

    assert lines == [f"{id} in_progress; 0/1 done\n", f"{id} in_progress; 0/1 done; running a\n"]
    assert rest == f"{id} completed; 1/1 done\n"
    assert process.returncode == 0


def test_watch_without_an_id_ends_where_nothing_is_active(
    engine: Engine, ledger: Path, relaybook_process: Run
) -> None:
    process = relaybook_process("watch", "--json", "--store", str(ledger))

    out, _ = process.communicate(timeout=60)

    assert (process.returncode, json.loads(out)) == (0, {"workflows": []})


def test_a_terminal_shows_a_bar_and_the_time_left_and_obeys_no_text() -> None:
    seen = io.StringIO()
    running = {"task_id": "a", "label": "\x1b[2J[red]x", "minutes": 7.0, "expected_minutes": 5.0}
    forecast = {
        "workflow_id": "wf_1",
        "name": "Review",
        "status": "in_progress",
        "done": 1,
        "total": 4,
        "failed": 1,
        "minutes_left": 12.5,
        "running": [running],
    }

    with Bars(Console(file=seen, force_terminal=True, width=160, no_color=True)) as bars:
        bars.show([forecast])

    assert "Review (wf_1)" in seen.getvalue()
    assert "1/4 about 12 min 30 s left, 1 failed" in seen.getvalue()
    assert "7 of 5 min" in seen.getvalue()
    assert "[red]x" in seen.getvalue()
    assert "\x1b[2J" not in seen.getvalue()
