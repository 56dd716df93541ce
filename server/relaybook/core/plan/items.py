"""Items to partition: read as callers give them, and divided into one task for each partition."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.core.plan.partition import AS_OBJECT, Item
from relaybook.core.plan.task_fields import ITEM_ID_LIMIT, is_item_id
from relaybook.core.plan.task_spec import TaskSpec
from relaybook.core.text import is_json
from relaybook.errors import InvalidPlan
from relaybook.model import Pattern

#: The patterns whose tasks may be partitions of items.
DIVIDED = (Pattern.MAP_REDUCE, Pattern.FAN_OUT)


def partition_tasks(
    parts: Sequence[Sequence[Item]], template: str, args: Mapping[str, Any]
) -> tuple[TaskSpec, ...]:
    """One task for each partition, `p1` and so on, each knowing only its own items."""
    width = len(str(len(parts)))
    names = [f"p{number:0{width}}" for number in range(1, len(parts) + 1)]
    return tuple(
        TaskSpec(
            id=name,
            label=f"Partition {name} ({len(part)} items)",
            template=template,
            args={"partition": name, **args, "items": [item.value for item in part]},
            items=tuple(item.id for item in part),
        )
        for name, part in zip(names, parts, strict=True)
    )


def read_items(raw: Sequence[Any]) -> tuple[Item, ...]:
    """Items as callers give them: texts, or objects with an `id` and any other members.

    Raises:
        InvalidPlan: one is neither.
    """
    return tuple(_read_item(value, place) for place, value in enumerate(raw))


def _read_item(value: Any, place: int) -> Item:
    if is_item_id(value):
        return Item(value, {"id": value})
    if isinstance(value, Mapping) and is_json(value) and is_item_id(value.get("id")):
        weight = value.get("weight", 1.0)
        group = value.get("group")
        if isinstance(weight, int | float) and (group is None or isinstance(group, str)):
            return Item(value["id"], dict(value), float(weight), group)
    if isinstance(value, str):
        raise InvalidPlan(
            f"Item {place} is a text of {len(value)} characters, and a text is its own id.",
            allowed=f"texts and ids of 1 to {ITEM_ID_LIMIT} characters",
            next=f"send it as {AS_OBJECT}, or leave it out if it is empty",
        )
    raise InvalidPlan(
        f"Item {place} is neither a text nor an object with an `id` that can be kept.",
        allowed=f"texts and ids of 1 to {ITEM_ID_LIMIT} characters, objects {{id, weight?, group?, …}}",
        next="correct the items and call again",
    )
