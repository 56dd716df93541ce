"""A report as one HTML page that loads nothing and runs nothing: every text in it is escaped."""

from collections.abc import Iterator
from html import escape

from relaybook.core.report import Report, Run, TaskLine, minutes

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --done: #2e7d32; --bad: #c62828; --run: #0277bd }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--line) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem }
dt { opacity: .7 } dd { margin: 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8881; padding: .6rem }
.lane { position: relative; height: 1rem; min-width: 12rem; background: #8881 }
.lane i { position: absolute; height: 100%; min-width: 3px; background: var(--bad) }
.lane i.completed { background: var(--done) } .lane i.in_progress { background: var(--run) }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(report: Report) -> str:
    """Facts, digest, a table with a timeline of the runs, and the results to unfold."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    title = escape(report.title)
    yield f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<dl>"
    for name, value in report.facts.items():
        yield f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
    yield f"</dl>\n<p>{escape(report.sentence)}</p>\n<ul>"
    yield from (f"<li>{escape(line)}</li>" for line in report.mention)
    yield "</ul>\n<table>\n<thead><tr><th>task</th><th>status</th><th>waits for</th>"
    yield "<th>runs</th><th>result</th></tr></thead>\n<tbody>"
    yield from (_row(task, report) for task in report.tasks)
    yield "</tbody>\n</table>\n</main>\n</body>\n</html>"


def _row(task: TaskLine, report: Report) -> str:
    cells = (
        f"<strong>{escape(task.id)}</strong><br>{escape(task.label)}",
        escape(task.status),
        escape(", ".join(task.needs)),
        _lane(task, report),
        _result(task),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _lane(task: TaskLine, report: Report) -> str:
    if not task.runs:
        return ""
    bars = "".join(_bar(run, report) for run in task.runs)
    expected = f"{minutes(task.runs[-1], report.span[1])} of {task.expected_minutes:g} expected"
    errors = "".join(f"<br>{escape(run.error)}" for run in task.runs if run.error)
    return f'<div class="lane">{bars}</div>{len(task.runs)}: {escape(expected)}{errors}'


def _bar(run: Run, report: Report) -> str:
    began, ended = report.span
    whole = max(ended - began, 1.0)
    end = run.ended_at if run.ended_at is not None else ended
    left, width = (100 * (at - since) / whole for at, since in ((run.started_at, began),
                                                               (end, run.started_at)))  # fmt: skip
    told = escape(f"{run.number}: {run.outcome}, {minutes(run, ended)} {run.session}".strip())
    place = f"left:{left:.2f}%;width:{width:.2f}%"
    return f'<i class="{escape(run.outcome)}" style="{place}" title="{told}"></i>'


def _result(task: TaskLine) -> str:
    if not task.result:
        return escape(task.summary)
    summary = escape(task.summary or "result")
    return f"<details><summary>{summary}</summary><pre>{escape(task.result)}</pre></details>"
