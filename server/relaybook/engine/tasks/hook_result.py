"""What the judgement of a hook means for the ledger: lessons to propose, work for later, a veto."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from relaybook.core.result.envelope import read_result
from relaybook.core.task.command import Fact
from relaybook.core.text import storable
from relaybook.engine.desk import Desk
from relaybook.errors import InvalidArguments, MalformedOutput, clip
from relaybook.model import EventType

TEXT_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class HookRun:
    """A hook that was run, and what came of it."""

    hook: str
    notes: tuple[Fact, ...] = ()
    #: What stands against the stage.
    objections: tuple[Mapping[str, str], ...] = ()
    #: What reflection made of the findings; it names them by their ids.
    reflected: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def says_something(self) -> bool:
        return bool(self.notes or self.objections or self.reflected)


def read_hook_run(desk: Desk, entry: Any) -> HookRun:
    """A hook named, or {hook, output} with the message of whoever judged.

    Raises:
        InvalidArguments: it is neither.
        MalformedOutput: the output has no result, or not the one that the hook asks for.
    """
    if isinstance(entry, str):
        return HookRun(entry)
    if isinstance(entry, Mapping) and isinstance(entry.get("hook"), str) and len(entry) <= 2:
        output = entry.get("output") or ""
        if isinstance(output, str):
            return _read(desk, entry["hook"], storable(output))
    raise InvalidArguments(
        "An entry of hooks_run is neither a name nor {hook, output}.",
        next="name the hook, with the worker's message as output if it was judged",
    )


def _read(desk: Desk, hook: str, output: str) -> HookRun:
    if not output.strip() or hook not in _READERS:
        return HookRun(hook)
    template, reader = _READERS[hook]
    try:
        data = read_result(output, desk.templates.get(template).output_schema).data
    except MalformedOutput as refusal:
        raise refusal.with_next(
            f"advance_stage again with the corrected output of hook {hook!r}, or with its name "
            "alone if nothing of it is to be recorded"
        ) from None
    return reader(hook, data if isinstance(data, Mapping) else {})


def _reflected(hook: str, data: Mapping[str, Any]) -> HookRun:
    return HookRun(hook, reflected=data)


def _checked(hook: str, data: Mapping[str, Any]) -> HookRun:
    """Follow-ups are kept; a verdict of fail takes the completion back."""
    later = [*data.get("followups", ())]
    later += [issue["text"] for issue in data.get("issues", ()) if issue["severity"] == "warn"]
    objections = [
        {
            "rule": hook,
            "verdict": "fail",
            "what": clip(issue["text"], 240),
            "fix": clip(f"seen: {issue['evidence']}", 240),
        }
        for issue in data.get("issues", ())
        if issue["severity"] == "fail"
    ]
    failed = data.get("verdict") == "fail"
    if failed and not objections:
        objections = [
            {"rule": hook, "verdict": "fail", "what": "the check failed", "fix": "ask why"}
        ]
    return HookRun(hook, _followups(later), tuple(objections) if failed else ())


def _ticketed(hook: str, data: Mapping[str, Any]) -> HookRun:
    tickets = [
        f"repair ticket, {ticket['priority']}: {ticket['cause']} Fix: {ticket['fix']}"
        for ticket in data.get("tickets", ())
    ]
    return HookRun(hook, _followups(tickets))


def _followups(texts: list[str]) -> tuple[Fact, ...]:
    return tuple((EventType.FOLLOWUP_ADDED, {"text": clip(text, TEXT_SHOWN)}) for text in texts)


#: The template whose result a hook hands in, and what is made of it.
_READERS: Mapping[str, tuple[str, Callable[[str, Mapping[str, Any]], HookRun]]] = {
    "reflect": ("hook_reflect", _reflected),
    "sanity-check": ("hook_sanity_check", _checked),
    "skill-lifecycle": ("hook_skill_lifecycle", _ticketed),
}
