"""Reads the text of a prompt: its sections, their lines, and the fences that hold data.

A fence is a pair of tags, each alone on its line, that share a nonce:

    <data-1f09 source="src/auth.py" trust="untrusted">
    …
    </data-1f09>

Everything between is data, whatever it looks like. One pass, linear in the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

#: The H2 sections of a prompt, in their order.
SECTIONS = ("Role", "Task", "Constraints", "Output Format", "Output Interface")

_OPENING = re.compile(r'<data-([0-9a-f]{1,64}) source="([^"\n]*)" trust="[a-z]{1,20}">\n')


class Kind(Enum):
    """What a line outside the fences is. A code line stands in, or opens or closes, a ``` block."""

    PROSE = 1
    CODE = 2
    HEADING = 3


class Line(NamedTuple):
    """A line outside the fences, numbered from 1 under the H2 heading of its section.

    A fence counts as one line. `section` and `part` are the H2 and H3 titles over it, or ''.
    """

    number: int
    text: str
    section: str
    part: str
    kind: Kind


class Fence(NamedTuple):
    """`start` and `end` are offsets in the text, tags included; `line` is its place in `section`."""

    source: str
    body: str
    start: int
    end: int
    line: int = 0
    section: str = ""


class Section(NamedTuple):
    """What stands under an H2 heading, or before the first under '': an empty line for a fence."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class PromptText:
    """A prompt that was read."""

    sections: tuple[Section, ...]
    fences: tuple[Fence, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        """The H2 titles in their order."""
        return tuple([section.title for section in self.sections[1:]])


def find_fences(text: str) -> Iterator[Fence]:
    """The closed fences in their order, without line and section.

    The first opening tag that is never closed ends the search: what follows it is
    read as instructions, so that no rule can be evaded by opening a fence.
    """
    position = 0
    while (start := text.find("<data-", position)) >= 0:
        opening = _OPENING.match(text, start) if _begins_a_line(text, start) else None
        if opening is None:
            position = start + 1
            continue
        closing = f"\n</data-{opening[1]}>"
        close = _find_line(text, closing, opening.end() - 1)
        if close < 0:
            return
        position = close + len(closing)
        yield Fence(opening[2], text[opening.end() : max(close, opening.end())], start, position)


def outside_fences(text: str) -> str:
    """The text without its fences: the words that instruct."""
    return "".join(_stretches(text, find_fences(text))) if "<data-" in text else text


def read(text: str) -> PromptText:
    """Text as sections and fences; no text is refused."""
    fences = tuple(find_fences(text))
    reader = _Reader()
    for place, stretch in enumerate(_stretches(text, fences)):
        if place:
            reader.inside(fences[place - 1])
        reader.outside(stretch)
    return reader.done()


def lines_of(section: Section) -> list[Line]:
    """The lines of a section, the heading itself apart."""
    found: list[Line] = []
    part, code = "", False
    for number, text in enumerate(section.text.split("\n"), 1):
        kind = Kind.CODE if code else Kind.PROSE
        if _toggles(text):
            code, kind = not code, Kind.CODE
        elif not code and text.startswith("#"):
            kind = Kind.HEADING
            part = text[4:].strip() if text.startswith("### ") else part
        found.append(Line(number, text, section.title, part, kind))
    return found


def _stretches(text: str, fences: Iterator[Fence] | tuple[Fence, ...]) -> Iterator[str]:
    """What stands before, between and after the fences."""
    position = 0
    for fence in fences:
        yield text[position : fence.start]
        position = fence.end
    yield text[position:]


class _Reader:
    """Where the reading stands: the section, what was read of it, and whether in a ``` block."""

    def __init__(self) -> None:
        self._sections: list[Section] = []
        self._fences: list[Fence] = []
        self._title = self._text = ""
        self._code = False

    def inside(self, fence: Fence) -> None:
        line = self._text.count("\n") + 1
        self._fences.append(Fence(*fence[:4], line, self._title))

    def outside(self, text: str) -> None:
        first, *headed = f"\n{text}".split("\n## ")
        self._add(first[1:])
        for piece in headed:
            if self._code:
                self._add(f"\n## {piece}")
                continue
            self._end_section()
            title, _, self._text = piece.partition("\n")
            self._title = title.strip()
            self._follow_code(self._text)

    def done(self) -> PromptText:
        self._end_section()
        return PromptText(tuple(self._sections), tuple(self._fences))

    def _add(self, text: str) -> None:
        self._text += text
        self._follow_code(text)

    def _follow_code(self, text: str) -> None:
        if "```" in text and sum(map(_toggles, text.split("\n"))) % 2:
            self._code = not self._code

    def _end_section(self) -> None:
        self._sections.append(Section(self._title, self._text))


def _toggles(line: str) -> bool:
    """Whether the line opens or closes a ``` block."""
    return "```" in line and line.lstrip().startswith("```")


def _begins_a_line(text: str, position: int) -> bool:
    return position == 0 or text[position - 1] == "\n"


def _find_line(text: str, line: str, position: int) -> int:
    """Where `line`, which begins with its line break, stands as a whole line; -1 if nowhere."""
    while (found := text.find(line, position)) >= 0:
        position = found + len(line)
        if text[position : position + 1] in ("", "\n"):
            break
    return found
