"""The checks that a plan passes before it is registered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from relaybook.core.plan.callers_part import label_supervises, reduces, role_supervises
from relaybook.core.plan.graph import layers, waits
from relaybook.core.plan.guards import Finding, check_minutes, check_width, named
from relaybook.core.policy import DEFAULT_WIDTH
from relaybook.core.scope import clashes
from relaybook.core.severity import Severity, worst_first
from relaybook.model import Pattern, Tier

#: How many overlaps of tasks on different layers are looked into.
PAIRS_COMPARED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTask:
    """What the checks look at in one task of a plan."""

    id: str
    label: str
    needs: Sequence[str] = ()
    minutes: float
    #: What finished looks like; empty if the plan does not say.
    done: str = ""
    expert_role: str | None = None
    #: Write scopes.
    writes: Sequence[str] = ()
    #: Earlier tasks whose result it takes whole, though that has fields to choose from.
    takes_whole: Sequence[str] = ()
    #: Whether it waits for others and is handed nothing of what they find.
    takes_nothing: bool = False
    #: What an expert is asked to judge, as one text to compare.
    proposal: str = ""
    tier: Tier = Tier.T2


def check_plan(
    pattern: Pattern, tasks: Sequence[PlanTask], max_parallel: int = DEFAULT_WIDTH
) -> tuple[Finding, ...]:
    """What speaks against a plan, errors first; at most one finding per rule and severity.

    Raises:
        InvalidPlan: tasks wait for each other in a circle.
    """
    ranks = layers({task.id: task.needs for task in tasks})
    width = max(map(len, ranks), default=0)
    found = check_width(pattern, len(tasks), width, max_parallel)
    found += check_minutes((task.id, task.minutes) for task in tasks)
    found += _check_each(pattern, tasks)
    found += _check_panel(pattern, tasks)
    found += _check_writes(tasks, ranks)
    return tuple(worst_first(found))


def check_change(
    pattern: Pattern, added: Sequence[PlanTask], beside: Sequence[PlanTask]
) -> tuple[Finding, ...]:
    """What speaks against adding tasks to a plan of which those `beside` them stay.

    Raises:
        InvalidPlan: tasks wait for each other in a circle.
    """
    tasks = [*beside, *added]
    found = check_minutes((task.id, task.minutes) for task in added)
    found += _check_each(pattern, added)
    found += _check_panel(pattern, tasks)
    found += _check_writes(tasks, layers({task.id: task.needs for task in tasks}))
    return tuple(worst_first(found))


@dataclass(frozen=True, slots=True)
class _Rule:
    """Something that no task of a plan should be; `patterns` are those it holds for."""

    rule: str
    severity: Severity
    patterns: frozenset[Pattern]
    found_in: Callable[[PlanTask], bool]
    what: str
    why: str
    fix: str


def _supervises(task: PlanTask) -> bool:
    return role_supervises(task.expert_role or "") or label_supervises(task.label)


def _reduces(task: PlanTask) -> bool:
    return bool(task.needs) or reduces(task.id, task.label)


_ALL = frozenset(Pattern)
_RULES = (
    _Rule(
        "done_missing",
        Severity.WARN,
        _ALL,
        lambda task: not task.done.strip(),
        "no word on what done looks like",
        "a worker that does not know when to stop runs into its timeout or stops early",
        "give each task a done criterion that can be checked",
    ),
    _Rule(
        "tier",
        Severity.ERROR,
        _ALL,
        lambda task: task.tier in (Tier.T3, Tier.T4),
        "a worker above tier T2",
        "workers prepare; what reaches the world needs the caller's guardrails",
        "let the task prepare it at T2 and propose the action to the caller",
    ),
    _Rule(
        "supervisor_role",
        Severity.ERROR,
        _ALL,
        _supervises,
        "a worker in the role of supervisor",
        "the caller is the only orchestrator; nested plans cannot be traced or recovered",
        "plan the pieces in this workflow and decide between them yourself",
    ),
    _Rule(
        "expert_role_missing",
        Severity.ERROR,
        frozenset({Pattern.EXPERT_PANEL}),
        lambda task: not (task.expert_role or "").strip(),
        "no expert_role",
        "experts without a view of their own give the same opinion several times",
        "give every task of the panel a distinct expert_role",
    ),
    _Rule(
        "dependency",
        Severity.ERROR,
        frozenset({Pattern.FAN_OUT}),
        lambda task: bool(task.needs),
        "a dependency in a fan_out",
        "the tasks of a fan_out all start at once, so none can use another's output",
        'create_workflow(pattern="pipeline", tasks=[…]) with the same tasks',
    ),
    _Rule(
        "dependency",
        Severity.ERROR,
        frozenset({Pattern.EXPERT_PANEL}),
        lambda task: bool(task.needs),
        "a dependency in an expert_panel",
        "an expert who has read another's opinion no longer gives an independent one",
        "remove the dependency; the opinions are merged by aggregate",
    ),
    _Rule(
        "takes_whole",
        Severity.WARN,
        _ALL,
        lambda task: bool(task.takes_whole),
        "a whole result is handed on",
        "what the next step does not need distracts it and costs words in its prompt",
        "name the fields it needs: takes=[{from, fields}]",
    ),
    _Rule(
        "takes_nothing",
        Severity.WARN,
        frozenset({Pattern.SUPERVISOR}),
        lambda task: task.takes_nothing,
        "an order alone, with nothing handed on",
        "outside a pipeline depends_on hands over no result, and its worker sees no other task",
        "name what it needs: takes=[{from, fields}]; or leave it so if it needs nothing",
    ),
    _Rule(
        "reduce_task",
        Severity.ERROR,
        frozenset({Pattern.MAP_REDUCE}),
        _reduces,
        "a reduce step given to a worker",
        "the caller reduces: a worker would need every map output in its prompt",
        "remove the task and call aggregate when the map tasks are over",
    ),
)


def _check_each(pattern: Pattern, tasks: Sequence[PlanTask]) -> list[Finding]:
    found: list[Finding] = []
    for rule in _RULES:
        ids = [task.id for task in tasks if pattern in rule.patterns and rule.found_in(task)]
        if ids:
            what = f"{rule.what}: {named(ids)}"
            found.append(Finding(rule.severity, rule.rule, what, rule.why, rule.fix))
    return found


def _check_panel(pattern: Pattern, tasks: Sequence[PlanTask]) -> list[Finding]:
    if pattern is not Pattern.EXPERT_PANEL:
        return []
    return [*_check_roles(tasks), *_check_proposals(tasks)]


def _check_roles(tasks: Sequence[PlanTask]) -> list[Finding]:
    """Roles that two experts of a panel share, whatever their case and spacing."""
    holders: dict[str, list[str]] = {}
    for task in tasks:
        role = "".join((task.expert_role or "").casefold().split())
        if role:
            holders.setdefault(role, []).append(task.id)
    shared = [task for ids in holders.values() if len(ids) > 1 for task in ids]
    if not shared:
        return []
    return [
        Finding(
            Severity.ERROR,
            "expert_role_shared",
            f"the same expert_role twice: {named(shared)}",
            "two experts with one view count the same opinion twice",
            "give every task of the panel a distinct expert_role",
        )
    ]


def _check_proposals(tasks: Sequence[PlanTask]) -> list[Finding]:
    """Proposals that differ; an expert whose template takes none is given the same elsewhere."""
    first: dict[str, str] = {}
    for task in tasks:
        if task.proposal:
            first.setdefault(task.proposal, task.id)
    if len(first) < 2:
        return []
    return [
        Finding(
            Severity.ERROR,
            "proposals_differ",
            f"experts of a panel who are given different proposals: {named(list(first.values()))}",
            "opinions on different proposals can neither agree nor disagree",
            "give every expert the same proposal, word for word, and let only the role differ",
        )
    ]


def _check_writes(tasks: Sequence[PlanTask], ranks: Sequence[Sequence[str]]) -> list[Finding]:
    """Overlapping scopes of tasks on one layer, or on two where neither waits for the other.

    Across layers only the nearest overlaps are looked at.
    """
    writes = {task.id: task.writes for task in tasks}
    found = [
        pair for rank in ranks for pair in clashes((s, task) for task in rank for s in writes[task])
    ]
    needs = {task.id: task.needs for task in tasks}
    across = clashes((s, task.id) for task in tasks for s in task.writes)[:PAIRS_COMPARED]
    found += [pair for pair in across if not waits(needs, *pair) and not waits(needs, *pair[::-1])]
    ids = list(dict.fromkeys(task for pair in found for task in pair))
    if not ids:
        return []
    return [
        Finding(
            Severity.WARN,
            "writes_overlap",
            f"tasks that may run at once write the same place: {named(ids)}",
            "side by side they undo each other's work or decide things that do not fit",
            "give each its own files or folder, or make one task need the other",
        )
    ]
