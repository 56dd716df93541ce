"""The live view on a terminal: what was said scrolls, what runs stays below with its time."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from relaybook.worker.display import safe


class Terminal:
    """A context manager that takes over the last lines of the terminal while it is open."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        self._progress.console.print(Text(safe(text)))

    def running(self, tasks: dict[str, str]) -> None:
        for gone in self._rows.keys() - tasks.keys():
            self._progress.remove_task(self._rows.pop(gone))
        for name in tasks.keys() - self._rows.keys():
            self._rows[name] = self._progress.add_task(safe(tasks[name]), total=None)
