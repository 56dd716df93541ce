"""The templates in their folders, by name.

Nothing is parsed until a template is asked for, and the libraries that parse are not even
imported before then: starting a server stays cheap.
"""

from collections.abc import Sequence
from pathlib import Path

from relaybook.errors import InvalidTemplate, UnknownTemplate, nearest
from relaybook.registry.shelf import Shelf
from relaybook.registry.shipped import shipped
from relaybook.registry.template import Problem, Template

SUFFIX = ".prompty"


class Templates:
    """The shipped templates and those of the user's folders; a later folder shadows."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        #: The user's folders.
        self.folders = tuple(folders)
        self._shelf = Shelf((shipped("prompts"), *folders), SUFFIX, _read)

    def names(self) -> list[str]:
        """The name of every template, broken or not, in alphabetical order."""
        return self._shelf.names()

    def get(self, name: str) -> Template:
        """The template of that name as its file stands now.

        Raises:
            UnknownTemplate: no folder has it.
            InvalidTemplate: its file is broken.
        """
        match self._shelf.find(name):
            case Template() as found:
                return found
            case Problem() as problem:
                raise InvalidTemplate(
                    f"Template {name!r} is broken: {problem}.",
                    next="correct the file; it is read again at the next call",
                    line=problem.line,
                )
            case _:
                raise UnknownTemplate(
                    f"There is no template {name[:64]!r}.",
                    allowed=nearest(name, self.names()),
                    next="use one of these names, or read prompt://index",
                )

    def problems(self) -> list[Problem]:
        """What is wrong with the files, one problem a file; reads every template."""
        return self._shelf.problems()


def _read(path: Path, shadows: bool) -> Template | Problem:
    # Imported here: YAML and Jinja2 cost a tenth of a second that a start need not pay.
    from relaybook.registry.front_matter import read_template
    from relaybook.registry.yaml_file import FileFault

    try:
        return read_template(path, shadows=shadows)
    except FileFault as fault:
        return Problem(path, fault.line, fault.reason)
