"""Rules across the prompts of a workflow, from fingerprints alone.

A fingerprint is small and bounded. Tallied in a `Counter` over `Fingerprint.keys`, the
fingerprints of a workflow let one more prompt be judged at the cost of its own size:

    counts.update(mine.keys)      # and counts.subtract(old.keys) when a prompt is replaced
    check_against(mine, counts, total)
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple
from zlib import crc32

from relaybook.core.prompt_rules.example import one, prompt
from relaybook.core.prompt_rules.prompt_text import find_fences
from relaybook.core.prompt_rules.rule import Finding, Hit, Rule, finding
from relaybook.core.severity import Severity

#: Words of a block; shorter repetitions are no dump.
BLOCK_WORDS = 40
#: Blocks kept of one prompt, at most: so many that begin a source or another run of lines, and
#: so many chosen by hash. A source that is repeated whole is found however small it is beside
#: the others; a part of one that is a tenth of the prompt, in 97 cases of 100.
BLOCKS_KEPT = 32
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
    #: (hash, line) of blocks that begin a line, by hash.
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
    prose = [each.text for each in pieces if each.source is None]
    own = [line for text in prose for line in text.split("\n") if line not in fixed]
    data = [f"{each.source}\n{each.text}" for each in pieces if each.source is not None]
    common = _marks_of_all(frozenset(fixed), tuple(shared))
    runs = [run for each in _unshared(pieces) for run in _runs(each, common)]
    return Fingerprint(
        whole=_hash("whole", "\n".join(own), *data),
        masked=_hash("masked", _mask(_normal(own), role), *data) if role.strip() else 0,
        blocks=tuple(_blocks(runs)),
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


class _Piece(NamedTuple):
    """Text outside the fences or the body of one, and the number of its first line, from 1."""

    first: int
    text: str
    #: Of a fence.
    source: str | None = None


class _Run(NamedTuple):
    """Lines in a row in which blocks may stand, with the mark of each; the first is not blank."""

    first: int
    lines: Sequence[bytes]
    marks: Sequence[int]


def _pieces(text: str) -> Iterator[_Piece]:
    """The text outside and inside the fences, in order."""
    position, number = 0, 1
    for fence in find_fences(text):
        yield _Piece(number, text[position : fence.start])
        number += text.count("\n", position, fence.start)
        yield _Piece(number + 1, fence.body, fence.source)
        number += text.count("\n", fence.start, fence.end)
        position = fence.end
    yield _Piece(number, text[position:])


def _unshared(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    """The fences, and what stands under each heading that prompts are not meant to share."""
    title = ""
    for piece in pieces:
        if piece.source is not None:
            yield piece
            continue
        number = piece.first - 1
        for place, text in enumerate(f"\n{piece.text}".split("\n## ")):
            heading, _, under = text.partition("\n") if place else ("", "", text)
            title = heading.strip() if place else title
            if title not in _SHARED_SECTIONS:
                yield _Piece(number + (place > 0), under)
            number += text.count("\n") + 1


def _runs(piece: _Piece, common: Collection[int]) -> Iterator[_Run]:
    """Where blocks may stand in a piece: not across headings and common lines."""
    lines = _encoded(piece.text).split(b"\n")
    marks = list(map(crc32, lines))
    is_prose = piece.source is None
    breaks = [
        place
        for place, mark in enumerate(marks)
        if mark in common or (is_prose and lines[place].startswith(b"#"))
    ]
    begin = 0
    for end in (*breaks, len(lines)):
        while begin < end and marks[begin] == _BLANK:
            begin += 1
        if len(_decoded(b" ".join(lines[begin:end])).split(None, BLOCK_WORDS)) >= BLOCK_WORDS:
            yield _Run(piece.first + begin, lines[begin:end], marks[begin:end])
        begin = end + 1


def _blocks(runs: Iterable[_Run]) -> list[tuple[int, int]]:
    """The hashes of blocks that begin a line, and that line, by hash.

    Which lines are tried beside the first of each run is decided by their marks, so that prompts
    that share some try the same ones.
    """
    firsts: dict[int, tuple[_Run, int]] = {}
    others: dict[int, tuple[_Run, int]] = {}
    for run in runs:
        firsts.setdefault(run.marks[0], (run, 0))
        backwards = zip(reversed(run.marks), range(len(run.marks) - 1, -1, -1), strict=True)
        places = {mark: place for mark, place in backwards if mark != _BLANK}
        for mark in nsmallest(BLOCKS_KEPT, places):
            others.setdefault(mark, (run, places[mark]))
    found: dict[int, int] = {}
    for tried in (firsts, others):
        for mark in nsmallest(BLOCKS_KEPT, tried):
            run, place = tried[mark]
            words = _first_words(run.lines, place)
            if len(words) == BLOCK_WORDS:
                found.setdefault(_hash("block", " ".join(words)), run.first + place)
    return sorted(found.items())


def _first_words(lines: Sequence[bytes], place: int) -> list[str]:
    """The words of a block from line `place` on; fewer where the lines end."""
    words: list[str] = []
    for each in range(place, len(lines)):
        words += _words(_decoded(lines[each]))
        if len(words) >= BLOCK_WORDS:
            break
    return words[:BLOCK_WORDS]


@lru_cache(maxsize=16)
def _marks_of_all(*texts: Collection[str]) -> frozenset[int]:
    """The marks of the lines of these texts; many prompts share those of their template."""
    lines = _encoded("\n".join(chain.from_iterable(texts))).split(b"\n")
    return frozenset(map(crc32, chain(lines, map(bytes.strip, lines)))) - {_BLANK}


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")


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
