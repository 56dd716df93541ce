"""Rules across the prompts of a workflow, from fingerprints alone.

A fingerprint is small and bounded. Tallied in a `Counter` over `Fingerprint.keys`, the
fingerprints of a workflow let one more prompt be judged at the cost of its own size:

    counts.update(mine.keys)      # and counts.subtract(old.keys) when a prompt is replaced
    check_against(mine, counts, total)
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple
from zlib import crc32

from relaybook.core.prompt_text import find_fences

from .example import one, prompt
from .rule import Finding, Hit, Rule, Severity, finding

#: Words of a block; shorter repetitions are no dump.
BLOCK_WORDS = 40
#: Blocks kept of one prompt, at most: a dump is found when it is an eighth of a prompt.
BLOCKS_KEPT = 16
#: Sections that sibling prompts are meant to share.
_SHARED_SECTIONS = frozenset({"Constraints", "Output Format", "Output Interface"})

_DUMP = "The service was begun in spring. " * 10

CONTEXT_DUMP = Rule(
    id="P17",
    severity=Severity.WARN,
    what=f"A block of {BLOCK_WORDS} words stands in most prompts of the workflow.",
    why="Every worker pays for it, and latches on to details that are not its own.",
    fix="Give each worker only its part; what all must know, declare as shared.",
    source="the playbook, Context Dump",
    passing=one(prompt(data=_DUMP), shared=(_DUMP,)) * 2,
    failing=one(prompt(data=_DUMP)) * 2,
)
SAME_PANEL = Rule(
    id="P23",
    severity=Severity.WARN,
    what="Panel prompts are the same but for the role.",
    why="A word of role alone does not make the opinions differ: they are wrong together.",
    fix="Give each expert criteria of its own.",
    source="Zheng et al. 2024, personas in system prompts (arXiv 2311.10054)",
    passing=(
        *one(prompt(role="You judge security.", task="Judge leaks."), expert_role="security"),
        *one(prompt(role="You judge cost.", task="Judge spending."), expert_role="cost"),
    ),
    failing=(
        *one(prompt(role="You judge security."), expert_role="security"),
        *one(prompt(role="You judge cost."), expert_role="cost"),
    ),
)
SAME_PROMPT = Rule(
    id="P26",
    severity=Severity.WARN,
    what="Another task of the workflow has the same prompt.",
    why="The same work is done and paid twice.",
    fix="Write the prompt for its own subtask, or drop the task.",
    source="the playbook, Context Dump",
    passing=one() + one(prompt(task="Review the login code below for timing leaks.")),
    failing=one() * 2,
)
RULES = (CONTEXT_DUMP, SAME_PANEL, SAME_PROMPT)


#: The cheap hash of a blank line.
_BLANK = crc32(b"")


class Fingerprint(NamedTuple):
    """What one prompt leaves behind: 48-bit hashes, the same in every process."""

    #: Of all lines that the server did not write, nonces left out.
    whole: int
    #: The same with the expert role masked; 0 for a prompt without such a role.
    masked: int
    #: (hash, line) of blocks that begin a line, a few, by hash.
    blocks: tuple[tuple[int, int], ...]

    @property
    def keys(self) -> frozenset[int]:
        """What is counted: a prompt counts once for each of these."""
        return frozenset({self.whole, self.masked, *(block for block, _ in self.blocks)} - {0})


def fingerprint(
    text: str,
    fixed: Collection[str] = frozenset(),
    shared: Collection[str] = (),
    role: str = "",
) -> Fingerprint:
    """`shared` is texts whose lines may repeat, such as the body of the template or what a panel
    judges; `role` is the expert role of a panel prompt.
    """
    pieces = list(_pieces(text))
    prose = [line for each in pieces if not each.data for line in each.lines if line not in fixed]
    data = ["\n".join(each.lines) for each in pieces if each.data]
    common = _lines_of(frozenset(fixed), tuple(shared))
    return Fingerprint(
        whole=_hash("whole", "\n".join(prose), *data),
        masked=_hash("masked", _mask(_normal(prose), role), *data) if role.strip() else 0,
        blocks=tuple(_blocks(_regions(pieces, common))),
    )


def check_against(mine: Fingerprint, counts: Mapping[int, int], total: int) -> tuple[Finding, ...]:
    """Findings on one prompt; `counts` and `total` are over the workflow, this prompt included."""
    return tuple(finding(rule, hit) for rule, hit in _against(mine, counts, total))


def check_across(prints: Mapping[str, Fingerprint]) -> dict[str, tuple[Finding, ...]]:
    """Findings by task, for the tasks that have any."""
    counts = Counter(chain.from_iterable(each.keys for each in prints.values()))
    found = {task: check_against(mine, counts, len(prints)) for task, mine in prints.items()}
    return {task: findings for task, findings in found.items() if findings}


def _against(
    mine: Fingerprint, counts: Mapping[int, int], total: int
) -> Iterator[tuple[Rule, Hit]]:
    same = counts.get(mine.whole, 0)
    if same > 1:
        yield SAME_PROMPT, Hit("prompt", what=f"{same} tasks of the workflow have this prompt.")
    if mine.masked and counts.get(mine.masked, 0) > same:
        yield SAME_PANEL, Hit("prompt")
    often = [
        (line, times)
        for block, line in mine.blocks
        if (times := counts.get(block, 0)) > 1 and times * 2 > total
    ]
    if often:
        line, times = min(often)
        what = f"{BLOCK_WORDS} words from line {line} on stand in {times} of {total} prompts."
        yield CONTEXT_DUMP, Hit(f"line {line}", what=what)


@lru_cache(maxsize=16)
def _lines_of(*texts: Collection[str]) -> frozenset[str]:
    """The lines of all these texts; those of a template are the same for many prompts."""
    lines = (line.strip() for text in chain.from_iterable(texts) for line in text.split("\n"))
    return frozenset(lines) - {""}


class _Stretch(NamedTuple):
    """Lines in a row, and the number of the first, from 1."""

    first: int
    lines: list[str]
    #: The source and the text of a fence.
    data: bool = False


def _pieces(text: str) -> Iterator[_Stretch]:
    """The text outside and inside the fences, in order."""
    position, number = 0, 1
    for fence in find_fences(text):
        yield _Stretch(number, text[position : fence.start].split("\n"))
        number += text.count("\n", position, fence.start)
        yield _Stretch(number, [fence.source, *fence.body.split("\n")], data=True)
        number += text.count("\n", fence.start, fence.end)
        position = fence.end
    yield _Stretch(number, text[position:].split("\n"))


def _regions(pieces: Iterable[_Stretch], common: Collection[str]) -> Iterator[_Stretch]:
    """Where blocks may stand: not across headings and common lines, not in what all share."""
    section = ""
    for piece in pieces:
        if piece.data:
            yield from _between(piece, _common_places(piece, common))
            continue
        breaks: list[int] = []
        for place, line in enumerate(piece.lines):
            if line.startswith("## "):
                section = line[3:].strip()
            if line.startswith("#") or section in _SHARED_SECTIONS or line.strip() in common:
                breaks.append(place)
        yield from _between(piece, breaks)


def _common_places(piece: _Stretch, common: Collection[str]) -> list[int]:
    """Where the source and the common lines of a fence stand, which mostly has none of them."""
    stripped = list(map(str.strip, piece.lines))
    if frozenset(common).isdisjoint(stripped):
        return [0]
    return [0, *(n for n, line in enumerate(stripped) if n and line in common)]


def _between(piece: _Stretch, breaks: Iterable[int]) -> Iterator[_Stretch]:
    """The stretches that are left without the lines at `breaks`."""
    begin = 0
    for place in (*breaks, len(piece.lines)):
        if place > begin:
            yield _Stretch(piece.first + begin, piece.lines[begin:place])
        begin = place + 1


def _blocks(regions: Iterable[_Stretch]) -> list[tuple[int, int]]:
    """The hashes of blocks that begin a line, and that line, by hash.

    Which lines are tried is decided by a cheap hash of each, so that prompts that share some
    try the same ones.
    """
    places: dict[int, tuple[_Stretch, int]] = {}
    for region in regions:
        marks = list(map(crc32, _encoded("\n".join(region.lines)).split(b"\n")))
        for mark in nsmallest(BLOCKS_KEPT, set(marks) - {_BLANK}):
            places.setdefault(mark, (region, marks.index(mark)))
    found: dict[int, int] = {}
    for mark in nsmallest(BLOCKS_KEPT, places):
        region, place = places[mark]
        words = _first_words(region.lines, place)
        if len(words) == BLOCK_WORDS:
            found.setdefault(_hash("block", " ".join(words)), region.first + place)
    return sorted(found.items())


def _first_words(lines: list[str], place: int) -> list[str]:
    """The words of a block from line `place` on; fewer where the lines end."""
    words: list[str] = []
    while place < len(lines) and len(words) < BLOCK_WORDS:
        words += _words(lines[place])
        place += 1
    return words[:BLOCK_WORDS]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _mask(prose: str, role: str) -> str:
    """The prose with the role, and the article before it, made alike."""
    masked = f" {prose} ".replace(_normal([role]), "\0")
    return masked.replace(" an \0", " a \0")


def _words(line: str) -> list[str]:
    return line.lower().split()


def _normal(lines: Iterable[str]) -> str:
    return " ".join(word for line in lines for word in _words(line))


def _hash(*parts: str) -> int:
    text = _encoded("\0\0".join(parts))
    return int.from_bytes(blake2b(text, digest_size=6).digest())
