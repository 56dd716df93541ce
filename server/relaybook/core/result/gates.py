"""The INTAKE gate before work and the OUTPUT gate after it.

A verdict says pass, warn or fail: a fail holds the work back until it is mended or waived, a
warning is recorded and lets it go on. What a contract can set is data (`gates.output` of the
contract schema); the other rules hold for all work. Claims prove nothing: a success criterion
is unproven until something shows it.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from relaybook.core.names import few
from relaybook.core.paths import inside
from relaybook.core.prompt_rules import Finding
from relaybook.core.result.placeholders import likely_placeholders, sure_placeholders
from relaybook.core.severity import Severity
from relaybook.errors import clip
from relaybook.model import Tier

Level = Literal["pass", "warn", "fail"]

#: How many culprits an item names, and how long each may be, in characters.
NAMED, NAME_LIMIT = 5, 80

#: The rule of the INTAKE gate beside those of the prompt.
REQUIRED_INPUTS = "required_inputs"
#: What a finding about the prompt means for the gate; the others say nothing against it.
_LEVELS: Mapping[Severity, Literal["warn", "fail"]] = {
    Severity.ERROR: "fail",
    Severity.WARN: "warn",
}

PASSED = frozenset({"pass", "passed", "ok"})
SKIPPED = frozenset({"skip", "skipped"})


@dataclass(frozen=True, slots=True)
class RecordedTest:
    name: str
    #: In PASSED or SKIPPED; any other word counts as failed.
    status: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What must be true, and what shows it."""

    text: str
    proven: bool = False
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class ActionTaken:
    action: str
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is recorded of a piece of work that has ended."""

    #: Paths relative to the project, or http links.
    artifacts: tuple[str, ...] = ()
    tests: tuple[RecordedTest, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    criteria: tuple[Criterion, ...] = ()
    #: Name -> text that the worker wrote, such as its summary.
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    #: The paths and folders it may write; empty where it declared none.
    writes: tuple[str, ...] = ()
    actions_taken: tuple[ActionTaken, ...] = ()
    failed: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GateItem:
    rule: str
    verdict: Literal["warn", "fail"]
    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class Verdict:
    verdict: Level
    #: What stands against the work, in the order of the rules.
    items: tuple[GateItem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    rules: Mapping[str, Any]
    evidence: Evidence
    tier_cap: Tier


#: What a check finds amiss, and how grave it is; None if nothing.
_Fault = tuple[Literal["warn", "fail"], str] | None


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    why: str
    fix: str
    #: Whether it is asked of work that completed, that failed, or of both.
    asked_of: Literal["completed", "failed", "both"]
    check: Callable[[_Case], _Fault]


def output_gate(rules: Mapping[str, Any], evidence: Evidence, tier_cap: Tier = Tier.T2) -> Verdict:
    """The verdict over `evidence` under `rules`, which is `gates.output` of a contract."""
    case = _Case(rules, evidence, tier_cap)
    ended = "failed" if evidence.failed else "completed"
    asked = [rule for rule in RULES if rule.asked_of in {ended, "both"}]
    return _verdict(
        GateItem(rule.id, fault[0], fault[1], rule.fix)
        for rule in asked
        if (fault := rule.check(case)) is not None
    )


def intake_gate(
    required: Sequence[str],
    given: Collection[str],
    findings: Sequence[Finding],
    waived: Collection[str] = (),
) -> Verdict:
    """The verdict before work starts: its required inputs, and what is wrong with its prompt.

    `given` are the inputs that have a value. An error of the prompt fails, a rule that is
    `waived` warns.
    """
    missing = [name for name in required if name not in given]
    items: list[GateItem] = []
    if missing:
        what = f"required inputs are missing: {_named(missing)}"
        items.append(GateItem(REQUIRED_INPUTS, "fail", what, "give each of them a value"))
    items += [
        GateItem(found.rule, _LEVELS[found.severity], f"{found.what} {found.why}", found.fix)
        for found in findings
        if found.severity in _LEVELS
    ]
    return _verdict(
        replace(item, verdict="warn") if item.rule in waived else item for item in items
    )


def _verdict(items: Iterable[GateItem]) -> Verdict:
    found = tuple(items)
    levels = {item.verdict for item in found}
    return Verdict("fail" if "fail" in levels else "warn" if levels else "pass", found)


def _named(culprits: Sequence[str]) -> str:
    """The first few of `culprits`, and how many there are besides."""
    return few([repr(clip(name, NAME_LIMIT)) for name in culprits[:NAMED]], len(culprits))


def _min_artifacts(case: _Case) -> _Fault:
    least = case.rules.get("min_artifacts", 0)
    count = len({path for path in case.evidence.artifacts if path.strip()})
    return ("fail", f"{count} artifacts are recorded, {least} needed") if count < least else None


def _tests(case: _Case) -> _Fault:
    status = {test.name: test.status.strip().lower() for test in case.evidence.tests}
    failed = [name for name, word in status.items() if word not in PASSED | SKIPPED]
    if failed:
        return "fail", f"tests did not pass: {_named(failed)}"
    if "tests" in case.rules and not PASSED & set(status.values()):
        return "warn", "no test is recorded that passed"
    return None


def _metrics(case: _Case) -> _Fault:
    bounds: Mapping[str, Mapping[str, float]] = case.rules.get("metrics", {})
    off = [
        text
        for name, bound in bounds.items()
        if (text := _off_bound(name, case.evidence.metrics.get(name), bound))
    ]
    return ("fail", f"metrics are off: {_named(off)}") if off else None


def _off_bound(name: str, value: float | None, bound: Mapping[str, float]) -> str:
    if value is None:
        return f"{name} is not recorded"
    least, most = bound.get("min", -math.inf), bound.get("max", math.inf)
    if least <= value <= most:
        return ""
    return f"{name} is {value:g}, allowed {least:g} to {most:g}"


def _criteria(case: _Case) -> _Fault:
    bare = [
        criterion.text
        for criterion in case.evidence.criteria
        if not (criterion.proven and criterion.evidence.strip())
    ]
    if not bare:
        return None
    level = "fail" if case.rules.get("require_evidence") else "warn"
    return level, f"success criteria are not shown to be met: {_named(bare)}"


def _placeholders(case: _Case) -> _Fault:
    if sure := _found_in(case.evidence.texts, sure_placeholders):
        return "fail", f"placeholders stand where content belongs: {_named(sure)}"
    if likely := _found_in(case.evidence.texts, likely_placeholders):
        return "warn", f"these may be placeholders: {_named(likely)}"
    return None


def _found_in(texts: Mapping[str, str], find: Callable[[str], tuple[str, ...]]) -> list[str]:
    return [f"{mark} in {name}" for name, text in texts.items() for mark in find(text)]


def _scope(case: _Case) -> _Fault:
    writes = case.evidence.writes
    paths = case.evidence.artifacts
    outside = [path for path in paths if not _is_link(path) and not inside(path, writes)]
    return ("fail", f"artifacts lie outside the scope: {_named(outside)}") if outside else None


def _is_link(path: str) -> bool:
    return path.startswith(("https://", "http://"))


def _tier(case: _Case) -> _Fault:
    above = [
        f"{taken.action} ({taken.tier})"
        for taken in case.evidence.actions_taken
        if taken.tier > case.tier_cap
    ]
    if not above:
        return None
    return "fail", f"actions above {case.tier_cap} were taken: {_named(above)}"


def _reason(case: _Case) -> _Fault:
    return None if case.evidence.reason.strip() else ("fail", "no reason for the failure is given")


RULES: tuple[Rule, ...] = (
    Rule(
        "min_artifacts",
        "Work that left nothing behind cannot be checked or built on.",
        "record the artifacts that were made, or make those that are missing",
        "completed",
        _min_artifacts,
    ),
    Rule(
        "tests",
        "A failing test is the cheapest sign that work is not done.",
        "mend what they show, in the code or in the test; run them and record each as pass or skip",
        "completed",
        _tests,
    ),
    Rule(
        "metrics",
        "A threshold that is not measured is not met.",
        "measure and record each metric, and work on until it is within bounds",
        "completed",
        _metrics,
    ),
    Rule(
        "criteria",
        "Long work is often declared done too early; a criterion starts unproven.",
        "record for each criterion what shows that it is met",
        "completed",
        _criteria,
    ),
    Rule(
        "placeholders",
        "A placeholder looks like content until someone relies on it.",
        "write the content, or say in the gaps that it is missing",
        "completed",
        _placeholders,
    ),
    Rule(
        "scope",
        "Files written outside the agreed paths collide with the work of others.",
        "undo the change, or declare the path in `writes`",
        "both",
        _scope,
    ),
    Rule(
        "tier",
        "A worker prepares what reaches beyond the workspace; the orchestrator does it.",
        "tell the user what was done, and propose such actions instead of taking them",
        "both",
        _tier,
    ),
    Rule(
        "reason",
        "A failure without a reason can only be repeated.",
        "record why it failed",
        "failed",
        _reason,
    ),
)
