"""What a task has for the tasks after it: fields of its result, and the evidence of a stage."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from relaybook.core.plan.task_spec import Take
from relaybook.core.result.envelope import Envelope, from_json
from relaybook.core.result.evidence import Records, gather, of_attempt
from relaybook.model import Task
from relaybook.store.base import Tx
from relaybook.store.cases import load_tasks
from relaybook.store.events import read_task_events
from relaybook.store.texts import get_text


def standing_for(tx: Tx, workflow_id: str, name: str) -> Iterator[Task]:
    """The task of that name, or those that in the end took its place."""
    queue, seen = [name], {name}
    while queue:
        for task in load_tasks(tx, workflow_id, [queue.pop(0)]).values():
            if task.replaced_by is None:
                yield task
            else:
                after = [each for each in json.loads(task.replaced_by) if each not in seen]
                seen.update(after)
                queue.extend(after)


def result_of(tx: Tx, task: Task) -> Envelope:
    """The result of a task that has one."""
    return from_json(get_text(tx, task.workflow_id, task.result or ""))


def handed(tx: Tx, task: Task, data: Any, names: Sequence[str]) -> Any:
    """What a task whose result is `data` hands on: its named members, or all of it.

    A stage also has its evidence; it hands on all of that if it has nothing that is named.
    """
    if not isinstance(data, Mapping):
        return data
    members = cast("Mapping[str, Any]", data)
    if task.slug is None or (names and members.keys() >= set(names)):
        return _named(members, names)
    evidence = _evidence(gather(of_attempt(read_task_events(tx, task.workflow_id, task.id))))
    return _named({**evidence, **members}, names) or evidence


def missing(task: Task, data: Any, names: Sequence[str]) -> list[str]:
    """The named fields that are not in the `data` handed on; a stage owes none of them."""
    if task.slug is not None or not isinstance(data, Mapping):
        return []
    return [name for name in names if name not in data]


def taken(tx: Tx, workflow_id: str, take: Take) -> list[str]:
    """The fields that a source has handed on for `take`; of a text, those that were asked for."""
    found: dict[str, None] = {}
    for source in standing_for(tx, workflow_id, take.source):
        if source.result is None:
            continue
        data = handed(tx, source, result_of(tx, source).data, take.fields)
        if data is not None:
            names = cast("Mapping[str, Any]", data) if isinstance(data, Mapping) else take.fields
            found |= dict.fromkeys(names)
    return list(found)


def _named(members: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Any]:
    return {name: members[name] for name in names if name in members} if names else members


def _evidence(records: Records) -> dict[str, Any]:
    """What is on record of a stage, by the names that a result has for it."""
    kinds = {
        "files": records.artifacts.values(),
        "tests": records.tests.values(),
        "metrics": records.metrics.values(),
        "findings": records.findings,
        "criteria": records.criteria.values(),
    }
    return {name: list(kept) for name, kept in kinds.items() if kept}
