"""Counts what a prompt costs in words, the unit of the budget; tokens are an estimate."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from relaybook.core.prompt_rules.prompt_text import SECTIONS, PromptText
from relaybook.errors import InvalidArguments

#: The share of a budget that stands under none of the five sections.
ELSEWHERE = "(elsewhere)"
#: A blank for each ASCII character that separates words, `w` for each other.
_SHAPES = bytes(ord(" " if chr(code).isspace() else "w") for code in range(256))
#: A run without white space that is too long for a word, as compact JSON is; and how many of
#: its characters make a word, about those of an English one.
_LONG_RUN, _WORD_LENGTH = re.compile(r"\S{25,}"), 5


@dataclass(frozen=True, slots=True)
class Words:
    """How many words one prompt has.

    Context inputs stand in the prompt, fenced or not, so their words are also among the others.
    """

    #: Outside the fences.
    instruction: int
    #: Of the inputs that are declared as context, as they were given.
    context: int
    #: Inside the fences, their tags included.
    data: int
    #: Instruction and data, by H2 section.
    sections: Mapping[str, int]
    #: What `packed_words` says of the whole.
    packed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a prompt costs: words of one prompt by section, and over all workers."""

    sections: Mapping[str, int]
    #: The section that weighs most, or '' for an empty prompt.
    heaviest: str
    words: int
    workers: int
    #: Words times workers.
    total: int
    #: Estimate for all workers: 4/3 of a token for each word, packed ones too, rounded up.
    tokens: int


def count(
    text: PromptText, sizes: Iterable[int], context: Iterable[str] = (), packed: int = 0
) -> Words:
    """The words of a prompt that was read.

    Args:
        sizes: how many stand in each section, its title included, its fences apart.
        context: the texts of the inputs that are declared as context.
    """
    sections = {"": -1}  # a section begins with the word ##, but for the first
    for section, size in zip(text.sections, sizes, strict=True):
        sections[section.title] = sections.get(section.title, 0) + 1 + size
    instruction = sum(sections.values())
    for fence in text.fences:
        # Beside its body: the opening tag with its nonce, source and trust, and the closing one.
        tags = 3 + len(f'"{fence.source}"'.split())
        sections[fence.section] += tags + _words_in(fence.body)
    data = sum(sections.values()) - instruction
    return Words(instruction, sum(map(_words_in, context)), data, sections, packed)


def packed_words(text: str) -> int:
    """How many words more than it has by its white space a text is worth in tokens.

    Compact JSON, a path or a hash is one word of the budget, whatever its length.
    """
    runs = _LONG_RUN.findall(text)
    return len("".join(runs)) // _WORD_LENGTH - len(runs)


def _words_in(text: str) -> int:
    """How many words a long `text` would be split into; if it is ASCII, without splitting it."""
    if not text.isascii():
        return len(text.split())
    shapes = text.encode().translate(_SHAPES)
    return shapes.count(b" w") + shapes.startswith(b"w")


def words_in_json(text: str) -> int:
    """How many words compact JSON has where each name and each value is one at least."""
    return len(text.replace('":', " ").replace(",", " ").split())


def budget_of(counted: Words, workers: int) -> Budget:
    """Prompt cost over `workers` that each receive it.

    Raises:
        InvalidArguments: there is no worker.
    """
    if workers < 1:
        raise InvalidArguments(f"workers is {workers!r}.", allowed="1 or more")
    sections = Counter[str]()
    for section, words in counted.sections.items():
        sections[section if section in SECTIONS else ELSEWHERE] += words
    words = sections.total()
    total = words * workers
    return Budget(
        sections={name: size for name in (*SECTIONS, ELSEWHERE) if (size := sections[name])},
        heaviest=max(sections, key=sections.__getitem__) if words else "",
        words=words,
        workers=workers,
        total=total,
        tokens=-(-(total + counted.packed * workers) * 4 // 3),
    )
