"""Cuts a digest into pages of a bounded size: sections of entries, and a cursor.

Takes entries one at a time and holds no more of a section than one page can show.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from relaybook.core.shorten import shrink, size
from relaybook.errors import InvalidArguments, clip


@dataclass(slots=True)
class _Section:
    """The entries of one name from `start` on, as many as fit `limit` bytes."""

    start: int | None
    limit: int
    total: int = 0
    used: int = 0
    kept: list[tuple[int, dict[str, Any]]] = field(default_factory=list[tuple[int, dict[str, Any]]])
    full: bool = False

    def add(self, entry: dict[str, Any], longest: int) -> None:
        wanted = self.start is not None and self.total >= self.start and not self.full
        self.total += 1
        if not wanted:
            return
        short = shrink(entry, longest)
        cost = size(short) + 1
        self.full = self.used + cost > self.limit
        if not self.full:
            self.used += cost
            self.kept.append((cost, short))


class Pager:
    """The sections of one page, in a fixed order, from a cursor on."""

    def __init__(self, names: Sequence[str], cursor: str | None, limit: int, longest: int) -> None:
        """`limit` bounds a page and `longest` an entry, in bytes.

        Raises:
            InvalidArguments: the cursor was not given out by an earlier page.
        """
        at, self.start = _read(cursor, names)
        self.first = cursor is None
        self.longest = longest
        self._sections = {
            name: _Section(None if place < at else self.start if place == at else 0, limit)
            for place, name in enumerate(names)
        }

    def add(self, name: str, entry: dict[str, Any]) -> None:
        self._sections[name].add(entry, self.longest)

    @property
    def totals(self) -> dict[str, int]:
        return {name: section.total for name, section in self._sections.items() if section.total}

    def page(self, room: int) -> tuple[dict[str, list[dict[str, Any]]], str | None]:
        """The entries that fit `room` bytes, by section, and the cursor of the next page.

        A page other than the first holds at least one entry.
        """
        shown: dict[str, list[dict[str, Any]]] = {}
        for name, section in self._sections.items():
            if section.start is None or not section.total:
                continue
            room -= len(name) + 6
            for number, (cost, entry) in enumerate(section.kept):
                room -= cost
                if room < 0 and (shown or self.first):
                    return shown, f"{name}:{section.start + number}"
                shown.setdefault(name, []).append(entry)
            if section.full:
                return shown, f"{name}:{section.start + len(section.kept)}"
        return shown, None


def _read(cursor: str | None, names: Sequence[str]) -> tuple[int, int]:
    """The place of the section and the number of the entry that a cursor means."""
    if cursor is None:
        return 0, 0
    name, _, number = cursor.partition(":")
    if name in names and number.isascii() and number.isdigit() and len(number) < 10:
        return names.index(name), int(number)
    raise InvalidArguments(
        f"{clip(cursor, 60)!r} is no cursor of a digest.",
        allowed="the cursor of the page before",
        next="leave the cursor out to start from the first page",
    )
