"""What the orchestrator asks of the synthesis, in the metadata of a workflow.

    {"audience": "the board",
     "model": "the one that all workers run on",
     "quorum": 3,
     "weights": {"experts": {"security": 2}, "criteria": {"cost": {"finance": 3}}}}

Weights and a quorum are for an expert panel, whose experts go by their role, their domain or
their label. Other members of the metadata are the caller's own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from relaybook.core.panel.votes import LEAST_QUORUM, Weights
from relaybook.errors import InvalidArguments, nearest

AUDIENCE_LIMIT, MODEL_LIMIT = 200, 60
_WEIGHTS = '{"experts": {expert: number}, "criteria": {criterion: {expert: number}}}'
#: The members of metadata that are read here, and what each may be.
FORMS = {
    "audience": f"whom the synthesis is for; a text of at most {AUDIENCE_LIMIT} characters",
    "model": f"what all workers run on; a text of at most {MODEL_LIMIT} characters",
    "quorum": f"how many votes decide; a whole number from {LEAST_QUORUM} to the number of experts",
    "weights": f"what votes count; {_WEIGHTS}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How the results are to be counted, and for whom."""

    audience: str = ""
    #: What all workers run on; empty if it is not said.
    model: str = ""
    weights: Weights = field(default_factory=Weights)
    #: How many votes decide; None for the usual two thirds.
    quorum: int | None = None


def read_wishes(metadata: Mapping[str, Any]) -> Wishes:
    """The wishes in `metadata`.

    Raises:
        InvalidArguments: one is not of its form.
    """
    audience, quorum = metadata.get("audience") or "", metadata.get("quorum")
    if not isinstance(audience, str) or len(audience) > AUDIENCE_LIMIT:
        raise _wrong("audience", f"a text of at most {AUDIENCE_LIMIT} characters")
    if quorum is not None and (not isinstance(quorum, int) or quorum < 1):
        raise _wrong("quorum", f"a whole number from {LEAST_QUORUM} to the number of experts")
    return Wishes(
        audience=audience.strip(),
        model=_model(metadata.get("model")),
        weights=_weights(metadata),
        quorum=quorum,
    )


def check_wishes(wishes: Wishes, experts: Collection[str]) -> None:
    """Refuse weights of experts that are none of the panel, and a quorum that it cannot reach.

    `experts` is empty where there is no panel.

    Raises:
        InvalidArguments: it names the expert or the quorum.
    """
    tables = [wishes.weights.experts, *wishes.weights.criteria.values()]
    for name in (name for table in tables for name in table):
        if name not in experts:
            raise InvalidArguments(
                f"metadata.weights names {name[:80]!r}, which is no expert of this plan.",
                allowed=nearest(name, sorted(experts)),
                next="correct the name; only an expert_panel has experts",
            )
    if wishes.quorum is not None and not LEAST_QUORUM <= wishes.quorum <= len(experts):
        allowed = f"a whole number from {LEAST_QUORUM} to the {len(experts)} experts of the plan"
        raise _wrong("quorum", allowed)


def _model(said: Any) -> str:
    """The name of a model; anything else under that name is the caller's own."""
    return said.strip() if isinstance(said, str) and len(said) <= MODEL_LIMIT else ""


def _weights(metadata: Mapping[str, Any]) -> Weights:
    said = metadata.get("weights")
    if said is None:
        return Weights()
    if not isinstance(said, Mapping) or not said.keys() <= {"experts", "criteria"}:
        raise _wrong("weights", _WEIGHTS)
    criteria = said.get("criteria", {})
    if not isinstance(criteria, Mapping):
        raise _wrong("weights", _WEIGHTS)
    return Weights(
        experts=_table(said.get("experts", {})),
        criteria={name: _table(table) for name, table in criteria.items()},
    )


def _table(said: Any) -> Mapping[str, float]:
    if isinstance(said, Mapping) and all(map(_is_number, said.values())):
        return dict(said)
    raise _wrong("weights", _WEIGHTS)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong(member: str, allowed: str) -> InvalidArguments:
    return InvalidArguments(
        f"metadata.{member} is not what the synthesis can use.",
        allowed=allowed,
        next="correct it and call again; nothing was written",
    )
