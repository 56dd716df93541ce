"""Counts what a prompt costs in words, the unit of the budget; tokens are an estimate."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relaybook.core.prompt_text import SECTIONS, PromptText, read
from relaybook.errors import InvalidArguments

#: The share of a budget that stands under none of the five sections.
ELSEWHERE = "(elsewhere)"
#: A blank for each ASCII character that separates words, `w` for each other.
_SHAPES = bytes(ord(" " if chr(code).isspace() else "w") for code in range(256))


@dataclass(frozen=True, slots=True)
class Words:
    """The three counters: words outside the fences, of context inputs, and inside the fences.

    Context inputs stand in the prompt, fenced or not, so their words are also among the other two.
    The tags of a fence count as data.
    """

    instruction: int
    context: int
    data: int

    @property
    def total(self) -> int:
        """Every word of the prompt, once."""
        return self.instruction + self.data


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
    #: Estimate for all workers: 4/3 of a token for each word, rounded up.
    tokens: int


@dataclass(frozen=True, slots=True)
class Weights:
    """The words of one prompt that was read: outside its fences, inside them, by H2 section."""

    instruction: int
    data: int
    sections: Mapping[str, int]


def weigh(text: PromptText) -> Weights:
    sections = {section.title: 0 for section in text.sections}
    for place, section in enumerate(text.sections):
        heading = 1 + len(section.title.split()) if place else 0
        sections[section.title] += heading + len(section.text.split())
    instruction = sum(sections.values())
    for fence in text.fences:
        # Beside its body: the opening tag with its nonce, source and trust, and the closing one.
        tags = 3 + len(f'"{fence.source}"'.split())
        sections[fence.section] += tags + _words_in(fence.body)
    return Weights(instruction, sum(sections.values()) - instruction, sections)


def _words_in(text: str) -> int:
    """How many words a long `text` would be split into; if it is ASCII, without splitting it."""
    if not text.isascii():
        return len(text.split())
    return f" {text}".encode().translate(_SHAPES).count(b" w")


def count(prompt: str, context: Sequence[str] = ()) -> Words:
    """`context` is the texts of the inputs that are declared as context."""
    return count_words(weigh(read(prompt)), context)


def count_words(weights: Weights, context: Sequence[str] = ()) -> Words:
    """As `count`, of a prompt that was weighed."""
    return Words(
        instruction=weights.instruction,
        context=sum(map(_words_in, context)),
        data=weights.data,
    )


def budget(prompt: str, workers: int = 1) -> Budget:
    """Prompt cost over `workers` that each receive it.

    Raises:
        InvalidArguments: there is no worker.
    """
    return budget_of(weigh(read(prompt)), workers)


def budget_of(weights: Weights, workers: int = 1) -> Budget:
    """As `budget`, of a prompt that was weighed."""
    if workers < 1:
        raise InvalidArguments(f"workers is {workers!r}.", allowed="1 or more")
    sections = Counter[str]()
    for section, words in weights.sections.items():
        sections[section if section in SECTIONS else ELSEWHERE] += words
    words = sections.total()
    total = words * workers
    return Budget(
        sections={name: size for name in (*SECTIONS, ELSEWHERE) if (size := sections[name])},
        heaviest=max(sections, key=sections.__getitem__) if words else "",
        words=words,
        workers=workers,
        total=total,
        tokens=-(-total * 4 // 3),
    )
