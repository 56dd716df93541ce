"""A prompt as the rules see it: read once, then asked by every rule."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from relaybook.core.prompt_rules.instructions import Instructions, read_instructions
from relaybook.core.prompt_rules.part import Part
from relaybook.core.prompt_rules.prompt_text import PromptText, read
from relaybook.core.prompt_rules.rule import Hit, PromptFacts, Rule
from relaybook.core.prompt_rules.words import Words, count, packed_words


@dataclass(frozen=True, slots=True)
class Reading:
    """The facts, the text, what instructs in it, its words."""

    facts: PromptFacts
    text: PromptText
    outside: Instructions
    words: Words


class Checked(NamedTuple):
    """A rule, and where a prompt breaks it; what the prompt shows as a whole is told first."""

    rule: Rule
    prompt: Callable[[Reading], Iterable[Hit]] | None = None
    #: What the instructions show, whatever the facts and the data.
    outside: Callable[[Instructions], Iterable[Hit]] | None = None
    #: What a section of them shows alone.
    section: Callable[[Part], Iterable[Hit]] | None = None


def phrases_of(rule: str) -> Callable[[Part], Iterable[Hit]]:
    """The hits of the phrases of a rule."""
    return lambda part: part.phrases.get(rule, ())


def read_facts(facts: PromptFacts) -> Reading:
    text = read(facts.text)
    instructions = read_instructions(text, facts.fixed)
    words = count(text, instructions.sizes, facts.context, packed_words(facts.text))
    return Reading(facts, text, instructions, words)
