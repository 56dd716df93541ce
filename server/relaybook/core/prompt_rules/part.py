"""One section of a prompt as the rules see it: read once, and remembered if it is short.

The tasks of a workflow share their template and what the server adds, so most sections of a prompt
were read before. What is asked of what is remembered is remembered with it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

from relaybook.core.prompt_rules.phrases import find_phrases
from relaybook.core.prompt_rules.prompt_text import Line, Section, lines_of
from relaybook.core.prompt_rules.rule import Hit
from relaybook.core.prompt_rules.sentences import Sentence, sentences

#: Sections up to this many characters are remembered, so many of them.
SHORT, REMEMBERED = 4_000, 256

Asked = TypeVar("Asked")


class _Read(Protocol):
    @property
    def short(self) -> bool: ...


Read = TypeVar("Read", bound=_Read)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The lines of a section outside the fences; two are the same only if they are one object."""

    title: str
    text: str
    #: Whether it states the task: under 'Task', or a text without such a section.
    task: bool
    #: Lines that the server wrote, of the whole prompt.
    fixed: frozenset[str]
    #: How many stand in title and text.
    words: int
    lines: tuple[Line, ...]
    sentences: tuple[Sentence, ...]
    #: Those that the server did not write.
    free: tuple[Sentence, ...]
    #: Every word of the sentences, the server's lines included.
    vocabulary: frozenset[str]
    #: Hits of the phrases, by rule.
    phrases: Mapping[str, Iterable[Hit]]
    #: Whether it is remembered.
    short: bool


def read_part(section: Section, task: bool, fixed: frozenset[str]) -> Part:
    return (_read_short if len(section.text) <= SHORT else _read)(section, task, fixed)


def remembered(ask: Callable[[Read], Asked]) -> Callable[[Read], Asked]:
    """`ask`, which remembers what it answered about a short section, or short sections together."""
    of_short = lru_cache(maxsize=REMEMBERED)(ask)
    return lambda read: (of_short if read.short else ask)(read)


def _read(section: Section, task: bool, fixed: frozenset[str]) -> Part:
    lines = lines_of(section)
    found = sentences(lines, fixed)
    return Part(
        title=section.title,
        text=section.text,
        task=task,
        fixed=fixed,
        words=len(f"{section.title}\n{section.text}".split()),
        lines=tuple(lines),
        sentences=tuple(found),
        free=tuple(sentence for sentence in found if not sentence.fixed),
        vocabulary=frozenset().union(*(sentence.words for sentence in found)),
        phrases=find_phrases(found, task),
        short=len(section.text) <= SHORT,
    )


_read_short = lru_cache(maxsize=REMEMBERED)(_read)
