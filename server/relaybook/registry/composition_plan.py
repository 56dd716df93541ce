"""From a composition and arguments to a plan, as `create_workflow` takes it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.core.plan.partition import Item, partition, suggest_parts
from relaybook.errors import InvalidPlan, clip
from relaybook.model import Pattern
from relaybook.registry.arguments import check_arguments
from relaybook.registry.composition import Composition
from relaybook.registry.placeholders import fill

NAME_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanParts:
    """The parts of a plan."""

    pattern: Pattern
    name: str
    #: Tasks as callers give them.
    tasks: Sequence[Any]
    #: What the workflow keeps beside its tasks.
    options: Mapping[str, Any]


def plan_of(
    composition: Composition, args: Mapping[str, Any], batches: int | None = None
) -> PlanParts:
    """The plan of `composition` with `args`; `batches` in place of its own number.

    Raises:
        InvalidArguments: with all unknown, missing and mismatched ones named.
        InvalidPlan: the items cannot be divided.
    """
    values = check_arguments(
        composition.name, composition.params, args, what="Composition", may_be_empty=True
    )
    given = {name: value for name, value in values.items() if value is not None}
    options = {
        "merge": composition.merge,
        "tags": list(composition.tags),
        "shared_decisions": fill(composition.shared_decisions, given),
        "acceptance": fill(composition.acceptance, given),
        "brief": fill(composition.brief, given),
    }
    return PlanParts(
        pattern=composition.pattern,
        name=clip(" ".join(fill(composition.trigger, given).split()), NAME_LIMIT),
        tasks=list(_tasks(composition, given, batches)),
        options={"composition": composition.name}
        | {name: value for name, value in options.items() if value},
    )


def _tasks(
    composition: Composition, given: Mapping[str, Any], batches: int | None
) -> Iterator[dict[str, Any]]:
    if not composition.items:
        yield from fill(composition.tasks, given)
        return
    (each,) = composition.tasks
    items = [_item(value, place) for place, value in enumerate(given.get(composition.items, ()))]
    wanted = composition.batches if batches is None else batches
    if wanted is None:
        wanted = suggest_parts(max(len(items), 1), 1.0)
    parts = partition(items, wanted)
    width = len(str(len(parts)))
    for number, part in enumerate(parts, start=1):
        batch = {"batch": [item.value for item in part], "batch_number": number}
        task = fill(each, {**given, **batch})
        yield task | {"id": f"{each['id']}_{number:0{width}}", "items": [item.id for item in part]}


def _item(value: Any, place: int) -> Item:
    """A value as an item: a text by itself, an entry by its `id`, a source by its `path`."""
    named = value.get("id") or value.get("path") if isinstance(value, Mapping) else value
    if isinstance(named, str) and named:
        return Item(named, value)
    raise InvalidPlan(
        f"Item {place} is neither a text nor an object with a text `id` or `path`.",
        allowed="texts, entries {id, …}, sources {path, content}",
        next="correct the items and call again",
    )
