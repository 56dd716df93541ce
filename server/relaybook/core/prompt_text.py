"""Reads the text of a prompt: its sections, its lines, and the fences that hold data.

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
    """A line outside the fences; `section` and `part` are the H2 and H3 titles over it, or ''."""

    number: int
    text: str
    section: str
    part: str
    kind: Kind


class Fence(NamedTuple):
    """`start` and `end` are offsets in the text, tags included; `line` is the opening tag's."""

    source: str
    body: str
    start: int
    end: int
    line: int = 0
    section: str = ""


@dataclass(frozen=True, slots=True)
class PromptText:
    """A prompt that was read; lines count from 1."""

    lines: tuple[Line, ...]
    fences: tuple[Fence, ...]
    #: The H2 titles in their order.
    titles: tuple[str, ...]


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
    pieces: list[str] = []
    position = 0
    for fence in find_fences(text):
        pieces.append(text[position : fence.start])
        position = fence.end
    return "".join([*pieces, text[position:]])


def read(text: str) -> PromptText:
    """Text as lines under sections, and fences; no text is refused."""
    reader = _Reader()
    position = 0
    for fence in find_fences(text):
        reader.outside(text[position : fence.start])
        reader.inside(fence, text.count("\n", fence.start, fence.end))
        position = fence.end
    reader.outside(text[position:])
    return PromptText(tuple(reader.lines), tuple(reader.fences), tuple(reader.titles))


def is_h2(line: Line) -> bool:
    return line.kind is Kind.HEADING and line.text.startswith("## ")


class _Reader:
    """Where the reading stands: line number, section, part, and whether inside a ``` block."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.fences: list[Fence] = []
        self.titles: list[str] = []
        self.number = 1
        self.section = self.part = ""
        self.code = False

    def inside(self, fence: Fence, newlines: int) -> None:
        self.fences.append(fence._replace(line=self.number, section=self.section))
        self.number += newlines

    def outside(self, text: str) -> None:
        lines = text.split("\n")
        for offset, line in enumerate(lines):
            kind = self._kind(line)
            self.lines.append(Line(self.number + offset, line, self.section, self.part, kind))
        self.number += len(lines) - 1

    def _kind(self, line: str) -> Kind:
        if "```" in line and line.lstrip().startswith("```"):
            self.code = not self.code
            return Kind.CODE
        if self.code:
            return Kind.CODE
        if not line.startswith("#"):
            return Kind.PROSE
        if line.startswith("## "):
            self.section, self.part = line[3:].strip(), ""
            self.titles.append(self.section)
        elif line.startswith("### "):
            self.part = line[4:].strip()
        return Kind.HEADING


def _begins_a_line(text: str, position: int) -> bool:
    return position == 0 or text[position - 1] == "\n"


def _find_line(text: str, line: str, position: int) -> int:
    """Where `line`, which begins with its line break, stands as a whole line; -1 if nowhere."""
    while (found := text.find(line, position)) >= 0:
        position = found + len(line)
        if text[position : position + 1] in ("", "\n"):
            break
    return found
