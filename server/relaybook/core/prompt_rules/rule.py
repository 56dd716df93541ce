"""The words of the linter: what a rule, a finding and the facts about a prompt are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from relaybook.core.prompt_rules.prompt_text import Line
from relaybook.core.severity import Severity
from relaybook.errors import clip
from relaybook.model import Tier

#: How much of the prompt a finding shows, in characters.
EXCERPT_LIMIT = 80
#: How many findings of one rule are given.
MOST = 5
#: How long the statement of a finding may be, in characters.
WHAT_LIMIT = 240

Work = Literal["mechanical", "judgement"]
ModelHint = Literal["cheap", "standard", "expert"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFacts:
    """A prompt and what its text alone does not tell; a raw text is checked with `text` alone."""

    text: str
    #: Lines that the server wrote: no pattern rule reads them.
    fixed: frozenset[str] = frozenset()
    #: JSON Schema of the result and an example of it, as the template gives them.
    schema: Mapping[str, Any] | None = None
    example_result: Any = None
    #: Whether aggregation needs fields of the result.
    needs_schema: bool = False
    #: Arguments that the template does not use, and variables that no input declares.
    unused: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    #: Whether its task speaks of data below and no input gave any.
    lacks_material: bool = False
    #: Paths given as input without their content.
    path_only: tuple[str, ...] = ()
    worker_can_read: bool = False
    #: Of 'read', 'web', 'run'.
    worker_needs: tuple[str, ...] = ()
    #: The done criteria of the task.
    done: tuple[str, ...] = ()
    #: Whether something outside the prompt ends the worker in time.
    time_limit: bool = False
    tier: Tier = Tier.T2
    #: What the task is, and the price class of the model it is sent to.
    work: Work | None = None
    model_hint: ModelHint | None = None
    #: Texts of the inputs declared as context.
    context: tuple[str, ...] = ()
    #: Labels of sibling tasks; the first 100 are read.
    siblings: tuple[str, ...] = ()
    #: The role that sets this panel prompt apart.
    expert_role: str = ""
    #: Texts that the prompts of the workflow are meant to share.
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is looked for, why it hurts, how it is mended, and its own two tests.

    An example is one prompt, or for a rule across prompts the prompts of a workflow.
    """

    id: str
    #: Of most of its findings; a finding may differ.
    severity: Severity
    what: str
    why: str
    fix: str
    source: str
    passing: tuple[PromptFacts, ...]
    failing: tuple[PromptFacts, ...]


class Hit(NamedTuple):
    """One place where a rule is broken; an empty `what` or `severity` is the rule's own."""

    where: str
    excerpt: str = ""
    what: str = ""
    severity: Severity | None = None


def place(section: str, number: int) -> str:
    """'Task, line 4'."""
    return f"{section}, line {number}" if section else f"line {number}"


def hit_at(line: Line, what: str = "") -> Hit:
    return Hit(place(line.section, line.number), line.text, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A broken rule: the pattern, where it stands, why it hurts and the fix."""

    rule: str
    severity: Severity
    where: str
    what: str
    why: str
    fix: str
    excerpt: str


def finding(rule: Rule, hit: Hit) -> Finding:
    return Finding(
        rule=rule.id,
        severity=hit.severity or rule.severity,
        where=clip(hit.where, EXCERPT_LIMIT),
        what=clip(hit.what or rule.what, WHAT_LIMIT),
        why=rule.why,
        fix=rule.fix,
        excerpt=clip(hit.excerpt.strip(), EXCERPT_LIMIT),
    )
