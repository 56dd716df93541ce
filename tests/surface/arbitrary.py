"""Arguments for tools: what their schemas allow, what lies just beside, and what nobody expects.

Seeded, so that a run can be repeated. Names and tokens that answers told come up again, so that
calls reach beyond the first check.
"""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

RESULT = '<result>{"status": "ok", "summary": "s", "data": {"count": 1, "items": []}}</result>'
ASKING = '<result>{"status": "needs_input", "questions": ["Which?"]}</result>'

#: Texts that break things: empty, of one character, JSON, markup, paths, long.
TEXTS: Sequence[str] = (
    *("", " ", "a", "0", "null", "[1, 2]", '{"a": 1}', "true", "é\u0301\u202e", "\x00"),
    *("../../etc/passwd", "a/b/", "{{ x }}", "{% raw %}", "%s %n", "'; DROP TABLE tasks; --"),
    *(
        "<result>",
        "</result><result>{}</result>",
        "```json\n{}\n```",
        "x" * 5_000,
        "\U0001f600" * 300,
    ),
    *("word " * 3_000, "\n" * 400, '"' * 2_000, "\\" * 2_000),
    *(RESULT, RESULT, ASKING, '<result>{"status": "error", "error": "no"}</result>'),
)
#: Values for arguments of these names, besides what answers told.
KNOWN: Mapping[str, Sequence[str]] = {
    "template": ("research", "piece", "counted", "review", "expert", "map_batch"),
    "composition": ("deal_review", "documentation_sweep", "incident_response", "skill_factory"),
    "capability": ("implement", "deploy", "verification"),
    "detail": ("concise", "detailed", "resume"),
    "order": ("specific", "playbook"),
    "decision": (
        *("retry_failed", "adjust", "accept_partial", "answer", "waive", "confirm", "cancel"),
        *("accept_lesson", "reject_lesson", "not_applicable", "finish"),
    ),
    "error_code": ("timeout", "crash", "lost_session", "malformed_output"),
    "uri": (
        *("ledger://workflows", "ledger://stats", "ledger://items", "ledger://lessons"),
        *("guide://quick-reference", "prompt://index", "contract://index", "ledger://health"),
    ),
    "cursor": ("0", "1", "100", "-1", "99999999999"),
    "project": ("default", "other"),
}
NUMBERS: Sequence[Any] = (
    *(0, 1, 2, 3, 6, -1, 45, 2**31, 2**63, 2**70, 10**30),
    *(0.5, 1e-9, -0.0, 1e308, math.inf, -math.inf, math.nan),
)
#: No wait in a test takes long.
WAITS: Sequence[Any] = (0, 0, 0.001, -1, 46, math.nan, "soon")


class Arbitrary:
    """Draws arguments; remembers what answers told."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._told: dict[str, list[str]] = {}

    def learn(self, answer: Any) -> None:
        """Take the names and tokens out of an answer."""
        if isinstance(answer, list):
            for each in answer[:20]:
                self.learn(each)
        if not isinstance(answer, dict):
            return
        for key, value in answer.items():
            if isinstance(value, str) and key in ("workflow_id", "task_id", "claim", "lesson"):
                self._remember(key, value)
            elif key == "ready" and isinstance(value, list):
                for each in value[:20]:
                    self._remember("task_id", each)
            else:
                self.learn(value)

    def _remember(self, name: str, value: str) -> None:
        told = self._told.setdefault(name, [])
        if value not in told:
            told.append(value)
            del told[:-40]

    def last(self, name: str) -> str:
        """What was told last under this name."""
        return self._told.get(name, ["none"])[-1]

    def arguments(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments for a tool with this input schema."""
        chosen = self._object(schema, 0)
        if self._chance(0.05):
            chosen[self.random.choice(("wieght", "x" * 300, "", "claim"))] = self._anything(0)
        return chosen

    def _chance(self, of: float) -> bool:
        return self.random.random() < of

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        properties: Mapping[str, Any] = schema.get("properties", {})
        drawn: dict[str, Any] = {}
        for name, inner in properties.items():
            if self._chance(0.97 if name in required else 0.3):
                drawn[name] = self._value(inner, name, depth + 1)
        if not properties:
            drawn[self.random.choice(("a", "items"))] = self._anything(depth + 1)
        return drawn

    def _value(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        if name == "wait_seconds":
            return self.random.choice(WAITS)
        if self._chance(0.06):
            return self._anything(depth)
        if "enum" in schema:
            return self.random.choice(schema["enum"]) if self._chance(0.95) else "nonsense"
        kind = schema.get("type", "object")
        return self._of_kind(kind[0] if isinstance(kind, list) else kind, schema, name, depth)

    def _of_kind(self, kind: str, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        if kind == "string":
            return self._text(name)
        if kind in ("integer", "number"):
            return self.random.choice(NUMBERS)
        if kind == "boolean":
            return self._chance(0.5)
        if kind == "array":
            return self._array(schema.get("items", {}), name, depth)
        return self._object(schema, depth)

    def _text(self, name: str) -> str:
        known = [*self._told.get(name, ()), *KNOWN.get(name, ())]
        if name == "uri" and self._chance(0.5):
            return self._ledger_uri()
        if known and self._chance(0.85):
            return self.random.choice(known)
        return self.random.choice(TEXTS)

    def _ledger_uri(self) -> str:
        workflow_id, task_id = (
            self.random.choice(self._told.get(name, ["none"]))
            for name in ("workflow_id", "task_id")
        )
        tail = self.random.choice(
            ("", "/events", "/graph", f"/tasks/{task_id}", "/tasks/%00", "/x")
        )
        return f"ledger://workflows/{workflow_id}{tail}"

    def _array(self, items: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        size = self.random.choice((0, 1, 1, 2, 3, 5, 11, 60 if depth < 3 else 2))
        singular = {"depends_on": "task_id", "replaces": "task_id"}.get(name, name)
        return [
            self._value(items, singular, depth + 1) if items else self._anything(depth + 1)
            for _ in range(size)
        ]

    def _anything(self, depth: int) -> Any:
        kind = self.random.randrange(8)
        if kind == 0:
            return self.random.choice(TEXTS)
        if kind == 1:
            return self.random.choice(NUMBERS)
        if kind == 2 and depth < 6:
            return [self._anything(depth + 1) for _ in range(self.random.randrange(4))]
        if kind == 3 and depth < 6:
            return {self.random.choice(TEXTS): self._anything(depth + 1) for _ in range(3)}
        if kind == 4:
            return _nested(self.random.choice((5, 60, 100)))
        if kind == 5 and depth < 3:
            return [self.random.choice((0, "", None, {}))] * 1_000
        return self.random.choice((None, True, False, 0, ""))


def _nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = {"a": value} if depth % 2 else [value]
    return value
