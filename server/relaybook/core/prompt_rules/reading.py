"""A prompt as the rules see it: read once, then asked by every rule."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from relaybook.core.prompt_text import PromptText, read
from relaybook.core.words import Words, count

from .part import Part, read_part
from .rule import Hit, PromptFacts, Rule
from .sentences import Sentence


@dataclass(frozen=True, slots=True)
class Reading:
    """The facts, the text, its sections outside the fences, its words."""

    facts: PromptFacts
    text: PromptText
    parts: tuple[Part, ...]
    #: The sentences of the task that the server did not write.
    task: tuple[Sentence, ...]
    words: Words

    def names(self, words: Collection[str]) -> bool:
        """Whether one of these words stands outside the fences."""
        return any(not part.vocabulary.isdisjoint(words) for part in self.parts)


class Checked(NamedTuple):
    """A rule, and where a prompt breaks it; what the prompt shows as a whole is told first."""

    rule: Rule
    prompt: Callable[[Reading], Iterable[Hit]] | None = None
    #: What a section shows alone.
    section: Callable[[Part], Iterable[Hit]] | None = None


def phrases_of(rule: str) -> Callable[[Part], Iterable[Hit]]:
    """The hits of the phrases of a rule."""
    return lambda part: part.phrases.get(rule, ())


def read_facts(facts: PromptFacts) -> Reading:
    text = read(facts.text)
    task = "Task" if "Task" in text.titles else ""
    parts = tuple(read_part(each, each.title == task, facts.fixed) for each in text.sections)
    return Reading(
        facts=facts,
        text=text,
        parts=parts,
        task=tuple(sentence for part in parts if part.task for sentence in part.free),
        words=count(text, [part.words for part in parts], facts.context),
    )
