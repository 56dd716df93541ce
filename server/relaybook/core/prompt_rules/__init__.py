"""The linter of prompts: rules as data, checks small, one reading of the text.

`check` judges a prompt alone, `check_against` beside the others of its workflow.
`form`, `content` and `wording` hold the rules about one prompt, `across` those about several.
"""

from relaybook.core.prompt_rules.across import Fingerprint, check_across, check_against, fingerprint
from relaybook.core.prompt_rules.lint import (
    RULES,
    check,
    judge,
    may_block,
    orders_outward_deed,
    orders_several,
    orders_to_spawn,
)
from relaybook.core.prompt_rules.reading import Reading, read_facts
from relaybook.core.prompt_rules.rule import Finding, ModelHint, PromptFacts, Rule
from relaybook.core.prompt_rules.work import work_of

__all__ = [
    "RULES",
    "Finding",
    "Fingerprint",
    "ModelHint",
    "PromptFacts",
    "Reading",
    "Rule",
    "check",
    "check_across",
    "check_against",
    "fingerprint",
    "judge",
    "may_block",
    "orders_outward_deed",
    "orders_several",
    "orders_to_spawn",
    "read_facts",
    "work_of",
]
