"""The checks that a plan passes before it is registered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from relaybook.core.graph import layers, waits
from relaybook.core.guards import Finding, Severity, check_minutes, check_width, named
from relaybook.core.policy import DEFAULT_WIDTH
from relaybook.core.scope import clashes
from relaybook.model import Pattern, Tier

#: How many overlaps of tasks on different layers are looked into.
PAIRS_COMPARED = 50
#: Words of a role that only the caller has.
SUPERVISING = frozenset({"supervisor", "orchestrator"})
#: Ids and labels, in small letters, of a task that would do the caller's part of a map-reduce.
REDUCING = frozenset({"reduce", "reducer", "reduce step", "aggregate", "aggregation"})


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
    found += _check_roles(pattern, tasks)
    found += _check_writes(tasks, ranks)
    return _worst_first(found)


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
    found += _check_roles(pattern, tasks)
    found += _check_writes(tasks, layers({task.id: task.needs for task in tasks}))
    return _worst_first(found)


def _worst_first(found: Sequence[Finding]) -> tuple[Finding, ...]:
    severities = list(Severity)
    return tuple(sorted(found, key=lambda finding: -severities.index(finding.severity)))


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
    role = (task.expert_role or "").casefold().split()
    return not SUPERVISING.isdisjoint(role) or task.label.strip().casefold() in SUPERVISING


def _reduces(task: PlanTask) -> bool:
    names = {task.id.strip().casefold(), task.label.strip().casefold()}
    return bool(task.needs) or not REDUCING.isdisjoint(names)


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


def _check_roles(pattern: Pattern, tasks: Sequence[PlanTask]) -> list[Finding]:
    """Roles that two experts of a panel share, whatever their case and spacing."""
    if pattern is not Pattern.EXPERT_PANEL:
        return []
    holders: dict[str, list[str]] = {}
    for task in tasks:
        role = "".join((task.expert_role or "").casefold().split())
        if role:
            holders.setdefault(role, []).append(task.id)
    shared = [task for ids in holders.values() if len(ids) > 1 for task in ids]
    found = _check_proposals(tasks)
    if not shared:
        return found
    return [
        *found,
        Finding(
            Severity.ERROR,
            "expert_role_shared",
            f"the same expert_role twice: {named(shared)}",
            "two experts with one view count the same opinion twice",
            "give every task of the panel a distinct expert_role",
        ),
    ]


def _check_proposals(tasks: Sequence[PlanTask]) -> list[Finding]:
    if len({task.proposal for task in tasks}) < 2:
        return []
    return [
        Finding(
            Severity.WARN,
            "proposals_differ",
            "the experts of the panel are not given the same to judge",
            "opinions on different proposals cannot agree or disagree",
            "give every expert the same proposal, and let only the role differ",
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
