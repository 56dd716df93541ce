"""An answer as plain lines, for pipes and agents: tables by tabs, one row a line."""

import sys
from collections.abc import Mapping, Sequence


class Plain:
    """Writes to standard output."""

    def line(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")

    def facts(self, facts: Mapping[str, str]) -> None:
        for name, value in facts.items():
            self.line(f"{name}: {value}")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.line(f"\n{title}")
        for row in (columns, *rows):
            self.line("\t".join(row))

    def block(self, text: str) -> None:
        self.line(text.rstrip("\n"))
