"""The advice: which pattern, or none; engine or manual; how many workers; what speaks against it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from relaybook.core.plan.guards import PARALLEL, Finding, check_minutes, check_width
from relaybook.core.plan.partition import suggest_parts
from relaybook.core.plan.questions import INLINE, ORDERS, Choice, Facts, OrderName, Question, asked
from relaybook.core.plan.tasks import MAX_TASKS
from relaybook.core.policy import DEFAULT_WIDTH, SWEET_SPOT_WIDTH, WORKER_MINUTES
from relaybook.core.severity import Severity
from relaybook.errors import InvalidArguments
from relaybook.model import Pattern

#: Of a whole job: about 19 years.
MAX_MINUTES = 10_000_000

#: Tokens of one agent and of several, as multiples of a chat's; and who measured them.
AGENT_TOKENS, AGENTS_TOKENS = 4, 15
COST_SOURCE = "Anthropic, multi-agent research system, 2025"
#: Tool calls that suffice for a simple fact, and for one worker's share of more. Same source.
TOOL_CALLS_ALONE = (3, 10)
TOOL_CALLS_PER_WORKER = (10, 15)

EVALUATOR_OPTIMISER = (
    "evaluator-optimiser: one task drafts, another checks it against the criteria, "
    "and the draft is revised at most twice"
)


@dataclass(frozen=True, slots=True)
class Match:
    """A choice that the facts also allow, and why it was not taken."""

    choice: Choice
    question: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Mode:
    """The row of the engine-or-manual table that applies."""

    mode: Literal["engine", "manual", "inline"]
    row: str
    why: str


@dataclass(frozen=True, slots=True)
class Multiple:
    """What the choice costs, as a multiple of the tokens of one session."""

    times: float
    source: str
    #: What to ask before paying it; empty if there is nothing to pay.
    ask: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do with a job, and why."""

    choice: Choice
    #: Id and text of the question that decided, the order it was asked in, and its reason.
    question: str
    asked: str
    order: OrderName
    why: str
    also: tuple[Match, ...]
    runner_up: Choice
    mode: Mode
    #: Tasks in all, and how many of them at once.
    tasks: int
    at_once: int
    #: Least and most for one worker.
    tool_calls: tuple[int, int]
    cost: Multiple
    warnings: tuple[Finding, ...]
    #: A proven shape for the pattern, where there is one.
    recipe: str | None
    #: Facts nobody stated whose questions came before the one that decided.
    unanswered: tuple[str, ...]


def advise(facts: Facts, order: OrderName = "specific", parts: int | None = None) -> Advice:
    """The first question answered yes decides; the others that hold are reported with it.

    `parts` is how many tasks side by side the job is divided into, where that is settled.

    Raises:
        InvalidArguments: an impossible number, or an order that is not known.
    """
    _check(facts, order)
    questions = asked(order)
    holding = [question for question in questions if question.holds(facts)]
    decided = holding[0]
    also = _also(decided.choice, holding[1:])
    tasks, at_once = _workers(facts, decided.choice, parts)
    return Advice(
        choice=decided.choice,
        question=decided.id,
        asked=decided.text,
        order=order,
        why=decided.why,
        also=also,
        runner_up=also[0].choice if also else _other(decided.choice),
        mode=_mode(facts, decided.choice),
        tasks=tasks,
        at_once=at_once,
        tool_calls=TOOL_CALLS_ALONE if decided.choice == INLINE else TOOL_CALLS_PER_WORKER,
        cost=_cost(decided.choice),
        warnings=_warnings(facts, decided.choice, tasks),
        recipe=EVALUATOR_OPTIMISER if decided.choice is Pattern.SUPERVISOR else None,
        unanswered=_unanswered(facts, questions[: questions.index(decided)]),
    )


def _check(facts: Facts, order: str) -> None:
    if order not in ORDERS:
        raise InvalidArguments(
            f"There is no order {order[:40]!r}.",
            allowed=", ".join(ORDERS),
            next="leave the order out, or take one of these",
        )
    counts = (facts.questions, 1 if facts.subtasks is None else facts.subtasks)
    if not 0 < facts.minutes <= MAX_MINUTES or not all(1 <= each <= MAX_TASKS for each in counts):
        raise InvalidArguments(
            f"A job of {facts.minutes!r} minutes, {counts[1]!r} subtask(s) and "
            f"{facts.questions!r} questions cannot be planned.",
            allowed=f"minutes above 0 to {MAX_MINUTES}, subtasks and questions from 1 to {MAX_TASKS}",
            next="estimate the minutes of the whole job in one session and call again",
        )


_WHY_NOT = MappingProxyType[tuple[Choice, Choice], str](
    {
        (Pattern.EXPERT_PANEL, Pattern.FAN_OUT): (
            "the experts of a panel are independent tasks already, and it merges their opinions"
        ),
        (Pattern.MAP_REDUCE, Pattern.FAN_OUT): (
            "the partitions of a map_reduce are independent tasks already, and it aggregates them"
        ),
        (Pattern.SUPERVISOR, Pattern.FAN_OUT): "a fixed set of tasks leaves nothing to judge",
        (Pattern.SUPERVISOR, Pattern.PIPELINE): "a fixed chain leaves nothing to judge",
        (Pattern.PIPELINE, Pattern.FAN_OUT): (
            "steps that need each other's output cannot run side by side"
        ),
    }
)


def _also(choice: Choice, others: Sequence[Question]) -> tuple[Match, ...]:
    """The first match of each other pattern; `left` asks for what nothing else matched."""
    found: dict[Choice, Match] = {}
    for other in others:
        if other.choice in (choice, INLINE) or other.id == "left":
            continue
        why = "the job is too small to repay workers"
        if choice != INLINE:
            why = _WHY_NOT.get((choice, other.choice), "its question comes later in this order")
        found.setdefault(other.choice, Match(other.choice, other.id, why))
    return tuple(found.values())


def _other(choice: Choice) -> Choice:
    """The runner-up where nothing else matched."""
    return Pattern.SUPERVISOR if choice == INLINE else INLINE


@dataclass(frozen=True, slots=True)
class _Row:
    holds: Callable[[Facts, Choice], bool]
    mode: Mode


_MODES = (
    _Row(
        lambda facts, choice: choice == INLINE and facts.exploration,
        Mode("inline", "ad-hoc exploration or research", "It needs no orchestration."),
    ),
    _Row(
        lambda facts, choice: choice == INLINE,
        Mode("inline", "small job", "There is nothing to hand over."),
    ),
    _Row(
        lambda facts, choice: choice is Pattern.EXPERT_PANEL,
        Mode("manual", "expert panel", "It has no chain of stages to model."),
    ),
    _Row(
        lambda facts, choice: choice is Pattern.PIPELINE and facts.recurring,
        Mode("engine", "recurring known pipeline", "Define it once and use it again."),
    ),
    _Row(
        lambda facts, choice: choice not in PARALLEL and facts.stages,
        Mode(
            "engine",
            "multi-stage software task",
            "Each stage gets a work item, its dependency on the stage before, and its hooks.",
        ),
    ),
    _Row(
        lambda facts, choice: choice in PARALLEL and facts.homogeneous,
        Mode(
            "manual",
            "one-off parallel batch",
            "For like tasks, contracts cost more than they bring.",
        ),
    ),
    _Row(
        lambda facts, choice: True,
        Mode("manual", "no stages with capabilities", "The engine adds only stages and hooks."),
    ),
)


def _mode(facts: Facts, choice: Choice) -> Mode:
    return next(row.mode for row in _MODES if row.holds(facts, choice))


def _cost(choice: Choice) -> Multiple:
    if choice == INLINE:
        return Multiple(1.0, COST_SOURCE, "")
    times = AGENTS_TOKENS / AGENT_TOKENS
    return Multiple(
        times, COST_SOURCE, f"Is the result worth about {times:g} times the tokens of one session?"
    )


def _workers(facts: Facts, choice: Choice, parts: int | None) -> tuple[int, int]:
    """Tasks in all and at once: one per piece, or as many as keep each within its minutes."""
    if choice == INLINE:
        return 1, 1
    if choice not in PARALLEL:
        return facts.subtasks or max(2, math.ceil(facts.minutes / WORKER_MINUTES[1])), 1
    if choice is Pattern.EXPERT_PANEL:
        tasks = facts.subtasks or SWEET_SPOT_WIDTH[0]
    else:
        tasks = parts or _parallel_tasks(facts, choice)
    return tasks, min(tasks, DEFAULT_WIDTH)


def _parallel_tasks(facts: Facts, choice: Choice) -> int:
    """Like pieces, and the items of a dataset, share workers; other pieces have one each.

    Where the number of pieces is not known, minutes stand for them.
    """
    pieces = facts.subtasks or (facts.questions if facts.exploration else 1)
    if pieces > 1 and not facts.homogeneous and choice is Pattern.FAN_OUT:
        return pieces
    if pieces == 1:
        pieces = math.ceil(facts.minutes)
    return suggest_parts(pieces, facts.minutes / pieces)


def _warnings(facts: Facts, choice: Choice, tasks: int) -> tuple[Finding, ...]:
    if choice == INLINE:
        return ()
    width = tasks if choice in PARALLEL else 1
    found = check_width(Pattern(choice), tasks, width, DEFAULT_WIDTH)
    found += check_minutes([("each task", _minutes_each(facts, tasks))])
    if choice in PARALLEL and facts.sequential:
        found.append(_SEQUENTIAL)
    if choice in PARALLEL and facts.writes_same_artefact:
        found.append(_SHARED_WRITES)
    return tuple(found)


def _minutes_each(facts: Facts, tasks: int) -> float:
    """Of one task: the pieces of the largest share, each as long as the others."""
    pieces = max(facts.subtasks or tasks, tasks)
    return math.ceil(pieces / tasks) * facts.minutes / pieces


_SEQUENTIAL = Finding(
    Severity.WARN,
    "sequential_in_parallel",
    "steps that need each other's output would run side by side",
    "on sequential planning every layout of several agents did 39 to 70 % worse than one agent "
    "(arXiv 2512.08296)",
    'do it inline, or use pattern="pipeline"',
)
_SHARED_WRITES = Finding(
    Severity.WARN,
    "shared_writes",
    "several workers would write the same artefact at once",
    "each makes decisions that the others do not see, and the parts do not fit",
    "let workers read and one write, or give each its own write scope and the same "
    "shared decisions on names, formats and interfaces",
)


def _unanswered(facts: Facts, before: Sequence[Question]) -> tuple[str, ...]:
    return tuple(q.fact for q in before if q.fact and getattr(facts, q.fact) is None)
