"""What instructs in a prompt, as the rules see it: all that stands outside the fences.

The prompts of a template differ in their data more than in this, so it is remembered if it is short.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from relaybook.core.prompt_rules.part import REMEMBERED, SHORT, Part, read_part
from relaybook.core.prompt_rules.prompt_text import PromptText, Section
from relaybook.core.prompt_rules.sentences import Sentence


@dataclass(frozen=True, slots=True, eq=False)
class Instructions:
    """The sections of a prompt that was read; two are the same only if they are one object."""

    #: The H2 titles.
    titles: tuple[str, ...]
    parts: tuple[Part, ...]
    #: The sentences of the task that the server did not write.
    task: tuple[Sentence, ...]
    #: Every word of the sentences, the server's lines included.
    vocabulary: frozenset[str]
    #: How many words stand in each section, its title included.
    sizes: tuple[int, ...]
    #: Whether they are remembered.
    short: bool

    def names(self, words: Collection[str]) -> bool:
        """Whether one of these words stands in them."""
        return not self.vocabulary.isdisjoint(words)


def read_instructions(text: PromptText, fixed: frozenset[str]) -> Instructions:
    """`fixed` is the lines that the server wrote."""
    short = sum(len(section.text) for section in text.sections) <= SHORT
    return (_read_short if short else _read)(text.sections, fixed, short)


def _read(sections: tuple[Section, ...], fixed: frozenset[str], short: bool) -> Instructions:
    titles = tuple(section.title for section in sections[1:])
    task = "Task" if "Task" in titles else ""
    parts = tuple(read_part(section, section.title == task, fixed) for section in sections)
    return Instructions(
        titles=titles,
        parts=parts,
        task=tuple(sentence for part in parts if part.task for sentence in part.free),
        vocabulary=frozenset().union(*(part.vocabulary for part in parts)),
        sizes=tuple(part.words for part in parts),
        short=short,
    )


_read_short = lru_cache(maxsize=REMEMBERED)(_read)
