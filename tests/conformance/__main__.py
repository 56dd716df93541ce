"""Hold the server against the programs of others, print what each found, and keep it.

All of them, or those that are named: python -m tests.conformance suite inspector
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.conformance.agent import check_agent
from tests.conformance.inspector import check_inspector
from tests.conformance.kit import FOLDER, Finding, Kit, kit
from tests.conformance.suite import check_suite
from tests.conformance.typescript import check_typescript

CHECKS: Mapping[str, Callable[[Kit], list[Finding]]] = {
    "suite": check_suite,
    "inspector": check_inspector,
    "typescript": check_typescript,
    "agent": check_agent,
}
SUMMARY = FOLDER / "summary.txt"


def main(chosen: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        tools = kit(Path(scratch))
        findings: list[Finding] = []
        for name in chosen or CHECKS:
            for found in CHECKS[name](tools):
                findings.append(found)
                sys.stdout.write(f"{'✓' if found.ok else '✗'} {found.text}\n")
                sys.stdout.flush()
    SUMMARY.write_text(
        "".join(f"{'✓' if each.ok else '✗'} {each.text}\n" for each in findings), encoding="utf-8"
    )
    return 0 if findings and all(each.ok for each in findings) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
