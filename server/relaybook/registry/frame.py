"""What the server adds to a prompt beside the template: limits, scope, history, the interface."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from relaybook.core.fence import FENCE_RULE
from relaybook.core.result.envelope import EXAMPLE
from relaybook.model import Tier
from relaybook.registry.inlay import Inlay

OUTPUT_INTERFACE = f"""\
Reason first, then end with this block, tags alone on their lines:

{EXAMPLE}

`status`: ok, partial, needs_input, or error with `error`{{code,message}}. Optional: confidence \
(low/medium/high) and lists: evidence{{claim,source}}, gaps, questions, artifacts{{path}}, \
tests{{name,status}}, metrics{{name,value}}, findings{{text}}, \
proposed_actions{{action,target,tier,why}}, actions_taken{{action,tier}}."""

_CAPS = {
    Tier.T1: "Capped at tier T1 (reading)",
    Tier.T2: "Capped at tier T2 (workspace writes)",
}

#: What a worker leaves alone that has no write scope: a T2 worker is bound by its template.
_UNTOUCHED = {
    Tier.T1: "Change nothing outside your result.",
    Tier.T2: "Change nothing outside the scope above.",
}

PROOF_RULE = "Prove each in `evidence`: `claim` repeats its words, `source` is what you observed."
SCHEMA_RULE = "`data` must match this JSON Schema:"


@dataclass(frozen=True, slots=True)
class Prior:
    """Selected output of an earlier task."""

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class PastError:
    """How an earlier attempt at this task ended."""

    number: int
    code: str
    message: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the server knows of one attempt at one task."""

    #: Lower-case hexadecimal digits, fresh for each prompt.
    nonce: str
    minutes: float
    #: T1 or T2.
    tier: Tier = Tier.T1
    #: How many tool calls the worker may make.
    tool_calls: int | None = None
    #: JSON Schema of `data` in place of the template's.
    schema: Mapping[str, Any] | None = None
    #: What the worker may write; empty means nothing, for T2 what its template says.
    writes: tuple[str, ...] = ()
    prior: tuple[Prior, ...] = ()
    errors: tuple[PastError, ...] = ()
    #: Questions that the worker asked, each with its answer.
    answers: tuple[tuple[str, str], ...] = ()
    #: Decisions that all parts of the work keep to.
    shared_decisions: tuple[str, ...] = ()
    #: What holds when the task is done.
    done: tuple[str, ...] = ()
    #: What is left to whoever gave out the task.
    parent_actions: tuple[str, ...] = ()
    #: Lessons that were accepted.
    lessons: tuple[str, ...] = ()


def limits(frame: Frame, inlay: Inlay) -> tuple[str, ...]:
    """The constraint lines that every worker gets."""
    scope = _scope(frame, inlay)
    common = _limits(frame.minutes, frame.tier, scope, inlay.datamark, frame.tool_calls)
    return (*common, _prepared(frame, inlay)) if frame.parent_actions else common


def _prepared(frame: Frame, inlay: Inlay) -> str:
    deeds = "; ".join(inlay.line(deed).rstrip(".") for deed in frame.parent_actions)
    return (
        f"- Prepare as plan, command or draft, and do not carry out: {deeds}. Put each into "
        "`proposed_actions`; ready to be done meets a criterion about it."
    )


#: The tasks of a plan mostly have the same limits.
@lru_cache(maxsize=256)
def _limits(
    minutes: float, tier: Tier, scope: str, datamark: str, tool_calls: int | None
) -> tuple[str, ...]:
    lines = [
        f"Time limit: {minutes:g} minutes; stop once done.",
        f"{_CAPS[tier]}; propose anything beyond in `proposed_actions`.",
        scope,
        "Do not spawn or delegate.",
        "Essential input missing or contradictory: needs_input with `questions`; do not guess.",
        FENCE_RULE + (f" Its words are joined by {datamark}." if datamark else ""),
    ]
    if tool_calls is not None:
        lines.append(f"Make at most {tool_calls} tool calls.")
    return tuple(f"- {line}" for line in lines)


@lru_cache(maxsize=256)
def fixed_lines(limits: tuple[str, ...]) -> frozenset[str]:
    """The lines of a prompt with these limits that the server wrote."""
    return frozenset([*limits, SCHEMA_RULE, PROOF_RULE, *OUTPUT_INTERFACE.split("\n")])


def agreed(frame: Frame, inlay: Inlay) -> list[str]:
    """The constraint lines that decisions and lessons make."""
    decided = [f"- Decided, keep to it: {inlay.line(text)}" for text in frame.shared_decisions]
    learned = [f"- Learned before: {inlay.text(t, 'lesson')}" for t in frame.lessons]
    return decided + learned


def _scope(frame: Frame, inlay: Inlay) -> str:
    if frame.writes:
        paths = ", ".join(inlay.line(path) for path in frame.writes)
        return f"Write only to {paths}; touch nothing else."
    return _UNTOUCHED[frame.tier]


def task_parts(frame: Frame, inlay: Inlay) -> list[str]:
    """The H3 parts that belong to Task before its Input Data."""
    parts: list[str] = []
    if frame.done:
        done = "\n".join(f"- {inlay.line(criterion)}" for criterion in frame.done)
        parts.append(f"### Done When\n{done}\n{PROOF_RULE}")
    if frame.answers:
        answers = "\n".join(
            f"{inlay.data(question, 'question of an earlier attempt')}\n"
            f"Answer: {inlay.text(answer, 'answer')}"
            for question, answer in frame.answers
        )
        parts.append(f"### Answers\n{answers}")
    if frame.errors:
        errors = "\n".join(
            inlay.data(_error(e), f"error of attempt {e.number}") for e in frame.errors
        )
        advice = "Earlier attempts failed as below. Avoid these errors; take another way."
        parts.append(f"### Earlier Attempts\n{advice}\n{errors}")
    return parts


def prior_data(frame: Frame, inlay: Inlay) -> str:
    """The selected outputs of earlier tasks, as fenced data."""
    return "\n".join(inlay.data(prior.text, prior.source) for prior in frame.prior)


def schema_text(schema: Mapping[str, Any], inlay: Inlay) -> str:
    """The sentence that shows a JSON Schema of `data`, which nobody may change."""
    return f"{SCHEMA_RULE}\n```json\n{inlay.schema(schema)}\n```"


def _error(error: PastError) -> str:
    return "\n".join([f"{error.code}: {error.message}", *error.problems])
