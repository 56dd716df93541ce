"""Expert roles: lenses for panels, each told apart by the questions that it asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relaybook.registry.shelf import stamp_of
from relaybook.registry.shipped import shipped
from relaybook.registry.template import Problem

FILE = "roles.yaml"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a role judges."""

    name: str
    question: str
    #: How much it decides: 3 most, 1 least.
    weight: int


@dataclass(frozen=True, slots=True)
class Role:
    """A lens: what it looks for in one sentence, and the questions that it asks."""

    name: str
    sentence: str
    questions: tuple[Question, ...]


_Roles = Mapping[str, Role]


class Roles:
    """The shipped roles and those in the user's folders; a later folder shadows."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._paths = tuple(folder / FILE for folder in (shipped("prompts"), *folders))
        self._read: dict[Path, tuple[tuple[int, int], _Roles | Problem]] = {}

    def names(self) -> list[str]:
        return sorted(self._all())

    def get(self, name: str) -> Role | None:
        """The role of that name, whatever its case and spacing; None if there is none."""
        return self._all().get(_key(name))

    def problems(self) -> list[Problem]:
        """What is wrong with the files; a broken one lends no role."""
        found = (self._file(path) for path in self._paths)
        return [each for each in found if isinstance(each, Problem)]

    def _all(self) -> _Roles:
        roles: dict[str, Role] = {}
        for path in self._paths:
            found = self._file(path)
            if not isinstance(found, Problem):
                roles |= found
        return roles

    def _file(self, path: Path) -> _Roles | Problem:
        stamp = stamp_of(str(path))
        if stamp is None:
            return {}
        if path not in self._read or self._read[path][0] != stamp:
            self._read[path] = (stamp, _read(path))
        return self._read[path][1]


def _read(path: Path) -> _Roles | Problem:
    # Imported here: YAML costs some milliseconds that a start need not pay.
    from relaybook.registry.yaml_file import FileFault, read_mapping, read_text

    try:
        said = read_mapping(read_text(path), "the file")
        return {_key(role.name): role for role in map(_role, said["roles"])}
    except FileFault as fault:
        return Problem(path, fault.line, fault.reason)
    except (KeyError, TypeError, ValueError):
        wanted = "roles: [{name, sentence, questions: [{name, question, weight}]}]"
        return Problem(path, 1, f"is not of the form {wanted}")


def _role(said: Mapping[str, Any]) -> Role:
    questions = tuple(
        Question(str(each["name"]), str(each["question"]), int(each["weight"]))
        for each in said["questions"]
    )
    return Role(str(said["name"]), str(said["sentence"]), questions)


def _key(name: str) -> str:
    return " ".join(name.casefold().split())
