"""What the prompts of a plan cost, before any of it is written."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relaybook.core.cost import prompt_cost
from relaybook.core.plan.task_spec import TaskSpec, spec_value
from relaybook.core.prompt_rules.words import packed_words
from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import planned_prompt, takes_of
from relaybook.model import Pattern
from relaybook.registry.prompt import PROMPT_LIMIT

#: How many prompts are rendered to be counted; a larger plan is estimated from as many.
PROMPTS_COUNTED = 100
#: A task whose specification has that many characters is rendered to see whether it fits: a
#: character may be four bytes, and marks in its text may double it.
SUSPECT = PROMPT_LIMIT // 8


def plan_cost(
    desk: Desk, pattern: Pattern, specs: Sequence[TaskSpec], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Words of a prompt on average, of all prompts, and the tokens that these may be.

    `growing` tells how many prompts will also carry results that are not there yet.

    Raises:
        PromptTooLarge: one of them would be too long; names the task.
    """
    step = -(-len(specs) // PROMPTS_COUNTED)
    texts = [planned_prompt(desk, pattern, spec, options).text for spec in specs[::step]]
    counted = [len(text.split()) for text in texts]
    for spec in _suspects(specs, step):
        planned_prompt(desk, pattern, spec, options)
    words = round(sum(counted) / len(counted))
    packed = round(sum(map(packed_words, texts)) / len(texts) * len(specs))
    cost = prompt_cost(words if step > 1 else counted, len(specs), packed)
    answer: dict[str, Any] = {"words": words, "workers": cost.workers, "total_words": cost.words}
    answer["tokens_estimate"] = cost.tokens_estimate
    growing = sum(bool(takes_of(pattern, spec)) for spec in specs)
    return answer | ({"growing": growing} if growing else {})


def _suspects(specs: Sequence[TaskSpec], step: int) -> Iterator[TaskSpec]:
    """Those beside every `step`th whose prompt may be too long."""
    for place, spec in enumerate(specs):
        if place % step and len(compact(spec_value(spec))) > SUSPECT:
            yield spec
