"""What a person sees of the work: a live view on a terminal, plain lines elsewhere."""

import sys
from typing import Protocol

from relaybook.core.visible import visible
from relaybook.errors import clip

LINE_LIMIT = 300


class Display(Protocol):
    """Told of each change."""

    def say(self, text: str) -> None:
        """Show one line that stays."""
        ...

    def running(self, tasks: dict[str, str]) -> None:
        """Show which tasks run now, each with its label."""
        ...


class Lines:
    """One line on standard error for each thing said."""

    def say(self, text: str) -> None:
        sys.stderr.write(f"{safe(text)}\n")
        sys.stderr.flush()

    def running(self, tasks: dict[str, str]) -> None:
        pass


def safe(text: str) -> str:
    """`text` as one line of bounded length without anything that a terminal would obey."""
    return clip(" ".join(visible(text)[0].split()), LINE_LIMIT)
