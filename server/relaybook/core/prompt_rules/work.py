"""What sort of work a task is, by the verb that its label begins with."""

from relaybook.core.prompt_rules.rule import Work
from relaybook.core.prompt_rules.sentences import word_set, words_of

_MECHANICAL = word_set(
    "extract classify convert copy count format reformat rename sort transcribe normalise "
    "normalize deduplicate parse tabulate"
)
_JUDGEMENT = word_set(
    "judge decide assess evaluate audit review design architect prioritise prioritize weigh "
    "diagnose investigate critique recommend choose verify plan rank"
)


def work_of(label: str) -> Work | None:
    """The sort of work that `label` orders first; None where its verb may be either."""
    for word in words_of(label)[:1]:
        if word in _MECHANICAL:
            return "mechanical"
        if word in _JUDGEMENT:
            return "judgement"
    return None
