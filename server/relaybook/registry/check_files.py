"""What is wrong with all that lies in the folders of prompts, for every command that looks."""

from collections.abc import Iterator

from relaybook.registry.check import check_template
from relaybook.registry.composition import Composition
from relaybook.registry.compositions import Compositions
from relaybook.registry.roles import Roles
from relaybook.registry.template import Problem
from relaybook.registry.templates import Templates
from relaybook.registry.yaml_file import line_of


def template_problems(templates: Templates) -> Iterator[Problem]:
    """Those that cannot be read, and those whose own example does not work."""
    broken = templates.problems()
    yield from broken
    unread = {problem.path.stem for problem in broken}
    for name in templates.names():
        if name not in unread:
            yield from check_template(templates.get(name))


def composition_problems(compositions: Compositions, templates: Templates) -> Iterator[Problem]:
    """Those that cannot be read, and those that name a template which is not there."""
    broken = compositions.problems()
    yield from broken
    unread = {problem.path.stem for problem in broken}
    known = set(templates.names())
    for name in compositions.names():
        if name not in unread:
            yield from _without_template(compositions.get(name), known)


def file_problems(
    templates: Templates, compositions: Compositions, roles: Roles
) -> Iterator[tuple[str, Problem]]:
    """What is wrong, each with the sort of file."""
    yield from (("templates", each) for each in template_problems(templates))
    yield from (("compositions", each) for each in composition_problems(compositions, templates))
    yield from (("roles", each) for each in roles.problems())


def _without_template(composition: Composition, known: set[str]) -> Iterator[Problem]:
    named = [str(task["template"]) for task in composition.tasks if task.get("template")]
    missing = [name for name in dict.fromkeys(named) if name not in known and "{" not in name]
    for name in missing:
        lines = composition.path.read_text(encoding="utf-8").splitlines()
        line = line_of("template", name, lines)
        yield Problem(composition.path, line, f"there is no template {name!r}")
