"""What may be recorded on a task: each kind with its members, read strictly."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from relaybook.core.text import is_json
from relaybook.errors import Forbidden, InvalidArguments, nearest
from relaybook.model import EventType

if TYPE_CHECKING:
    from relaybook.core.result.envelope import Envelope

TEXT_LIMIT = 2_000

#: A member of a record: what it must be, and how to tell.
Member = tuple[str, Callable[[Any], bool]]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value.strip()) > 0 and len(value) <= TEXT_LIMIT


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and is_json(value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


TEXT: Member = (f"a text of 1 to {TEXT_LIMIT} characters", _is_text)
NUMBER: Member = ("a number that a double holds", _is_number)
FLAG: Member = ("true or false", _is_flag)


def _one_of(*words: str) -> Member:
    return (f"one of {', '.join(words)}", lambda value: value in words)


#: Kind by kind: the event that it becomes, the members it must have, those it may have.
KINDS: Mapping[str, tuple[EventType, Mapping[str, Member], Mapping[str, Member]]] = {
    "artifact": (
        EventType.ARTIFACT_ADDED,
        {"path": TEXT},
        {"hash": TEXT, "type": TEXT, "description": TEXT},
    ),
    "test": (
        EventType.TEST_RECORDED,
        {"name": TEXT, "status": _one_of("passed", "failed", "skipped", "error")},
        {"evidence": TEXT, "proves": TEXT},
    ),
    # Whether a success criterion is met is a test too; its data has no `name`.
    "criterion": (
        EventType.TEST_RECORDED,
        {"criterion": TEXT, "proven": FLAG},
        {"evidence": TEXT},
    ),
    "metric": (EventType.METRIC_RECORDED, {"name": TEXT, "value": NUMBER}, {"unit": TEXT}),
    "finding": (
        EventType.FINDING_ADDED,
        {"text": TEXT},
        {"severity": TEXT, "evidence": TEXT, "target": TEXT, "confidence": TEXT},
    ),
    "followup": (EventType.FOLLOWUP_ADDED, {"text": TEXT}, {"priority": TEXT}),
    "handoff": (EventType.HANDOFF, {"to": TEXT}, {"reason": TEXT}),
    "review": (
        EventType.REVIEW_RECORDED,
        {
            "satisfied": FLAG,
            "looping": FLAG,
            "progressing": FLAG,
            "decision": _one_of("next_piece", "retry", "reassign", "finish"),
        },
        {"next_task": TEXT, "instruction": TEXT, "reason": TEXT},
    ),
    "user_told": (EventType.USER_TOLD, {}, {"note": TEXT}),
}

#: Kinds that belong to the workflow; the others belong to one of its tasks.
OF_WORKFLOW = frozenset({"review", "user_told"})
#: Kinds that a worker may record on its own task.
OF_WORKER = frozenset({"artifact", "test", "criterion", "metric", "finding", "followup"})


def refuse_kind(kind: str, actor: str) -> None:
    """Refuse a kind of record that there is not, or that is not for this actor.

    Raises:
        InvalidArguments: there is no such kind.
        Forbidden: `actor` is a worker, and the kind is the orchestrator's.
    """
    mine = [each for each in KINDS if actor != "worker" or each in OF_WORKER]
    if kind in mine:
        return
    allowed = nearest(kind, mine, most=len(mine))
    if kind not in KINDS:
        raise InvalidArguments(
            f"There is no kind of record {kind[:80]!r}.", allowed=allowed, next="use one of these"
        )
    raise Forbidden(
        f"A worker may not record {kind!r}: only the orchestrator says that.",
        allowed=allowed,
        next="leave it to the orchestrator; what it should know goes into your result",
    )


def read_record(kind: str, said: Mapping[str, Any]) -> tuple[EventType, dict[str, Any]]:
    """The event type and data of a record of a known kind.

    Raises:
        InvalidArguments: an unknown member, one that is missing or of the wrong form.
    """
    event, needed, optional = KINDS[kind]
    members = {**needed, **optional}
    faults = [f"unknown member {name[:60]!r}" for name in said if name not in members]
    faults += [f"{name!r} is missing" for name in needed if said.get(name) is None]
    faults += [
        f"{name!r} must be {members[name][0]}"
        for name, value in said.items()
        if name in members and value is not None and not members[name][1](value)
    ]
    if faults:
        raise InvalidArguments(
            f"A record of kind {kind!r}: {'; '.join(faults[:4])}.",
            allowed=", ".join(
                f"{name}{'' if name in needed else '?'}{_choice(*member)}"
                for name, member in members.items()
            ),
            next="correct it and call again; nothing was recorded",
        )
    return event, {name: value for name, value in said.items() if value is not None}


def _choice(what: str, _: Callable[[Any], bool]) -> str:
    """The words to choose from, where a member has few."""
    return f" ({what})" if what.startswith("one of ") or what == FLAG[0] else ""


#: The members of a result that are recorded by themselves, and their kinds.
CARRIED = (
    ("artifacts", "artifact"),
    ("tests", "test"),
    ("metrics", "metric"),
    ("findings", "finding"),
)
CARRIED_LIMIT = 100


def carried(envelope: "Envelope") -> list[tuple[EventType, dict[str, Any]]]:
    """What a result says besides its data, as records; what has not their form is left out.

    It stays readable in the result itself.
    """
    notes: list[tuple[EventType, dict[str, Any]]] = []
    for member, kind in CARRIED:
        event, needed, optional = KINDS[kind]
        members = {**needed, **optional}
        for entry in getattr(envelope, member)[:CARRIED_LIMIT]:
            said = {
                name: entry[name]
                for name in members
                if name in entry and members[name][1](entry[name])
            }
            if all(name in said for name in needed):
                notes.append((event, said))
    return notes
