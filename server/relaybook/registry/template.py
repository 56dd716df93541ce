"""A template as it was read from its file: a frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relaybook.model import Pattern, Tier
from relaybook.registry.parameter import Parameter

if TYPE_CHECKING:
    from relaybook.registry.body import Body

#: The H2 sections that a body has, in order; the server adds Output Interface.
SECTIONS = ("Role", "Task", "Constraints", "Output Format")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file, and where; lines count from 1."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path.name} line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One prompt template."""

    name: str
    display_name: str
    description: str
    inputs: tuple[Parameter, ...]
    version: str = "1"
    tags: tuple[str, ...] = ()
    #: The patterns that it is made for; empty means any.
    patterns: tuple[Pattern, ...] = ()
    #: What a worker with this prompt may do at most: T1 or T2.
    tier: Tier = Tier.T1
    #: cheap, standard or expert.
    model_hint: str = "standard"
    expected_minutes: float = 5
    #: spawn for a worker; inline for the orchestrator's own use.
    mode: str = "spawn"
    #: How many words of instruction it should stay under.
    instruction_word_budget: int = 500
    #: JSON Schema 2020-12 of the result's `data`; None where the task defines it.
    output_schema: Mapping[str, Any] | None = None
    #: What a worker must be able to do: read, web, run.
    worker_needs: tuple[str, ...] = ()
    #: How results are merged: merge, verdict, domain_risk, records or stage.
    aggregate: str = "merge"
    #: Inputs with what its task calls below: one of them is to be given, or an earlier result.
    material: tuple[str, ...] = ()
    #: A character that stands between the words of its data, for hostile sources; none if empty.
    datamark: str = ""
    gates: Mapping[str, Any] = field(default_factory=dict[str, Any])
    example_args: Mapping[str, Any] = field(default_factory=dict[str, Any])
    example_result: Any = None
    path: Path
    #: Whether it stands in for a template of the same name in an earlier folder.
    shadows: bool = False
    body: "Body" = field(repr=False)
