"""save_composition: a plan that worked, or one written by hand, kept to be used again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as replaced
from typing import Any

from relaybook.core.plan.task_spec import TaskSpec, spec_value
from relaybook.core.text import MAX_DEPTH, compact, is_json
from relaybook.engine.desk import Desk
from relaybook.errors import InvalidArguments
from relaybook.model import Task, Workflow
from relaybook.registry.placeholders import escape
from relaybook.store.base import Tx
from relaybook.store.cases import get_workflow
from relaybook.store.tables import TASKS

#: The most tasks of a workflow that are saved.
TASKS_LIMIT = 500
#: Options of a workflow that a composition has too.
OPTIONS = ("shared_decisions", "merge", "acceptance", "brief", "tags")


def save_composition(
    desk: Desk,
    name: str,
    *,
    workflow_id: str = "",
    fields: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> dict[str, Any]:
    """Save the plan of a workflow as it stands, its arguments as given, or the plan in `fields`.

    `fields` are those of a composition's file: trigger, description, pattern, params, tasks …;
    beside a workflow they take the place of what it says.

    Raises:
        UnknownWorkflow: there is none of that id.
        InvalidArguments: there is no plan, no folder for it, or the name is taken.
        InvalidComposition: the fields do not make a composition.
    """
    said = dict(fields or {})
    if not is_json(said) or not (workflow_id or said):
        raise InvalidArguments(
            "There is nothing to save.",
            allowed=f"a workflow_id, or fields of JSON values at most {MAX_DEPTH} levels deep",
            next="call again with one of the two",
        )
    if workflow_id:
        with desk.store.read() as tx:
            said = _fields(desk, tx, get_workflow(tx, workflow_id)) | said
    saved = desk.compositions.save(name, json.loads(compact(said)), replace=replace)
    return {
        "composition": saved.name,
        "path": str(saved.path),
        "params": [each.name for each in saved.params],
        "summary": f"{saved.pattern} of {len(saved.tasks)} task(s)",
        "next": f"create_workflow(composition={saved.name!r}, args={{…}})",
    }


def _fields(desk: Desk, tx: Tx, workflow: Workflow) -> dict[str, Any]:
    if workflow.total > TASKS_LIMIT:
        raise InvalidArguments(
            f"Workflow {workflow.id!r} has {workflow.total} tasks.",
            allowed=f"at most {TASKS_LIMIT}",
            next="save a composition with items and batches instead",
        )
    tasks = TASKS.find(tx, "WHERE workflow_id = :id ORDER BY position", id=workflow.id)
    options, name = json.loads(workflow.options), workflow.name.rstrip(".")
    said = {
        "trigger": f"Repeat {name}.",
        "description": f"The plan of {name}.",
        **{each: options[each] for each in OPTIONS if each in options},
        "tasks": list(_tasks(desk, tx, tasks)),
    }
    return escape(said) | {"pattern": str(workflow.pattern)}


def _tasks(desk: Desk, tx: Tx, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
    stand_ins = {t.id: json.loads(t.replaced_by) for t in tasks if t.replaced_by is not None}
    for task in tasks:
        if task.replaced_by is None:
            spec = desk.spec(tx, task.workflow_id, task.spec)
            yield spec_value(_repointed(spec, stand_ins))


def _repointed(spec: TaskSpec, stand_ins: Mapping[str, Sequence[str]]) -> TaskSpec:
    """`spec` with the tasks that were replaced named by those in their place."""
    needs = (name for need in spec.depends_on for name in _standing(need, stand_ins))
    takes = (
        replaced(take, source=name)
        for take in spec.takes
        for name in _standing(take.source, stand_ins)
    )
    return replaced(
        spec,
        depends_on=tuple(dict.fromkeys(needs)),
        takes=tuple(takes),
        on_failure=_first_standing(spec.on_failure, stand_ins),
        instead_of=_first_standing(spec.instead_of, stand_ins),
    )


def _first_standing(name: str | None, stand_ins: Mapping[str, Sequence[str]]) -> str | None:
    return None if name is None else next(_standing(name, stand_ins), None)


def _standing(name: str, stand_ins: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The tasks of the plan that stand where `name` stood."""
    if name not in stand_ins:
        yield name
    for other in stand_ins.get(name, ()):
        yield from _standing(other, stand_ins)
