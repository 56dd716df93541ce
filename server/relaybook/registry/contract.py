"""One skill contract: what it says, and how a file becomes one."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from relaybook.core.members import members_once
from relaybook.core.plan.task_spec import ParentAction
from relaybook.errors import InvalidContract, clip, nearest
from relaybook.model import Tier

#: A larger file is refused unread, in bytes.
SIZE_LIMIT = 256 * 1024

#: How many faults of a file are told, and how long each may be, in characters.
FAULTS_TOLD, FAULT_LIMIT = 3, 100

#: In `template_args`, what stands for a value that only the stage knows.
GOAL, CRITERIA = "$goal", "$criteria"
FILLED = (GOAL, CRITERIA)
_PLACEHOLDER = re.compile(r"\$[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    name: str
    type: str
    required: bool
    description: str
    enum_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What one skill can do, needs and hands on."""

    name: str
    version: str = "1.0.0"
    description: str
    skill_path: str | None = None
    capabilities: tuple[str, ...]
    #: The higher is preferred among skills that share a capability.
    priority: int = 0
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    #: Names of the outputs that may cross to the next stage.
    passes: tuple[str, ...] = ()
    upstream: tuple[str, ...]
    downstream: tuple[str, ...]
    side_effects: tuple[str, ...] = ()
    tier_max: Tier
    parent_actions: tuple[ParentAction, ...] = ()
    triggers_hooks: tuple[str, ...] = ()
    subscribes_hooks: tuple[str, ...] = ()
    mode: Literal["spawn", "inline", "builtin"]
    estimated_minutes: float
    #: None leaves the time-out to the estimate.
    timeout_minutes: float | None = None
    model_hint: Literal["cheap", "standard", "expert"]
    #: None only where `mode` is builtin.
    template: str | None = None
    template_args: Mapping[str, Any] = field(default_factory=dict[str, Any])
    #: The rules of the OUTPUT gate.
    output_gate: Mapping[str, Any] = field(default_factory=dict[str, Any])
    max_retries: int = 2
    #: Capability -> the fields above that differ for it.
    per_capability: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict[str, Mapping[str, Any]]
    )
    path: Path
    #: The file of the same name that this one replaces.
    shadows: Path | None = None

    def for_capability(self, capability: str) -> "Contract":
        """This contract as it holds for work asked for under `capability`."""
        return replace(self, **self.per_capability.get(capability, {}))

    def arguments(self, goal: str, criteria: Sequence[str] = ()) -> dict[str, Any]:
        """The arguments of the template; without criteria the goal is the criterion."""
        known = {GOAL: goal, CRITERIA: list(criteria) or [goal]}
        return {name: _fill(value, known) for name, value in self.template_args.items()}


class Validator(Protocol):
    """The part of a jsonschema validator that is used here."""

    def iter_errors(self, instance: Any) -> Any: ...


def read_contract(path: Path, validator: Validator) -> Contract:
    """The contract in the file at `path`.

    Raises:
        InvalidContract: it cannot be read, is no JSON, or says what the schema forbids.
    """
    data = _read_json(path)
    faults = sorted(validator.iter_errors(data), key=lambda fault: str(fault.json_path))
    if faults:
        told = [clip(f"{fault.json_path}: {_told(fault)}", FAULT_LIMIT) for fault in faults]
        more = f" and {len(told) - FAULTS_TOLD} more" if len(told) > FAULTS_TOLD else ""
        raise InvalidContract("; ".join(told[:FAULTS_TOLD]) + more)
    return _from_json(data, path)


def _told(fault: Any) -> str:
    """What a validator found, an unknown field in our words."""
    if fault.validator != "additionalProperties":
        return fault.message
    known, patterns = list(fault.schema["properties"]), fault.schema.get("patternProperties", ())
    unknown = [
        name
        for name in fault.instance
        if name not in known and not any(re.match(pattern, name) for pattern in patterns)
    ]
    return f"there is no field {unknown[0]!r}; nearest: {nearest(unknown[0], known)}"


def _read_json(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            raw = file.read(SIZE_LIMIT + 1)
        if len(raw) > SIZE_LIMIT:
            raise InvalidContract(f"it is larger than {SIZE_LIMIT // 1024} kB")
        return json.loads(raw, parse_constant=_refuse, object_pairs_hook=members_once)
    except OSError as error:
        raise InvalidContract(f"it cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise InvalidContract("it is nested too deep to be read") from error
    except ValueError as error:
        raise InvalidContract(f"it is not JSON: {error}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _from_json(data: Mapping[str, Any], path: Path) -> Contract:
    return Contract(
        **{key: _frozen(value) for key, value in data.items() if key in _PLAIN},
        inputs=tuple(Input(**_all_frozen(entry)) for entry in data["inputs"]),
        outputs=tuple(Output(**entry) for entry in data["outputs"]),
        tier_max=Tier(data["tier_max"]),
        parent_actions=tuple(
            ParentAction(action=entry["action"], tier=Tier(entry["tier"]))
            for entry in data.get("parent_actions", ())
        ),
        max_retries=data.get("retry", {}).get("max", 2),
        output_gate=_output_gate(data),
        per_capability={
            capability: _difference(entry)
            for capability, entry in data.get("per_capability", {}).items()
        },
        path=path,
    )


#: Keys of the file that become the field of the same name as they stand.
_PLAIN = frozenset({
    "name", "version", "description", "skill_path", "capabilities", "priority", "passes",
    "upstream", "downstream", "side_effects", "triggers_hooks", "subscribes_hooks", "mode",
    "estimated_minutes", "timeout_minutes", "model_hint", "template",
    "template_args",
})  # fmt: skip


def _difference(entry: Mapping[str, Any]) -> dict[str, Any]:
    difference = {key: value for key, value in entry.items() if key != "gates"}
    return difference | ({"output_gate": _output_gate(entry)} if "gates" in entry else {})


def _output_gate(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return data.get("gates", {}).get("output", {})


def _all_frozen(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _frozen(value) for key, value in entry.items()}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def placeholders(value: Any) -> list[str]:
    """The texts in a value of `template_args` that are written as what `arguments` puts in."""
    if isinstance(value, list):
        return [name for item in value for name in placeholders(item)]
    return [value] if isinstance(value, str) and _PLACEHOLDER.fullmatch(value) else []


def _fill(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_fill(item, known) for item in value]
    return known.get(value, value) if isinstance(value, str) else value
