"""How much of a list an answer holds, and where the next page begins."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from relaybook.core.text import compact
from relaybook.errors import InvalidArguments

#: How many tasks or workflows a page has.
PAGE = {"concise": 20, "detailed": 60}
#: How much of an answer a list of tasks, or of workflows, may fill up to, in bytes of JSON.
ANSWER_BYTES = {"concise": 3_550, "detailed": 19_000}


def fitting(lines: Sequence[Any], room: int) -> list[Any]:
    """As many of `lines` as take `room` bytes of JSON, and at least the first."""
    sizes = accumulate(size_of(line) + 1 for line in lines)
    return list(lines[: max(sum(size <= room for size in sizes), 1)])


def size_of(value: Any) -> int:
    """How many bytes of JSON `value` is."""
    return len(compact(value).encode())


def position(cursor: str) -> int:
    """Where the page that `cursor` names begins.

    Raises:
        InvalidArguments: it names none.
    """
    if not cursor:
        return 0
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 10:
        return int(cursor)
    raise InvalidArguments(
        f"cursor {cursor[:40]!r} is not one that relaybook gave.",
        allowed="the cursor of the answer before, word for word",
        next="leave it out to begin again",
    )
