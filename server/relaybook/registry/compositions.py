"""The compositions in their folders, by name; nothing is parsed until one is asked for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from relaybook.errors import InvalidArguments, InvalidComposition, UnknownComposition, nearest
from relaybook.registry.composition import Composition
from relaybook.registry.shelf import Shelf
from relaybook.registry.shipped import shipped
from relaybook.registry.template import Problem

FOLDER, SUFFIX = "compositions", ".yaml"

#: How many names a refusal lists.
NAMES_SHOWN = 12


class Compositions:
    """The shipped compositions and those of the user's folders; a later folder shadows."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        """`folders` hold templates; compositions lie in a folder `compositions` inside each."""
        #: Where the user's own are, each by its folder.
        self.folders = tuple(folder / FOLDER for folder in folders)
        self._shelf = Shelf((shipped("prompts") / FOLDER, *self.folders), SUFFIX, _read)

    def names(self) -> list[str]:
        """The name of every composition, broken or not, in alphabetical order."""
        return self._shelf.names()

    def get(self, name: str) -> Composition:
        """The composition of that name as its file stands now.

        Raises:
            UnknownComposition: no folder has it.
            InvalidComposition: its file is broken.
        """
        match self._shelf.find(name):
            case Composition() as found:
                return found
            case Problem() as problem:
                raise InvalidComposition(
                    f"Composition {name!r} is broken: {problem}.",
                    next="correct the file; it is read again at the next call",
                    line=problem.line,
                )
            case _:
                raise UnknownComposition(
                    f"There is no composition {name[:64]!r}.",
                    allowed=nearest(name, self.names(), NAMES_SHOWN),
                    next="use one of these names, or create_workflow with tasks",
                )

    def problems(self) -> list[Problem]:
        """What is wrong with the files, one problem a file; reads every composition."""
        return self._shelf.problems()

    def save(self, name: str, fields: Mapping[str, Any], *, replace: bool = False) -> Composition:
        """Write the composition `name`, of `fields`, to the first of the user's folders.

        Raises:
            InvalidArguments: the user has no folder, it cannot be written to, or the name is
                taken and `replace` is not set.
            InvalidComposition: the fields do not make a composition.
        """
        if not self.folders:
            raise InvalidArguments(
                "There is no folder for compositions of your own.",
                allowed="a folder of your own prompts, beside the shipped one",
                next="start relaybook with --prompts DIR and save again",
            )
        if name in self.names() and not replace:
            raise InvalidArguments(
                f"There is a composition {name!r} already.",
                allowed="a new name, or replace; a shipped one is then shadowed, not changed",
                next="choose another name, or save again with replace",
            )
        path = self.folders[0] / f"{name}{SUFFIX}"
        _write(path, {**fields, "name": name})
        return self.get(name)


def _write(path: Path, fields: Mapping[str, Any]) -> None:
    from relaybook.registry.composition_file import composition_text, read_composition
    from relaybook.registry.yaml_file import FileFault, check_size

    text = composition_text(fields)
    try:
        check_size(text.encode())
        read_composition(text, path)
    except FileFault as fault:
        raise InvalidComposition(
            f"This is no composition: {fault.reason}.", next="correct it and save again"
        ) from fault
    unfinished = path.with_suffix(".unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise InvalidArguments(
            f"{str(path)!r} cannot be written: {error.strerror}.",
            next="correct --prompts, or the rights of the folder",
        ) from error


def _read(path: Path, shadows: bool) -> Composition | Problem:
    # Imported here: YAML costs some milliseconds that a start need not pay.
    from relaybook.registry.composition_file import read_composition
    from relaybook.registry.yaml_file import FileFault, read_text

    try:
        return read_composition(read_text(path), path, shadows=shadows)
    except FileFault as fault:
        return Problem(path, fault.line, fault.reason)
