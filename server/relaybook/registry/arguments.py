"""Checking the arguments of a template before anything is rendered, all faults at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relaybook.errors import InvalidArguments, closest
from relaybook.registry.kinds import Mismatch, read_as
from relaybook.registry.parameter import Parameter

#: How many faults of one sort a refusal lists, and how long each may be.
MOST_FAULTS, FAULT_LIMIT = 20, 120


@dataclass(frozen=True, slots=True)
class _Faults:
    missing: list[str]
    unknown: list[str]
    invalid: list[str]


def check_arguments(
    name: str,
    inputs: Sequence[Parameter],
    args: Mapping[str, Any],
    *,
    what: str = "Template",
    may_be_empty: bool = False,
) -> dict[str, Any]:
    """A value for every input: read as its kind, the default where left out, or None.

    `what` and `name` say whose arguments they are. `may_be_empty` lets an empty list or object
    count as given.

    Raises:
        InvalidArguments: with all unknown, missing and mismatched ones named.
    """
    known = {parameter.name for parameter in inputs}
    unknown = [str(name)[:60] for name in args if name not in known]
    missing: list[str] = []
    invalid: list[str] = []
    values: dict[str, Any] = {}
    for parameter in inputs:
        value = args.get(parameter.name)
        value = parameter.default if value is None else value
        if parameter.required and _blank(value, () if may_be_empty else ([], {})):
            missing.append(parameter.name)
            continue
        try:
            values[parameter.name] = (
                None if value is None else read_as(parameter, value, parameter.name)
            )
        except Mismatch as mismatch:
            invalid.append(str(mismatch)[:FAULT_LIMIT])
    if missing or unknown or invalid:
        raise _refusal(f"{what} {name!r}", inputs, _Faults(missing, unknown, invalid))
    return values


def _blank(value: Any, empty: Sequence[Any]) -> bool:
    text = value.strip() if isinstance(value, str) else value
    return text in (None, "", *empty)


def _refusal(whose: str, inputs: Sequence[Parameter], faults: _Faults) -> InvalidArguments:
    kinds = {parameter.name: parameter.kind for parameter in inputs}
    shapes = {parameter.name: parameter.shape for parameter in inputs}
    said = [f"missing {name!r} ({shapes[name]})" for name in faults.missing]
    said += [
        f"unknown {name!r} (nearest: {', '.join(closest(name, list(kinds), 2))})"
        for name in faults.unknown
    ]
    said += faults.invalid
    return InvalidArguments(
        f"{whose} cannot take these arguments: {'; '.join(said)}.",
        allowed=", ".join(f"{name} ({kind})" for name, kind in kinds.items()) or "no arguments",
        next="correct all of them and repeat the call",
        missing=faults.missing[:MOST_FAULTS],
        unknown=faults.unknown[:MOST_FAULTS],
        invalid=faults.invalid[:MOST_FAULTS],
    )
