"""What a person sees: plain lines in a pipe, tables on a terminal, and no text that acts."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from relaybook.cli.plain import Plain
from relaybook.cli.pretty import Pretty
from relaybook.cli.printing import show, words
from relaybook.cli.shown import aggregated, duration, listed, shown_workflow

FULL = Path("/dev/full")
ROW: dict[str, Any] = {
    "workflow_id": "wf_1",
    "name": "review",
    "type": "fan_out",
    "status": "in_progress",
    "progress": "1/3 complete",
    "elapsed_seconds": 4_000,
    "stalled": True,
    "update_due": True,
}
HOSTILE = "\x1b[31mred\x1b[0m [bold]loud[/bold] \u202ebackwards\nsecond line\ttab \x9b2J"
CLEAN = "[31mred[0m [bold]loud[/bold] backwards second line tab 2J"


def on_terminal(answer: dict[str, Any], width: int = 100) -> str:
    written = io.StringIO()
    console = Console(
        file=written, force_terminal=True, color_system=None, width=width, markup=False
    )
    show(answer, Pretty(console))
    return written.getvalue()


def in_pipe(answer: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    show(answer, Plain())
    return capsys.readouterr().out


def test_a_pipe_gets_lines_and_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    answer = {
        "summary": "two tasks",
        "seq": 4,
        "ready": ["a", "b"],
        "counts": {"pending": 1, "not_started": 2},
        "empty": [],
        "tasks": [{"id": "a", "has_result": True}, {"id": "b", "summary": None}],
        "prompt": "## Role\nYou.\n",
        "next": "go on",
    }

    assert in_pipe(answer, capsys) == (
        "two tasks\n"
        "seq: 4\n"
        "ready: a, b\n"
        "counts: pending 1, not started 2\n"
        "\n"
        "tasks\n"
        "id\thas result\tsummary\n"
        "a\tyes\t\n"
        "b\t\t\n"
        "## Role\nYou.\n"
        "Next: go on\n"
    )


def test_a_summary_of_several_lines_stays_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert in_pipe({"summary": ["one", "two\x1b[31m"]}, capsys) == "one\ntwo[31m\n"


def test_texts_of_workers_neither_act_nor_count_as_markup(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = {"summary": HOSTILE, "error": HOSTILE, "tasks": [{"summary": HOSTILE}]}

    for shown in (in_pipe(answer, capsys), on_terminal(answer)):
        assert shown.count(CLEAN) == 3
        assert not set(shown) & {"\x1b", "\x9b", "\u202e"}


def test_a_prompt_keeps_its_lines_and_tags(capsys: pytest.CaptureFixture[str]) -> None:
    prompt = "## Output\n<result>\n[bold]{}\x1b[2J\n</result>\n" + "long " * 100
    kept = prompt.replace("\x1b", "")

    assert in_pipe({"prompt": prompt}, capsys) == f"{kept}\n"
    assert on_terminal({"prompt": prompt}) == f"{kept}\n"


def test_a_terminal_gets_a_table_that_fits() -> None:
    shown = on_terminal(dict(listed({"workflows": [ROW], "summary": "1 workflow(s)"})), width=80)

    assert all(len(line) <= 80 for line in shown.splitlines())
    for word in ("wf_1", "review", "fan_out", "in_progress", "1/3", "1 h 6 min", "stalled"):
        assert word in shown


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, ""),
        (True, "yes"),
        (0.25, "0.25"),
        (("a", 1), "a, 1"),
        ({"not_started": 2, "of": ["a", "b"]}, "not started 2, of a, b"),
        (" a\n b ", "a b"),
    ],
)
def test_any_value_is_one_line(value: Any, told: str) -> None:
    assert words(value) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (4_000, "1 h 6 min"), (200_000, "2 d 7 h")],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_a_workflow_is_told_in_its_first_line_and_its_tasks_with_icons() -> None:
    task = {"id": "a", "label": "Do a", "status": "completed", "has_result": True}

    shown = shown_workflow({**ROW, "tasks": [task], "cursor": "20"})

    assert shown == {
        "summary": "wf_1 'review': in_progress, 1/3 complete",
        "type": "fan_out",
        "elapsed": "1 h 6 min",
        "attention": "stalled, update due",
        "tasks": [{"status": "✅ completed", "id": "a", "label": "Do a"}],
        "next": "--cursor 20 for more",
    }


def test_a_digest_ends_with_what_the_synthesis_must_say() -> None:
    brief = {"rule": "Integrate.", "must_mention": ["The gap."], "audience": "you"}

    shown = aggregated({"summary": "1 of 2", "seq": 3, "brief": brief, "next": "write"})

    assert shown == {"summary": "1 of 2", "text": "\nIntegrate.\n- The gap.", "next": "write"}


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["words", "json"])
def test_an_answer_that_cannot_be_written_is_told_once(form: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "relaybook", "templates", "list", *form],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert ran.returncode == 1
    assert ran.stderr.startswith("error[answer_lost]: The answer could not be written")
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_takes_nothing_from_a_command(closed: str, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    command = [sys.executable, "-m", "relaybook", "serve", "--store", str(ledger)]

    served = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (served.returncode, served.stdout, served.stderr) == (0, "", "")
    assert ledger.read_bytes().startswith(b"SQLite format 3")
