"""What tasks hand on must be possible: schemas that can be met, fields that they allow."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relaybook.core.plan.task_spec import Take, TaskSpec
from relaybook.core.plan.tasks import last_of
from relaybook.core.schema.check import check_schema
from relaybook.core.task.case import Case
from relaybook.engine.desk import Desk
from relaybook.engine.prompts.handed import standing_for
from relaybook.engine.prompts.prompt import required_schema, result_schema, takes_of
from relaybook.errors import InvalidPlan, clip
from relaybook.model import OVER, Task, Workflow
from relaybook.registry.asked_schema import is_filled
from relaybook.store.base import Tx
from relaybook.store.cases import load_tasks

#: Keywords by which an object may have members that its `properties` do not name.
OPENING = frozenset(
    {"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"}
    | {"patternProperties", "unevaluatedProperties"}
)


def refuse_broken_schemas(desk: Desk, specs: Sequence[TaskSpec]) -> None:
    """Refuse a task whose schema, or one in its arguments, no result could be held against.

    Raises:
        InvalidPlan: the schema is broken; it names task and reason.
    """
    names = {spec.template for spec in specs}
    filled = {name for name in names if is_filled(desk.templates.get(name))}
    for spec in specs:
        schema = required_schema(desk, spec) if spec.schema or spec.template in filled else None
        if schema is None:
            continue
        try:
            check_schema(schema)
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


def refuse_broken_hand_over(
    desk: Desk, tx: Tx, case: Case, specs: Sequence[TaskSpec], old: Sequence[Task]
) -> None:
    """Refuse `specs` in the place of `old` if a task that stays takes what none of them can have.

    Raises:
        InvalidPlan: it names the field, and the task that takes it.
    """
    ends = set(last_of(specs))
    fields = [_fields_of(desk, spec) for spec in specs if spec.id in ends]
    there = {name for each in fields for name in each or ()}
    if not fields or None in fields:
        return
    names = {task.id for task in old}
    for task, take in _takes_ahead(desk, tx, case, names):
        strange = [name for name in take.fields if name not in there]
        if strange and {t.id for t in standing_for(tx, task.workflow_id, take.source)} <= names:
            raise InvalidPlan(
                f"Task {task.id!r} takes {clip(strange[0], 80)!r} from {take.source!r}, and the "
                f"schema of {', '.join(map(repr, sorted(ends)))} has no such field.",
                allowed=_shown(sorted(there)),
                next=f"declare the field in that schema, or replace {task.id!r} in the same call",
            )


def _takes_ahead(desk: Desk, tx: Tx, case: Case, names: set[str]) -> Iterator[tuple[Task, Take]]:
    """What the tasks that wait for those of these names, themselves apart, are to be handed."""
    ahead = {edge.task_id for name in names for edge in case.edges.get(name, ())} - names
    for task in (case.tasks[name] for name in sorted(ahead)):
        if task.status not in OVER:
            for take in desk.spec(tx, task.workflow_id, task.spec).takes:
                yield task, take


def _refuse_impossible(desk: Desk, spec: TaskSpec, take: Take, source: TaskSpec) -> None:
    fields = _fields_of(desk, source)
    strange = [name for name in take.fields if fields is not None and name not in fields]
    if strange:
        raise InvalidPlan(
            f"Task {spec.id!r} takes {clip(strange[0], 80)!r} from {source.id!r}, whose schema has "
            "no such field.",
            allowed=_shown(fields or ()),
            next="take one of these, or declare the field in the schema of the source",
        )


def _shown(fields: Sequence[str]) -> str:
    return clip(", ".join(map(repr, fields)), 400) or "no field: the schema has none"


def _fields_of(desk: Desk, source: TaskSpec) -> Sequence[str] | None:
    """The only fields that the result of a task is to have; None if it may have others.

    What the evidence of a stage hands on is not in the schema of its template.
    """
    return None if source.capability is not None else _declared(result_schema(desk, source))


def _declared(schema: Mapping[str, Any] | None) -> Sequence[str] | None:
    """The only members that data by `schema` is to have; None if it may have others."""
    if schema is None or not OPENING.isdisjoint(schema):
        return None
    declared = schema.get("properties", {})
    rest = schema.get("additionalProperties", None if declared else True)
    return list(declared) if rest in (None, False) else None
