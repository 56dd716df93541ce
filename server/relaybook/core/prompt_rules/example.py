"""A prompt that breaks no rule, with parts to replace: what the examples of the rules are made of."""

from typing import Any

from relaybook.core.prompt_rules.rule import PromptFacts

#: Lines such as the server writes.
FIXED = (
    "Spawn no sub-agent and delegate nothing.",
    "Send nothing and deploy nothing: name such an action in `proposed_actions`.",
    "Think in free text first, then give the result between <result> and </result>.",
)
FENCE = '<data-5e1f source="src/auth.py" trust="untrusted">\ndef login(): ...\n</data-5e1f>'
SCHEMA = '```json\n{"type": "object", "required": ["findings"]}\n```'


def prompt(
    *,
    role: str = "You are a reviewer of Python services.",
    task: str = "Review the login code below for session fixation.",
    data: str = FENCE,
    constraints: str = (
        "- Read only the file below; change no file.\n"
        "- Stop after 10 minutes or when every function is checked.\n"
        "- Done when each finding names a line."
    ),
    output: str = SCHEMA,
    interface: str = FIXED[2],
) -> str:
    """The text with the given parts in place of its own."""
    return (
        f"## Role\n{role}\n\n## Task\n{task}\n\n### Input Data\n{data}\n\n"
        f"## Constraints\n{constraints}\n{FIXED[0]}\n{FIXED[1]}\n\n"
        f"## Output Format\n{output}\n\n## Output Interface\n{interface}\n"
    )


def one(text: str = "", **facts: Any) -> tuple[PromptFacts]:
    """One prompt with the facts given; its text is the good prompt unless given."""
    return (PromptFacts(text=text or prompt(), fixed=frozenset(FIXED), **facts),)
