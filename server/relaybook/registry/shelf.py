"""Files of one sort in several folders: found by name, read when asked for, again when edited."""

import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from relaybook.registry.template import Problem

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Read(Generic[T]):
    """What a file held when its modification time and size were `stamp`."""

    stamp: tuple[int, int]
    outcome: T | Problem


class Shelf(Generic[T]):
    """The files that end in `suffix`; of two with one name that of the later folder counts."""

    def __init__(
        self, folders: Sequence[Path], suffix: str, read: Callable[[Path, bool], T | Problem]
    ) -> None:
        """`read` is given a file and whether it shadows one of an earlier folder."""
        self._folders = folders
        self._places = [str(folder) for folder in reversed(folders)]
        self._suffix = suffix
        self._read_file = read
        self._read: dict[str, _Read[T]] = {}

    def names(self) -> list[str]:
        """The name of every file, broken or not, in alphabetical order."""
        names = {path.stem for path in self._all() if NAME.fullmatch(path.stem) and path.is_file()}
        return sorted(names)

    def find(self, name: str) -> T | Problem | None:
        """What the file of that name holds now; None if no folder has it."""
        paths = self._paths(name)
        for place, path in enumerate(paths):
            if stamp := stamp_of(path):
                known = self._read.get(path)
                if known is None or known.stamp != stamp:
                    shadows = any(map(stamp_of, paths[place + 1 :]))
                    known = self._read[path] = _Read(stamp, self._read_file(Path(path), shadows))
                return known.outcome
        return None

    def problems(self) -> list[Problem]:
        """What is wrong with the files, one problem a file; reads every one."""
        strays = [
            Problem(path, 1, "the name must be lower-case letters, digits and _, up to 64")
            for path in self._all()
            if not NAME.fullmatch(path.stem)
        ]
        strays += [Problem(path, 1, "it is no file") for path in self._all() if not path.is_file()]
        outcomes = [self.find(name) for name in self.names()]
        return strays + [outcome for outcome in outcomes if isinstance(outcome, Problem)]

    def _all(self) -> list[Path]:
        """All that lies in the folders under a name with the suffix."""
        return [path for each in self._folders for path in sorted(each.glob(f"*{self._suffix}"))]

    def _paths(self, name: str) -> Sequence[str]:
        """Where the file of that name may lie, the folder that counts most first."""
        if not NAME.fullmatch(name):
            return ()
        return [f"{place}/{name}{self._suffix}" for place in self._places]


def stamp_of(path: str) -> tuple[int, int] | None:
    """The modification time and size of the file at `path`, if there is one."""
    try:
        status = os.stat(path)  # noqa: PTH116 - asked for with every prompt, and twice as fast
    except (OSError, ValueError):
        return None
    return (status.st_mtime_ns, status.st_size) if stat.S_ISREG(status.st_mode) else None
