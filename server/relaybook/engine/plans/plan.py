"""plan: which pattern, or none, and why; batches, waves and cost. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from math import isfinite
from typing import Any, get_args

from relaybook.core.cost import compare, prompt_cost
from relaybook.core.plan.guards import PARALLEL, Finding, check_batches
from relaybook.core.plan.items import DIVIDED, read_items
from relaybook.core.plan.partition import Partitions, balance, partition, suggest_parts, waves
from relaybook.core.plan.planning import Advice, advise
from relaybook.core.plan.questions import INLINE, Choice, Facts, OrderName
from relaybook.core.plan.tasks import DEFAULT_TEMPLATES
from relaybook.core.policy import (
    DEFAULT_WIDTH,
    FINDINGS_SHOWN,
    PROMPT_WORDS,
    SWEET_SPOT_WIDTH,
    timeout_seconds,
)
from relaybook.engine.desk import Desk
from relaybook.engine.history import expected_minutes
from relaybook.engine.plans.check import told
from relaybook.errors import InvalidArguments, nearest
from relaybook.model import Pattern

#: Of words, workers and batches.
MAX_COUNT = 1_000_000
#: How many sizes of batches or waves an answer lists.
SIZES_SHOWN = 100

#: What the tasks of a pattern need beside the usual.
_TASKS: Mapping[Choice, str] = {
    Pattern.EXPERT_PANEL: "tasks=[{id, label, expert_role, args: {proposal, criteria: [{name, question}]}}, …]"
}
_FACTS = [field.name for field in fields(Facts)]
#: The facts that are no yes or no.
_NUMBERS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "minutes": ((int, float), "a number"),
    "subtasks": ((int,), "a whole number"),
    "questions": ((int,), "a whole number"),
}


def plan(
    desk: Desk,
    facts: dict[str, Any],
    *,
    order: str = "specific",
    items: Sequence[Any] = (),
    batches: int | None = None,
    template: str = "",
    words: int = PROMPT_WORDS,
    other_workers: Sequence[int] = (),
    other_words: Sequence[int] = (),
) -> dict[str, Any]:
    """Advice for a job of which `facts` are known.

    Raises:
        InvalidArguments: an unknown fact, an impossible number, an unknown order.
        InvalidPlan: the items cannot be partitioned.
    """
    if order not in get_args(OrderName):
        raise InvalidArguments(
            f"order is {order[:40]!r}.", allowed=", ".join(get_args(OrderName)), next="use one"
        )
    given = {**facts, "subtasks": len(items)} if items and "subtasks" not in facts else facts
    _check_counts(words, *([] if batches is None else [batches]), *other_workers, *other_words)
    known = _facts(given)
    parts = _parts(items, batches, known.minutes) if items else ()
    advice = advise(known, order, len(parts) or batches)  # pyright: ignore[reportArgumentType]
    answer = _answer(advice)
    if parts:
        answer["batches"] = _batches(parts)
        answer["warnings"] += _told(check_batches(len(parts), batches))
    if advice.choice in PARALLEL:
        answer["sweet_spot"] = list(SWEET_SPOT_WIDTH)
        answer["waves"] = waves(min(advice.tasks, SIZES_SHOWN * DEFAULT_WIDTH), DEFAULT_WIDTH)
    answer["cost"] |= asdict(prompt_cost(words, advice.tasks)) | {"words_per_prompt": words}
    if other_workers or other_words:
        compared = compare(words, advice.tasks, other_workers, other_words)
        answer["compare"] = [asdict(row) | {"factor": round(row.factor, 3)} for row in compared]
    if template or advice.choice != INLINE:
        answer["expected"] = _expected(desk, template or DEFAULT_TEMPLATES[Pattern(advice.choice)])
    answer["next"] = _next(advice, bool(parts) and advice.choice in DIVIDED)
    return answer


def _check_counts(*counts: int) -> None:
    if not all(1 <= each <= MAX_COUNT for each in counts):
        raise InvalidArguments(
            "plan: a number of batches, words or workers is out of bounds.",
            allowed=f"whole numbers from 1 to {MAX_COUNT}",
            next="correct it and call again",
        )


def _facts(said: dict[str, Any]) -> Facts:
    unknown = [name for name in said if name not in _FACTS]
    if unknown or said.get("minutes") is None:
        what = f"unknown fact {unknown[0][:60]!r}" if unknown else "the fact 'minutes' is missing"
        raise InvalidArguments(
            f"plan: {what}.",
            allowed=nearest(unknown[0], _FACTS) if unknown else "minutes of the whole job",
            next="correct the facts and call again",
        )
    known = {name: value for name, value in said.items() if value is not None}
    for name, value in known.items():
        _check_kind(name, value)
    return Facts(**known)


def _check_kind(name: str, value: Any) -> None:
    kind, called = _NUMBERS.get(name, (bool, "true or false"))
    strange = isinstance(value, float) and not isfinite(value)
    if strange or not isinstance(value, kind) or (name in _NUMBERS and isinstance(value, bool)):
        raise InvalidArguments(
            f"plan: the fact {name!r} is {repr(value)[:60]}.",
            allowed=called,
            next="correct the facts and call again",
        )


def _answer(advice: Advice) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "pattern": str(advice.choice),
        "why": advice.why,
        "decided_by": advice.asked,
        "order": advice.order,
        "also_matched": [asdict(match) for match in advice.also],
        "runner_up": str(advice.runner_up),
        "mode": asdict(advice.mode),
        "workers": {"tasks": advice.tasks, "at_once": advice.at_once},
        "tool_calls_per_worker": list(advice.tool_calls),
        "cost": {"times_one_session": advice.cost.times, "source": advice.cost.source},
        "warnings": _told(advice.warnings),
    }
    if advice.cost.ask:
        answer["cost"]["ask"] = advice.cost.ask
    if advice.recipe:
        answer["recipe"] = advice.recipe
    if advice.unanswered:
        answer["unanswered"] = list(advice.unanswered)
    answer["summary"] = f"{advice.choice}: {advice.why}"
    return answer


def _told(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [told(finding) for finding in findings[:FINDINGS_SHOWN]]


def _parts(items: Sequence[Any], batches: int | None, minutes: float) -> Partitions:
    """Items that take `minutes` in all, divided over `batches`, or as many as fit."""
    known = read_items(items)
    return partition(known, batches or suggest_parts(len(known), minutes / len(known)))


def _batches(parts: Partitions) -> dict[str, Any]:
    even = balance(parts)
    return {
        "parts": len(parts),
        "sizes": even.sizes[:SIZES_SHOWN],
        "weights": even.weights[:SIZES_SHOWN],
        "imbalance": round(even.imbalance, 3),
    }


def _expected(desk: Desk, template: str) -> dict[str, Any]:
    """How long a worker of `template` takes, by the ledger's own history if it has enough."""
    default = desk.templates.get(template).expected_minutes
    with desk.store.read() as tx:
        minutes, source = expected_minutes(tx, template, default)
    return {
        "template": template,
        "minutes": round(minutes, 2),
        "source": source,
        "timeout_seconds": timeout_seconds(minutes),
    }


def _next(advice: Advice, divided: bool) -> str:
    """The call that follows the advice, with the arguments that its pattern needs."""
    if advice.choice == INLINE:
        return "do it yourself, in this session"
    if advice.mode.mode == "engine":
        return "create_workflow(stages=[{capability, goal}, …]); find_skills tells who can what"
    given = _TASKS.get(advice.choice, "tasks=[{id, label, done}, …]")
    if divided or advice.choice is Pattern.MAP_REDUCE:
        given = f"items=[…], batches={advice.tasks}, args={{instruction}}"
    return f"create_workflow(pattern='{advice.choice}', {given})"
