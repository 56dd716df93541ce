"""A prompt as the rules see it: read once, then asked by every rule."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from relaybook.core.prompt_text import PromptText, read
from relaybook.core.words import Weights, Words, count_words, weigh

from .phrases import find_phrases
from .rule import Hit, PromptFacts, Rule
from .sentences import Sentence, sentences


@dataclass(frozen=True, slots=True)
class Reading:
    """The facts, the text, its sentences outside fences and code, its words."""

    facts: PromptFacts
    text: PromptText
    sentences: tuple[Sentence, ...]
    #: Every word of those sentences, the server's lines included.
    vocabulary: frozenset[str]
    #: Hits of the phrases, by rule.
    phrases: Mapping[str, list[Hit]]
    words: Words
    weights: Weights
    #: The section that states the task: 'Task', or '' where the text has no such section.
    task: str

    def free(self, *sections: str) -> list[Sentence]:
        """The sentences that the server did not write, of the sections named or of all."""
        return [
            sentence
            for sentence in self.sentences
            if not sentence.fixed and (not sections or sentence.line.section in sections)
        ]


#: Where a prompt breaks one rule.
Check = Callable[[Reading], Iterable[Hit]]
Checked = tuple[Rule, Check]


def read_facts(facts: PromptFacts) -> Reading:
    text = read(facts.text)
    task = "Task" if "Task" in text.titles else ""
    found = sentences(text.lines, facts.fixed)
    weights = weigh(text)
    return Reading(
        facts=facts,
        text=text,
        sentences=tuple(found),
        vocabulary=frozenset().union(*(sentence.words for sentence in found)),
        phrases=find_phrases(found, task),
        words=count_words(weights, facts.context),
        weights=weights,
        task=task,
    )
