"""What the prompts of a plan cost, before any of it is written."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.core.cost import prompt_cost
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.prompt import planned_prompt, takes_of
from relaybook.model import Pattern

#: How many prompts are rendered to be counted; a larger plan is estimated from as many.
PROMPTS_COUNTED = 100


def plan_cost(
    desk: Desk, pattern: Pattern, specs: Sequence[TaskSpec], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Words of a prompt on average, of all prompts, and the tokens that these may be.

    `growing` tells how many prompts will also carry results that are not there yet.
    """
    step = -(-len(specs) // PROMPTS_COUNTED)
    counted = [
        len(planned_prompt(desk, pattern, spec, options).text.split()) for spec in specs[::step]
    ]
    words = round(sum(counted) / len(counted))
    cost = prompt_cost(words if step > 1 else counted, len(specs))
    answer: dict[str, Any] = {"words": words, "workers": cost.workers, "total_words": cost.words}
    answer["tokens_estimate"] = cost.tokens_estimate
    growing = sum(bool(takes_of(pattern, spec)) for spec in specs)
    return answer | ({"growing": growing} if growing else {})
