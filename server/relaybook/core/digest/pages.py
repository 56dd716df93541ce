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
    """The entries of one name from place `start` on, as many as fit `limit` bytes."""

    start: int | None
    limit: int
    total: int = 0
    used: int = 0
    #: Each with its place and its size.
    kept: list[tuple[int, int, dict[str, Any]]] = field(
        default_factory=list[tuple[int, int, dict[str, Any]]]
    )
    #: The place of the first entry that did not fit.
    left_at: int | None = None

    def add(self, entry: dict[str, Any], longest: int, place: int | None) -> None:
        at = self.total if place is None else place
        wanted = self.start is not None and at >= self.start and self.left_at is None
        self.total += 1
        if not wanted:
            return
        short = shrink(entry, longest)
        cost = size(short) + 1
        if self.used + cost > self.limit:
            self.left_at = at
        else:
            self.used += cost
            self.kept.append((at, cost, short))


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

    def add(self, name: str, entry: dict[str, Any], place: int | None = None) -> None:
        """Take in the next entry of a section.

        `place` grows from entry to entry and is the same on every page, whatever entries come
        and go between two: no entry of such a section is skipped. By default it is its number.
        """
        self._sections[name].add(entry, self.longest, place)

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
            for place, cost, entry in section.kept:
                room -= cost
                if room < 0 and (shown or self.first):
                    return shown, f"{name}:{place}"
                shown.setdefault(name, []).append(entry)
            if section.left_at is not None:
                return shown, f"{name}:{section.left_at}"
        return shown, None


def _read(cursor: str | None, names: Sequence[str]) -> tuple[int, int]:
    """The number of the section and the place of the entry that a cursor means."""
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
