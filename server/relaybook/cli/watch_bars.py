"""Forecasts on a terminal: a bar and the time left for each workflow, a line for what runs."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from relaybook.cli.pretty import STYLES
from relaybook.cli.printing import words
from relaybook.cli.shown import duration

BAR_WIDTH = 30


class Bars:
    """A context manager that takes over the last lines of the terminal while it is open."""

    def __init__(self, console: Console | None = None) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, forecasts: list[dict[str, Any]]) -> None:
        self._live.update(Group(*map(_block, forecasts)), refresh=True)


def _block(forecast: dict[str, Any]) -> Table:
    grid = Table.grid(padding=(0, 1))
    style = STYLES.get(forecast["status"], "")
    grid.add_row(
        Text(words(f"{forecast['name']} ({forecast['workflow_id']})"), style="bold"),
        ProgressBar(total=max(forecast["total"], 1), completed=forecast["done"], width=BAR_WIDTH),
        Text(f"{forecast['done']}/{forecast['total']}"),
        Text(_left(forecast), style=style),
    )
    for each in forecast["running"]:
        late = each["minutes"] > each["expected_minutes"]
        spent = f"{each['minutes']:g} of {each['expected_minutes']:g} min"
        grid.add_row(
            Text(f"  {words(each['task_id'])}: {words(each['label'])}", overflow="ellipsis"),
            ProgressBar(
                total=max(each["expected_minutes"], 0.1), completed=each["minutes"], width=BAR_WIDTH
            ),
            Text(""),
            Text(spent, style=STYLES["warn"] if late else ""),
        )
    return grid


def _left(forecast: dict[str, Any]) -> str:
    failed = f", {forecast['failed']} failed" if forecast["failed"] else ""
    if forecast["status"] in ("pending", "in_progress"):
        return f"about {duration(60 * forecast['minutes_left'])} left{failed}"
    return f"{forecast['status']}{failed}"
