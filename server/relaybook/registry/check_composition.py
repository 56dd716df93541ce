"""What is wrong with the tasks of a composition whatever its arguments are."""

from collections.abc import Iterator, Mapping
from typing import Any

from relaybook.errors import InvalidArguments
from relaybook.registry.arguments import check_arguments
from relaybook.registry.composition import Composition
from relaybook.registry.placeholders import fill, names_in
from relaybook.registry.task_inputs import FILLED
from relaybook.registry.template import Problem, Template
from relaybook.registry.templates import Templates
from relaybook.registry.yaml_file import line_of


def check_composition(
    composition: Composition, templates: Templates, unread: set[str]
) -> Iterator[Problem]:
    """Templates that are not there, and arguments that do not fit; `unread` ones are left out."""
    known = set(templates.names())
    lines = composition.path.read_text(encoding="utf-8").splitlines()
    told: set[str] = set()
    for task in composition.tasks:
        name = str(task.get("template") or "")
        if not name or "{" in name or name in unread:
            continue
        missing = f"there is no template {name!r}"
        reason = _misfit(templates.get(name), task) if name in known else missing
        if reason and reason not in told:
            told.add(reason)
            yield Problem(composition.path, line_of("template", name, lines), reason)


def _misfit(template: Template, task: Mapping[str, Any]) -> str:
    """Why the template refuses the arguments of the task; "" if it may take them.

    A value that names a parameter counts as one that fits.
    """
    args: Mapping[str, Any] = task.get("args") or {}
    inputs = {each.name: each for each in template.inputs}
    of_parameters = {name for name, value in args.items() if any(names_in(value))}
    unseen = inputs.keys() & (of_parameters | FILLED.difference(args))
    checked = [each for name, each in inputs.items() if name not in unseen]
    said = {
        name: "" if name in of_parameters else fill(value, {})
        for name, value in args.items()
        if name not in unseen
    }
    try:
        check_arguments(template.name, checked, said)
    except InvalidArguments as refusal:
        return f"task {str(task.get('id'))!r}: {refusal.message}"
    return ""
