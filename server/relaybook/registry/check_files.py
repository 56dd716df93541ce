"""What is wrong with all that lies in the folders of prompts, for every command that looks."""

from collections.abc import Iterator

from relaybook.registry.check import check_template
from relaybook.registry.check_composition import check_composition
from relaybook.registry.compositions import Compositions
from relaybook.registry.roles import Roles
from relaybook.registry.template import Problem
from relaybook.registry.templates import Templates


def template_problems(templates: Templates) -> Iterator[Problem]:
    """Those that cannot be read, and those whose own example does not work."""
    broken = templates.problems()
    yield from broken
    unread = {problem.path.stem for problem in broken}
    for name in templates.names():
        if name not in unread:
            yield from check_template(templates.get(name))


def composition_problems(compositions: Compositions, templates: Templates) -> Iterator[Problem]:
    """Those that cannot be read, and those whose templates are missing or refuse the arguments."""
    broken = compositions.problems()
    yield from broken
    unread = {problem.path.stem for problem in broken}
    broken_templates = {problem.path.stem for problem in templates.problems()}
    for name in compositions.names():
        if name not in unread:
            yield from check_composition(compositions.get(name), templates, broken_templates)


def file_problems(
    templates: Templates, compositions: Compositions, roles: Roles
) -> Iterator[tuple[str, Problem]]:
    """What is wrong, each with the sort of file."""
    yield from (("templates", each) for each in template_problems(templates))
    yield from (("compositions", each) for each in composition_problems(compositions, templates))
    yield from (("roles", each) for each in roles.problems())
