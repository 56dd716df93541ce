"""Checks one prompt against every rule that needs no other prompt, or only for what blocks."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice

from relaybook.core.prompt_rules import across, content, form, wording
from relaybook.core.prompt_rules.instructions import Instructions
from relaybook.core.prompt_rules.part import Part, read_part, remembered
from relaybook.core.prompt_rules.phrases import ORDER_STEMS, ORDERING
from relaybook.core.prompt_rules.prompt_text import Section, outside_fences
from relaybook.core.prompt_rules.reading import Checked, Reading, read_facts
from relaybook.core.prompt_rules.rule import MOST, Finding, Hit, PromptFacts, Rule, finding
from relaybook.core.prompt_rules.sentences import words_of

#: Sections up to this many characters are remembered.
_SHORT = 4_000
#: Words of instructions that block no start, headings not counted.
_CALM_WORDS = form.MONOLITH_WORDS - 100


CHECKED: tuple[Checked, ...] = tuple(
    sorted((*form.CHECKED, *content.CHECKED, *wording.CHECKED), key=lambda each: each.rule.id)
)
#: The rules that look at the prompt as a whole.
_ASKED = tuple((each.rule.id, each.prompt) for each in CHECKED if each.prompt)
_BY_ID = {each.rule.id: each.rule for each in CHECKED}
#: Every rule, by number.
RULES: tuple[Rule, ...] = tuple(
    sorted((*(each.rule for each in CHECKED), *across.RULES), key=lambda rule: rule.id)
)


def check(prompt: PromptFacts) -> tuple[Finding, ...]:
    """Findings in the order of the rules, at most five of each."""
    return judge(read_facts(prompt))


def judge(reading: Reading) -> tuple[Finding, ...]:
    """As `check`, of a prompt that was read."""
    found = {rule: hits for rule, ask in _ASKED if (hits := [*ask(reading)])}
    shown = _shown(reading.outside)
    return tuple(
        finding(_BY_ID[name], hit)
        for name in sorted({*found, *shown})
        for hit in [*found.get(name, ()), *shown.get(name, ())][:MOST]
    )


@remembered
def _shown(outside: Instructions) -> Mapping[str, list[Hit]]:
    """What in the instructions breaks the rules, whatever the facts and the data, by rule."""
    found = {each.rule.id: [*each.outside(outside)] for each in CHECKED if each.outside}
    for part in outside.parts:
        for rule, hits in _shown_alone(part).items():
            found.setdefault(rule, []).extend(hits)
    return {rule: hits for rule, hits in found.items() if hits}


@remembered
def _shown_alone(part: Part) -> Mapping[str, list[Hit]]:
    """What breaks the rules in a section, whatever stands in the others, by rule."""
    return {
        each.rule.id: hits
        for each in CHECKED
        if each.section and (hits := [*islice(each.section(part), MOST)])
    }


def may_block(sections: Iterable[tuple[str, str]], fixed: frozenset[str]) -> bool:
    """Whether `judge` may find an error in a prompt of these sections; False is certain.

    Of the rules that block, this asks those that read the text. Most sections of a prompt are
    its template's, so what was found in one is remembered.
    """
    found = [_section(name, outside_fences(text), fixed) for name, text in sections]
    return any(blocks for _, blocks in found) or sum(words for words, _ in found) > _CALM_WORDS


def orders_outward_deed(task: str) -> bool:
    """Whether a task of these words tells its worker to act beyond the workspace."""
    return _breaks("P16", task)


def orders_to_spawn(task: str) -> bool:
    """Whether a task of these words tells its worker to start or lead others."""
    return _breaks("P15", task)


def _breaks(rule: str, task: str) -> bool:
    """Whether a task of these words breaks one of the rules about orders."""
    if not _names_a_deed(task.lower()):
        return False
    return bool(read_part(Section("Task", task), True, frozenset()).phrases.get(rule))


def _names_a_deed(lower: str) -> bool:
    """Whether a text in lower case may order what no worker may do; False is certain."""
    for stem in ORDER_STEMS:  # noqa: SIM110 - a generator costs as much again
        if stem in lower:
            return True
    return False


def orders_several(task: str) -> bool:
    """Whether a task of these words orders more than one deliverable."""
    if sum(word in form.DELIVERS for word in words_of(task)) < 2:
        return False
    part = read_part(Section("Task", task), True, frozenset())
    return len(form.ordering(part.sentences)) > 1


def _section(name: str, text: str, fixed: frozenset[str]) -> tuple[int, bool]:
    judged = _judge_short_section if len(text) <= _SHORT else _judge_section
    return judged(name, text, fixed)


def _judge_section(name: str, text: str, fixed: frozenset[str]) -> tuple[int, bool]:
    """How many words instruct, and whether an order, a tag or a lack among them may block."""
    tagged = "<result>" in text and name != "Output Interface"
    own = "\n".join([line for line in text.split("\n") if line not in fixed]).lower()
    ordered = _names_a_deed(own) and _orders(name, text, fixed)
    return len(text.split()), tagged or ordered or not text.strip()


_judge_short_section = lru_cache(maxsize=512)(_judge_section)


def _orders(name: str, text: str, fixed: frozenset[str]) -> bool:
    part = read_part(Section(name, text), name == "Task", fixed)
    return any(part.phrases.get(rule) for rule in ORDERING)
