"""An answer on a terminal: rules, colours, tables as wide as the window."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

#: What a state looks like, wherever it is a cell of its own.
STYLES = {
    "completed": "green",
    "done": "green",
    "in_progress": "cyan",
    "failed": "red",
    "error": "red",
    "warn": "yellow",
    "blocked": "yellow",
    "partial": "yellow",
    "review": "magenta",
    "cancelled": "dim",
}
#: Columns with words that people copy into the next command, or look for.
COPIED = frozenset({"id", "workflow id", "task id", "slug", "status"})
#: Between two columns, in characters.
GAP = 2


class Pretty:
    """Writes to the terminal. Texts are never read as markup."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, markup=False, emoji=False)

    def line(self, text: str) -> None:
        self._console.print(Text(text, style="" if text.startswith("Next: ") else "bold"))

    def facts(self, facts: Mapping[str, str]) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in facts.items():
            grid.add_row(Text(name), _cell(value))
        self._console.print(grid)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = Table(title=Text(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        whole = self._whole(columns, rows)
        for column in columns:
            table.add_column(Text(column), overflow="fold", no_wrap=column in whole)
        for row in rows:
            table.add_row(*map(_cell, row))
        self._console.print(table)

    def _whole(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> frozenset[str]:
        """The columns that are not folded; none where the window is too narrow for that."""
        widths = {
            column: max(map(cell_len, (column, *cells)))
            for column, *cells in zip(columns, *rows, strict=True)
            if column in COPIED
        }
        least = sum(widths.values()) + len(columns) * (GAP + 1)
        return frozenset(widths if least <= self._console.width else ())

    def block(self, text: str) -> None:
        self._console.print(Text(text.rstrip("\n")), soft_wrap=True)


def _cell(text: str) -> Text:
    state = text.rpartition(" ")[2]
    return Text(text, style=STYLES.get(state, ""))
