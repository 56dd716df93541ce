"""plan: which pattern, or none, and why; batches, waves and cost. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from math import isfinite
from typing import Any, get_args

from relaybook.core.cost import compare, expected_minutes_from, prompt_cost
from relaybook.core.guards import PARALLEL, Finding
from relaybook.core.partition import balance, partition, suggest_parts, waves
from relaybook.core.plan_items import read_items
from relaybook.core.planning import Advice, advise
from relaybook.core.policy import DEFAULT_WIDTH, PROMPT_WORDS, timeout_seconds
from relaybook.core.questions import Facts, OrderName
from relaybook.engine.check import FINDINGS_SHOWN, told
from relaybook.engine.desk import Desk
from relaybook.errors import InvalidArguments, nearest

#: How many of the latest runs of a template are looked at.
RUNS_LOOKED_AT = 50

#: Of words, workers and batches.
MAX_COUNT = 1_000_000
#: How many sizes of batches or waves an answer lists.
SIZES_SHOWN = 100

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
    advice = advise(_facts(given), order)  # pyright: ignore[reportArgumentType]
    answer = _answer(advice)
    workers = batches or advice.tasks
    if items:
        answer["batches"] = _batches(items, batches, float(given["minutes"]))
        workers = answer["batches"]["parts"]
    if items or advice.choice in PARALLEL:
        answer["waves"] = waves(min(workers, SIZES_SHOWN * DEFAULT_WIDTH), DEFAULT_WIDTH)
    answer["cost"] |= asdict(prompt_cost(words, workers)) | {"words_per_prompt": words}
    if other_workers or other_words:
        compared = compare(words, workers, other_workers, other_words)
        answer["compare"] = [asdict(row) for row in compared]
    if template:
        answer["expected"] = _expected(desk, template)
    answer["next"] = _next(advice)
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


def _batches(items: Sequence[Any], batches: int | None, minutes: float) -> dict[str, Any]:
    """The partitions of items that take `minutes` in all."""
    known = read_items(items)
    parts = partition(known, batches or suggest_parts(len(known), minutes / len(known)))
    told = asdict(balance(parts))
    return {"parts": len(parts)} | {
        name: value[:SIZES_SHOWN] if name != "imbalance" else value for name, value in told.items()
    }


def _expected(desk: Desk, template: str) -> dict[str, Any]:
    """How long a worker of `template` takes, by the ledger's own history if it has enough."""
    default = desk.templates.get(template).expected_minutes
    sql = (
        "SELECT ended_at - started_at FROM tasks WHERE template = :template"
        " AND status = 'completed' AND {} ORDER BY ended_at DESC LIMIT :limit"
    )
    with desk.store.read() as tx:
        runs = tx.rows(
            sql.format(tx.sight.of_workflow), {"template": template, "limit": RUNS_LOOKED_AT}
        )
    minutes, source = expected_minutes_from([row[0] / 60 for row in runs], default)
    return {
        "minutes": round(minutes, 2),
        "source": source,
        "timeout_seconds": timeout_seconds(minutes),
    }


def _next(advice: Advice) -> str:
    if advice.choice == "inline":
        return "do it yourself, in this session"
    return f"create_workflow(pattern='{advice.choice}', tasks=[…])"
