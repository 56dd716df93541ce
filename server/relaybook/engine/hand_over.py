"""What tasks hand on must be possible: schemas that can be met, fields that they allow."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaybook.core.schema_check import check_schema
from relaybook.core.task_spec import Take, TaskSpec
from relaybook.engine.desk import Desk
from relaybook.engine.prompt import result_schema, takes_of
from relaybook.errors import InvalidPlan, clip
from relaybook.model import Workflow
from relaybook.store.base import Tx
from relaybook.store.cases import load_tasks

#: Keywords by which an object may have members that its `properties` do not name.
OPENING = frozenset(
    {"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"}
    | {"patternProperties", "unevaluatedProperties"}
)


def refuse_broken_schemas(specs: Sequence[TaskSpec]) -> None:
    """Refuse a task whose schema no result could be held against.

    Raises:
        InvalidPlan: its schema is broken; it names task and reason.
    """
    for spec in specs:
        if spec.schema is None:
            continue
        try:
            check_schema(spec.schema)
        except InvalidPlan as refusal:
            raise InvalidPlan(
                f"Task {spec.id!r}: {refusal.message}", allowed=refusal.allowed, next=refusal.next
            ) from None


def refuse_impossible_takes(
    desk: Desk, specs: Sequence[TaskSpec], there: Mapping[str, TaskSpec]
) -> None:
    """Refuse a task that takes a field which the schema of its source does not have.

    `there` are tasks of the workflow that are not among `specs`, by their id.

    Raises:
        InvalidPlan: it names the fields that the source has.
    """
    known = {**there, **{spec.id: spec for spec in specs}}
    for spec in specs:
        for take in spec.takes:
            if take.fields and take.source in known:
                _refuse_impossible(desk, spec, take, known[take.source])


def sources_there(
    desk: Desk, tx: Tx, workflow: Workflow, specs: Sequence[TaskSpec]
) -> dict[str, TaskSpec]:
    """The tasks of a workflow whose results `specs` are handed, by their id."""
    named = {take.source for spec in specs for take in takes_of(workflow.pattern, spec)}
    found = load_tasks(tx, workflow.id, sorted(named - {spec.id for spec in specs}))
    return {task.id: desk.spec(tx, workflow.id, task.spec) for task in found.values()}


def _refuse_impossible(desk: Desk, spec: TaskSpec, take: Take, source: TaskSpec) -> None:
    if source.capability is not None:
        return  # what the evidence of a stage hands on is not in the schema of its template
    fields = _declared(result_schema(desk, source))
    strange = [name for name in take.fields if fields is not None and name not in fields]
    if strange:
        raise InvalidPlan(
            f"Task {spec.id!r} takes {clip(strange[0], 80)!r} from {source.id!r}, whose schema has "
            "no such field.",
            allowed=clip(", ".join(map(repr, fields or ())), 400)
            or "no field: the schema has none",
            next="take one of these, or declare the field in the schema of the source",
        )


def _declared(schema: Mapping[str, Any] | None) -> Sequence[str] | None:
    """The only members that data by `schema` is to have; None if it may have others."""
    if schema is None or not OPENING.isdisjoint(schema):
        return None
    declared = schema.get("properties", {})
    rest = schema.get("additionalProperties", None if declared else True)
    return list(declared) if rest in (None, False) else None
