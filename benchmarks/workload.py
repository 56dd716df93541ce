"""The work that every measurement does: tasks with real arguments, and what their workers answer."""

import json
from typing import Any

#: As many as may be in progress at once.
WIDTH = 6


def plan(tasks: int) -> list[dict[str, Any]]:
    """The tasks of a fan-out, `t0` and on, each with its own `supervised_piece`."""
    return [_task(number) for number in range(tasks)]


def _task(number: int) -> dict[str, Any]:
    return {
        "id": f"t{number}",
        "label": f"Move module {number} of the billing service to the new tax tables",
        "template": "supervised_piece",
        "expected_minutes": 10,
        "done": [
            f"Module {number} reads every rate from the new tables.",
            "The tests of the module pass without change.",
        ],
        "args": {
            "facts": [
                "The service uses FastAPI; rates are looked up in tax/rates.py.",
                f"Module {number} has 14 call sites, listed in docs/tax.md.",
            ],
            "decisions": ["Rates are read once at start and never cached on disk."],
            "dont_touch": ["The public API of the module."],
        },
    }


def output(number: int) -> str:
    """What the worker of task `number` sends: its reasoning, then a block of about 1 kB."""
    envelope = {
        "status": "ok",
        "summary": f"Module {number} reads all 14 rates from the new tables; its tests pass.",
        "confidence": "high",
        "data": {
            "outcome": f"Module {number} of the billing service uses the new tax tables.",
            "evidence": [
                {
                    "criterion": f"Module {number} reads every rate from the new tables.",
                    "proven": True,
                    "proof": "grep -n old_rate billing/ finds none of the 14 call sites that "
                    "docs/tax.md lists; each calls tax.rates.of(region, day) instead.",
                },
                {
                    "criterion": "The tests of the module pass without change.",
                    "proven": True,
                    "proof": f"pytest tests/billing/test_module_{number}.py: 41 passed in 3.20 s; "
                    "git diff --stat tests/ shows no change.",
                },
            ],
            "blockers": [],
            "suggested_next": "Remove tax/old_rates.py once the last module has moved; nothing "
            "but the nightly export still imports it, at line 88.",
        },
        "artifacts": [{"path": f"billing/module_{number}.py", "note": "14 call sites changed"}],
    }
    return (
        f"All call sites were changed and checked.\n\n<result>\n{json.dumps(envelope)}\n</result>"
    )
