"""The verdict of a gate, in the one form in which every answer tells it."""

from typing import Any, Literal

from relaybook.core.result.gates import GateItem, Verdict
from relaybook.errors import clip

#: What answers and events call the gates.
INTAKE, OUTPUT = "intake", "output"
#: The rule that a deed of the parent stands for among the items of a gate.
PARENT_ACTION = "parent_action"
#: The most items of a verdict in an answer, and the longest text of one.
ITEMS_SHOWN, ITEM_LIMIT = 6, 240


def gate_told(name: Literal["intake", "output"], verdict: Verdict) -> dict[str, Any]:
    """The verdict of a gate as every answer tells it: `{gate, verdict, items?}`."""
    items = [item_told(item) for item in verdict.items[:ITEMS_SHOWN]]
    return {"gate": name, "verdict": verdict.verdict} | ({"items": items} if items else {})


def item_told(item: GateItem) -> dict[str, str]:
    """An item of a verdict, its texts bounded."""
    return {
        "rule": item.rule,
        "verdict": item.verdict,
        "what": clip(item.what, ITEM_LIMIT),
        "fix": clip(item.fix, ITEM_LIMIT),
    }
