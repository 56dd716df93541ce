"""Cuts the prose of a prompt into sentences of lower-case words, and reads their clauses.

A sentence may run over several lines of a paragraph; a list item begins a new one.
Words decide everything here, so no expression can backtrack and the cost is linear.
"""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple

from relaybook.core.prompt_rules.prompt_text import Kind, Line


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"\w[\w'/-]*(?:\.\w[\w'/-]*)*|[.!?;:,]")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_ENDS = frozenset(".!?;")
#: Lines up to this many characters are remembered once read.
_SHORT = 300

_ABBREVIATIONS = frozenset({"e.g", "i.e", "etc", "vs", "cf"})

#: Words after which the rest of the sentence orders nothing: it forbids, proposes or describes.
_SHIELDS = word_set(
    "not don't never no nothing without cannot can't mustn't avoid nor neither "
    "instead rather forbidden scope parent how whether propose proposed proposes proposed_actions "
    "describe explain recommend suggest"
)
#: Words that shield only the verbs joined close after them: "scripts that build and deploy the app".
_NEAR_SHIELDS = frozenset({"that", "which", "who", "to"})
#: Words that may stand before an order inside a sentence.
_STARTERS = word_set("and then please must should shall will may can also finally next now :")
#: First words of a sentence whose order follows a comma: "If the tests pass, deploy it".
_CONDITIONS = word_set("if when once after finally next then lastly first afterwards now")
#: "Your task is to …", "you need to …", "make sure to …".
_OBLIGES = frozenset({"is", "need", "have", "are", "sure", "remember", "forget"})
#: What makes an order of verbs that "to" would shield.
_DUTIES = frozenset(
    tuple(duty.split())
    for duty in ("you need to", "you have to", "task is to", "make sure to", "be sure to")
)
#: Words after which a verb orders though the sentence ends with it: "then deploy".
_LAST_STARTERS = frozenset({"then", "please", "finally", "next", "now"})
#: Words that begin an object, which tell the verb in "and test the code" from the noun.
_OBJECTS = word_set(
    "the a an it them this these those to all every each any your our their its his her everything "
    "what which how two three four five six"
)


class Sentence(NamedTuple):
    """`line` is where it begins; `paragraph` counts from 0 over the prompt."""

    line: Line
    paragraph: int
    item: bool
    #: Written by the server.
    fixed: bool
    #: Stands in a list under a sentence that forbids or describes.
    shielded: bool
    words: tuple[str, ...]


class _Paragraph(NamedTuple):
    lines: list[Line]
    item: bool
    fixed: bool


def words_of(text: str) -> list[str]:
    """The words of one text as a sentence holds them."""
    return [word for word in _split(text) if word not in _ENDS]


def _split(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("\u2019", "'"))


class _LineWords(NamedTuple):
    """The words of a line, without the marker of a list item, cut where a sentence ends."""

    item: bool
    #: An empty first piece ends the sentence of the line before; after an empty last one a
    #: new sentence begins.
    pieces: tuple[tuple[str, ...], ...]


def _read_line(text: str) -> _LineWords:
    marker = _ITEM.match(text)
    pieces: list[list[str]] = [[]]
    for word in _split(text[marker.end() :] if marker else text):
        last = pieces[-1]
        if word not in _ENDS:
            last.append(word)
        elif word != "." or not last or last[-1] not in _ABBREVIATIONS:
            pieces.append([])
    return _LineWords(marker is not None, tuple(map(tuple, pieces)))


#: Most lines of a prompt are those of its template.
_read_short_line = lru_cache(maxsize=1024)(_read_line)


def _line(text: str) -> _LineWords:
    return _read_short_line(text) if len(text) <= _SHORT else _read_line(text)


def sentences(lines: Iterable[Line], fixed: Collection[str]) -> list[Sentence]:
    """The sentences of the prose among `lines`."""
    found: list[Sentence] = []
    forbidding: Line | None = None
    for number, paragraph in enumerate(_paragraphs(lines, fixed)):
        first = paragraph.lines[0]
        shielded = paragraph.item and forbidding is not None and _same_part(forbidding, first)
        found += (
            Sentence(line, number, paragraph.item, paragraph.fixed, shielded, tuple(words))
            for line, words in _cut(paragraph.lines)
        )
        if not paragraph.item:
            last = found[-1].words if found else ()
            leads = last[-1:] == (":",) and not _SHIELDS.isdisjoint(last)
            forbidding = first if leads else None
    return found


def _same_part(one: Line, other: Line) -> bool:
    return (one.section, one.part) == (other.section, other.part)


def _paragraphs(lines: Iterable[Line], fixed: Collection[str]) -> list[_Paragraph]:
    """Lines that may share a sentence; a list item and a fixed line each begin a new one."""
    found: list[_Paragraph] = []
    broken = True
    for line in lines:
        if line.kind is not Kind.PROSE or not line.text.strip():
            broken = True
            continue
        is_fixed = line.text in fixed
        is_item = _line(line.text).item
        if is_item or broken or is_fixed or found[-1].fixed:
            found.append(_Paragraph([line], is_item, is_fixed))
        else:
            found[-1].lines.append(line)
        broken = False
    return found


def _cut(lines: list[Line]) -> list[tuple[Line, list[str]]]:
    """The words of each sentence, with the line on which it begins."""
    found: list[tuple[Line, list[str]]] = []
    is_open = False
    for line in lines:
        for place, words in enumerate(_line(line.text).pieces):
            if is_open and place == 0:
                found[-1][1].extend(words)
            elif words:
                found.append((line, list(words)))
            is_open = bool(words) or (is_open and place == 0)
    return found


class Clauses:
    """Where a sentence gives orders."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        words = sentence.words
        shields = (
            at
            for at, word in enumerate(words)
            if word in _SHIELDS and words[at + 1 : at + 2] != ("forget",)
        )
        self._shield = -1 if sentence.shielded else next(shields, len(words))

    def shielded(self, at: int) -> bool:
        """Whether the word at `at` is forbidden, proposed or described rather than ordered."""
        words = self.sentence.words
        return (
            at > self._shield
            or any(_shields_near(words, near) for near in range(max(0, at - 3), at - 1))
            or words[at + 1 : at + 2] in (("no",), ("nothing",))
        )

    def starts(self, at: int) -> bool:
        """Whether the word at `at` stands where an order stands: 'Deploy …', '… and deploy it'."""
        words = self.sentence.words
        has_object = at + 1 < len(words) and words[at + 1] in _OBJECTS
        if at == 0:
            return has_object or not self.sentence.item
        if not has_object:
            return self._ends(at)
        before = words[at - 1]
        if before == "to":
            return at >= 2 and words[at - 2] in _OBLIGES
        return before in _STARTERS or (before == "," and words[0] in _CONDITIONS)

    def _ends(self, at: int) -> bool:
        """Whether the sentence ends with the word at `at` and orders it: '… then deploy'."""
        words = self.sentence.words
        before = words[at - 1]
        led = before in _LAST_STARTERS or (before == "," and words[0] in _CONDITIONS)
        return at == len(words) - 1 and led


def _shields_near(words: tuple[str, ...], at: int) -> bool:
    """Whether the word at `at` shields the verbs close after it; 'you need to' orders them."""
    return words[at] in _NEAR_SHIELDS and words[max(0, at - 2) : at + 1] not in _DUTIES


def orders(sentence: Sentence, verbs: Collection[str]) -> int:
    """How many deeds named by `verbs` the sentence orders."""
    if verbs_there := [at for at, word in enumerate(sentence.words) if word in verbs]:
        clauses = Clauses(sentence)
        return sum(clauses.starts(at) and not clauses.shielded(at) for at in verbs_there)
    return 0
