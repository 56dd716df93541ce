"""A prompt as the rules see it: read once, then asked by every rule."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from relaybook.core.prompt_text import PromptText, read
from relaybook.core.words import Weights, Words, count_words, weigh

from .part import Part, read_part, remembered
from .rule import Hit, PromptFacts, Rule
from .sentences import Sentence


@dataclass(frozen=True, slots=True)
class Reading:
    """The facts, the text, its sections outside the fences, its words."""

    facts: PromptFacts
    text: PromptText
    parts: tuple[Part, ...]
    words: Words
    weights: Weights

    @property
    def task(self) -> list[Sentence]:
        """The sentences of the task that the server did not write."""
        return [sentence for part in self.parts if part.task for sentence in part.free]

    def names(self, words: Collection[str]) -> bool:
        """Whether one of these words stands outside the fences."""
        return any(not part.vocabulary.isdisjoint(words) for part in self.parts)

    def phrases(self, rule: str) -> Iterator[Hit]:
        """The hits of the phrases of a rule."""
        return chain.from_iterable(part.phrases.get(rule, ()) for part in self.parts)


#: Where a prompt breaks one rule.
Check = Callable[[Reading], Iterable[Hit]]
Checked = tuple[Rule, Check]


def by_part(check: Callable[[Part], Iterable[Hit]]) -> Check:
    """The check of a prompt that asks each section by itself."""
    hits = remembered(lambda part: tuple(check(part)))
    return lambda reading: chain.from_iterable(map(hits, reading.parts))


def read_facts(facts: PromptFacts) -> Reading:
    text = read(facts.text)
    task = "Task" if "Task" in text.titles else ""
    weights = weigh(text)
    return Reading(
        facts=facts,
        text=text,
        parts=tuple(read_part(each, each.title == task, facts.fixed) for each in text.sections),
        words=count_words(weights, facts.context),
        weights=weights,
    )
