"""Reading one task of a plan, field by field: each is what it must be, or the fault says what."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from relaybook.core.plan.task_spec import ParentAction, Take, TaskSpec
from relaybook.core.scope import read_scope
from relaybook.core.text import MAX_DEPTH, is_json, storable
from relaybook.errors import InvalidPlan, nearest
from relaybook.model import Tier

#: What a task id may be made of: every id in use elsewhere fits.
ID_FORM = re.compile(r"[A-Za-z0-9_.\-]{1,128}")
LABEL_LIMIT = 300
GOAL_LIMIT = 2_000
MINUTES_LIMIT = 24 * 60
CALLS_LIMIT = 1_000
ITEM_ID_LIMIT = 512


class _Bad(Exception):
    """A field of a task is not what it must be; the text says what it must be."""


def read_spec(said: Mapping[str, Any]) -> TaskSpec:
    """The specification that `spec_value` wrote; it was checked before, so it is only read."""
    values: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in said.items()
    }
    for name, read in _READ_BACK.items():
        if name in values:
            values[name] = read(values[name])
    return TaskSpec(**values)


def read_task(raw: Any, place: int) -> TaskSpec:
    if not isinstance(raw, Mapping):
        raise _fault(f"Task {place}", f"is {type(raw).__name__}; it must be an object")
    name = str(raw.get("id", ""))[:128] or str(place)
    unknown = [key for key in raw if key not in _FIELDS]
    if unknown:
        raise InvalidPlan(
            f"Task {name!r} has an unknown field {str(unknown[0])[:80]!r}.",
            allowed=nearest(str(unknown[0]), list(_FIELDS)),
            next="correct the field and send the plan again",
        )
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if value is None:
            continue
        try:
            values[key] = _FIELDS[key](value)
        except _Bad as bad:
            raise _fault(f"Field {key!r} of task {name!r}", f"must be {bad}") from bad
    if "id" not in values:
        raise _fault(f"Task {place}", "has no id")
    return TaskSpec(label=values.pop("label", values["id"]), **values)


def _fault(where: str, what: str) -> InvalidPlan:
    return InvalidPlan(f"{where} {what}.", next="correct it and send the plan again")


def _id(value: Any) -> str:
    if isinstance(value, str) and ID_FORM.fullmatch(value):
        return value
    raise _Bad("1 to 128 letters, digits, dots, hyphens or underscores")


def _text(limit: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if isinstance(value, str) and value.strip() and len(value) <= limit:
            return storable(value.strip())
        raise _Bad(f"a text of 1 to {limit} characters")

    return read


def _texts(most: int, limit: int) -> Callable[[Any], tuple[str, ...]]:
    read = _text(limit)

    def read_all(value: Any) -> tuple[str, ...]:
        if isinstance(value, list | tuple) and len(value) <= most:
            return tuple(read(each) for each in value)
        raise _Bad(f"a list of at most {most} texts")

    return read_all


def _item_ids(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(map(is_item_id, value)):
        return tuple(value)
    raise _Bad(f"a list of item ids, each of 1 to {ITEM_ID_LIMIT} characters")


def is_item_id(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= ITEM_ID_LIMIT


def _ids(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(dict.fromkeys(_id(each) for each in value))
    raise _Bad("a list of task ids")


def _object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping) and is_json(value):
        return dict(value)
    raise _Bad(f"an object of JSON values, at most {MAX_DEPTH} levels deep")


def _number(low: float, high: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        raise _Bad(f"a number from {low:g} to {high:g}")

    return read


def _seconds(value: Any) -> int:
    return round(_number(1, MINUTES_LIMIT * 60)(value))


def _calls(value: Any) -> int:
    return round(_number(1, CALLS_LIMIT)(value))


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _Bad("true or false")


def _worker_tier(value: Any) -> Tier:
    if value in (Tier.T1, Tier.T2):
        return Tier(value)
    raise _Bad("T1 or T2: actions of a higher tier belong to the parent")


def _takes(value: Any) -> tuple[Take, ...]:
    if not isinstance(value, list | tuple):
        raise _Bad("a list of {from, fields}")
    return tuple(_take(each) for each in value)


def _take(value: Any) -> Take:
    if not isinstance(value, Mapping) or not set(value) <= {"from", "fields"}:
        raise _Bad("a list of {from, fields}")
    return Take(_id(value.get("from")), _texts(100, 200)(value.get("fields", ())))


def _parent_actions(value: Any) -> tuple[ParentAction, ...]:
    if not isinstance(value, list | tuple):
        raise _Bad(_PARENT_ACTIONS)
    return tuple(_parent_action(each) for each in value)


_PARENT_ACTIONS = "a list of {action, tier}, each tier T3 or T4"


def _parent_action(value: Any) -> ParentAction:
    if not isinstance(value, Mapping) or set(value) != {"action", "tier"}:
        raise _Bad(_PARENT_ACTIONS)
    if value["tier"] not in (Tier.T3, Tier.T4):
        raise _Bad(_PARENT_ACTIONS)
    return ParentAction(_text(500)(value["action"]), Tier(value["tier"]))


def _writes(value: Any) -> tuple[str, ...]:
    scopes = [read_scope(said) for said in _texts(200, 500)(value)]
    known = [scope for scope in scopes if scope is not None]
    if len(known) < len(scopes):
        raise _Bad('paths, folders ending in "/", or names of resources; no ".." and no "*"')
    return tuple(dict.fromkeys(known))


#: How the fields are read back that are not as JSON has them; its lists are tuples.
_READ_BACK: Mapping[str, Callable[[Any], Any]] = {
    "takes": _takes,
    "tier": Tier,
    "parent_actions": _parent_actions,
}
#: How each field of a task is read.
_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "id": _id,
    "label": _text(LABEL_LIMIT),
    "depends_on": _ids,
    "template": _text(128),
    "args": _object,
    "expected_minutes": _number(0.1, MINUTES_LIMIT),
    "timeout_seconds": _seconds,
    "tool_calls": _calls,
    "done": _texts(50, 500),
    "schema": _object,
    "takes": _takes,
    "writes": _writes,
    "when": _text(500),
    "on_failure": _id,
    "instead_of": _id,
    "expert_role": _text(200),
    "capability": _text(128),
    "skill": _text(128),
    "tier": _worker_tier,
    "worker_can_read": _flag,
    "parent_actions": _parent_actions,
    "goal": _text(GOAL_LIMIT),
    "gate": _object,
    "items": _item_ids,
}
assert set(_FIELDS) == {known.name for known in fields(TaskSpec)}
