"""A report as Markdown. What workers wrote stands in code, where nothing in it means anything."""

import re
from collections.abc import Iterator

from relaybook.core.report import Report, TaskLine, minutes

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|!~])")


def as_markdown(report: Report) -> str:
    """Facts, digest, graph, a table of the tasks, then each task with its runs and result."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {_plain(report.title)}\n"
    yield from (f"- {name}: {_plain(value)}" for name, value in report.facts.items())
    yield f"\n{_plain(report.sentence)}\n"
    yield from (f"- {_plain(line)}" for line in report.mention)
    yield f"\n```mermaid\n{report.graph.rstrip()}\n```\n"
    yield "| task | status | runs | minutes | summary |\n|---|---|---|---|---|"
    for task in report.tasks:
        cells = (task.id, task.status, str(len(task.runs)), _took(task, report), task.summary)
        yield f"| {' | '.join(map(_plain, cells))} |"
    for task in report.tasks:
        yield from _task(task, report)


def _task(task: TaskLine, report: Report) -> Iterator[str]:
    yield f"\n## {_plain(task.id)}\n\n{_plain(task.label)}\n"
    if task.needs:
        yield f"Waits for {_plain(', '.join(task.needs))}.\n"
    for run in task.runs:
        told = f"{run.number}. {run.outcome}, {minutes(run, report.span[1])}"
        yield _plain(f"{told}, {run.session}" if run.session else told).replace("\\.", ".")
        if run.error:
            yield _fenced(run.error)
    if task.result:
        yield _fenced(task.result, "json")


def _took(task: TaskLine, report: Report) -> str:
    return minutes(task.runs[-1], report.span[1]) if task.runs else ""


def _plain(text: str) -> str:
    """`text` in one line, every sign that Markdown or HTML could mean escaped."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _fenced(text: str, language: str = "") -> str:
    """`text` in a fence longer than any in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"\n{fence}{language}\n{text}\n{fence}\n"
