"""A composition as it was read from its file: a frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relaybook.model import Pattern
from relaybook.registry.parameter import Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A plan to be used again: its texts name parameters, each as `{name}`."""

    name: str
    #: What a user would say to start it, as one sentence.
    trigger: str
    description: str
    pattern: Pattern
    params: tuple[Parameter, ...] = ()
    #: Tasks as `create_workflow` takes them.
    tasks: tuple[Mapping[str, Any], ...]
    #: The parameter whose values are divided over `batches` tasks, each made like the only one.
    items: str = ""
    batches: int | None = None
    #: Decisions that all parts of the work keep to.
    shared_decisions: tuple[str, ...] = ()
    #: How results are merged: merge, verdict, domain_risk, records or stage.
    merge: str = "merge"
    #: What holds when the whole work is done.
    acceptance: tuple[str, ...] = ()
    #: What the synthesis is to tell, and to whom.
    brief: str = ""
    tags: tuple[str, ...] = ()
    path: Path
    #: Whether it stands in for a composition of the same name in an earlier folder.
    shadows: bool = False
