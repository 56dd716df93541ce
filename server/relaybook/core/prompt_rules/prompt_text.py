"""Reads the text of a prompt: its sections, their lines, and the fences that hold data.

A fence is a pair of tags, each alone on its line, that share a nonce:

    <data-1f09 source="src/auth.py" trust="untrusted">
    …
    </data-1f09>

Everything between is data, whatever it looks like. One pass, linear in the text.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

#: The H2 sections of a prompt, in their order.
SECTIONS = ("Role", "Task", "Constraints", "Output Format", "Output Interface")

_OPENING = re.compile(r'<data-([0-9a-f]{1,64}) source="([^"\n]*)" trust="[a-z]{1,20}">\n')
#: How an H2 heading begins; the same, or how a line begins that opens or closes a ``` block.
_HEADING = "\n## "
_MARK = re.compile(r"\n(?:## |[^\S\n]*+```)")
#: Texts up to this many characters outside the fences are remembered.
_SHORT = 4_000
#: The heading over what stands before the first.
_UNTITLED = "\n## \n"


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
    outside = "".join([_UNTITLED, *_stretches(text, fences)])
    starts, sections = (_cut_short if len(outside) <= _SHORT else _cut)(outside)
    return PromptText(sections, tuple(_placed(fences, outside, starts, sections)))


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


def _stretches(text: str, fences: Iterable[Fence]) -> Iterator[str]:
    """What stands before, between and after the fences."""
    position = 0
    for fence in fences:
        yield text[position : fence.start]
        position = fence.end
    yield text[position:]


def _cut(outside: str) -> tuple[list[int], tuple[Section, ...]]:
    """Where the sections start, and these."""
    starts = list(_headings(outside))
    ends = [*starts[1:], len(outside)]
    pieces = (outside[start:end] for start, end in zip(starts, ends, strict=True))
    return starts, tuple(map(_section, pieces))


#: The prompts of a template differ most in what stands inside the fences.
_cut_short = lru_cache(maxsize=256)(_cut)


def _headings(text: str) -> Iterator[int]:
    """Where the H2 headings begin, those in ``` blocks apart, with the line break before each."""
    code = False
    for mark in _MARK.finditer(text):
        if mark[0] != _HEADING:
            code = not code
        elif not code:
            yield mark.start()


def _section(headed: str) -> Section:
    title, _, text = headed[len(_HEADING) :].partition("\n")
    return Section(title.strip(), text)


def _placed(
    fences: Iterable[Fence], outside: str, starts: Sequence[int], sections: Sequence[Section]
) -> Iterator[Fence]:
    """The fences with their lines and their sections, which start at `starts`."""
    removed = -len(_UNTITLED)
    for fence in fences:
        position = fence.start - removed
        removed += fence.end - fence.start
        place = bisect_left(starts, position) - 1
        line = outside.count("\n", starts[place], position) - 1
        yield fence._replace(line=line, section=sections[place].title)


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
