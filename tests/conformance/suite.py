"""The official conformance suite, in its required sets for both protocol revisions."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.conformance.kit import Finding, Kit, last_line
from tests.conformance.serving import fixture_server

STABLE = "conformance-stable/dist/index.js"
NEXT = "@modelcontextprotocol/conformance/dist/index.js"


@dataclass(frozen=True, slots=True)
class Set:
    """One set of scenarios, all of which must pass."""

    name: str
    script: str
    options: tuple[str, ...]


SETS = (
    Set("suite 0.1.16, 2025-06-18 and 2025-11-25", STABLE, ()),
    Set("suite 0.2.0-alpha.12, required for 2025-11-25", NEXT, ("--requirements", "2025-11-25")),
    Set("suite 0.2.0-alpha.12, required for 2026-07-28", NEXT, ("--requirements", "2026-07-28")),
)

#: Scenarios that the suite runs besides, never scores, and relaybook does not pass.
EXPECTED = {
    "json-schema-2020-12": "pending in the suite; relaybook's own schemas use none of it",
    "http-custom-header-server-validation": "pending; no tool of relaybook has an x-mcp-header",
    "server-sse-polling": "pending; needs a tool that closes its own stream, relaybook has none",
    "tasks-mrtr-input": "needs tasks that ask for input; relaybook asks before one begins",
}

_RESULT = re.compile(r"^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed", re.MULTILINE)


def check_suite(kit: Kit) -> list[Finding]:
    """Run each set against one server that holds the fixtures."""
    with fixture_server(kit) as url:
        return [finding for each in SETS for finding in _run(kit, each, url)]


def _run(kit: Kit, each: Set, url: str) -> Sequence[Finding]:
    done = kit.run_node(each.script, "server", "--url", url, *each.options)
    results = {
        name: (int(passed), int(failed)) for name, passed, failed in _RESULT.findall(done.stdout)
    }
    if not results:
        return [Finding(False, f"{each.name}: {last_line(done.stderr or done.stdout)[:200]}")]
    failing = [name for name, (_, failed) in results.items() if failed]
    scored = [name for name in failing if name not in EXPECTED]
    passed = sum(passed for passed, _ in results.values())
    ok = done.returncode == 0 and not scored
    told = f"{each.name}: {len(results) - len(failing)} scenarios, {passed} checks pass"
    return [
        Finding(ok, told + (f"; FAILING {', '.join(scored)}" if scored else "")),
        *_expected([name for name in failing if name in EXPECTED]),
        *_stale(each, results.items()),
    ]


def _expected(failing: Sequence[str]) -> list[Finding]:
    reasons = dict.fromkeys(EXPECTED[name] for name in failing)
    return [
        Finding(True, f"  expected: {_named(failing, reason)} fail: {reason}") for reason in reasons
    ]


def _named(failing: Sequence[str], reason: str) -> str:
    return ", ".join(name for name in failing if EXPECTED[name] == reason)


def _stale(each: Set, results: Iterable[tuple[str, tuple[int, int]]]) -> list[Finding]:
    """An expected failure that passes is to be taken off the list."""
    passing = [name for name, (passed, failed) in results if passed and not failed]
    return [
        Finding(False, f"  {name} passes {each.name}: it is no expected failure any more")
        for name in passing
        if name in EXPECTED
    ]
