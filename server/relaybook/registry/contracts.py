"""All skill contracts: where they are read from, and which skill a capability is routed to.

Files are read when they are first asked for and again when they change, so an edit takes
effect at the next call. jsonschema, which costs 0.1 s to import, is loaded with the first.
"""

import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from relaybook.errors import InvalidContract, UnknownCapability, UnknownContract, nearest
from relaybook.registry.shipped import shipped

if TYPE_CHECKING:
    from relaybook.registry.contract import Contract, Validator

SCHEMA_FILE = "contract.schema.json"


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that gives no contract, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Route:
    """The skill that is taken, and the names of those that could do it too, best first."""

    contract: "Contract"
    runners_up: tuple[str, ...]


#: Of a file: when it was changed, in nanoseconds, and its size in bytes.
Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Listing:
    """What lies in the folders at one moment, folder by folder, each in order of names."""

    files: Mapping[str, Stamp]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """What a listing holds."""

    listing: _Listing
    read: Mapping[str, "Contract | Problem"]
    contracts: Mapping[str, "Contract"]
    problems: tuple[Problem, ...]


class Contracts:
    """The shipped contracts, and those of further folders; of two with one name the later wins."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = (shipped("contracts"), *folders)
        self._catalogue: _Catalogue | None = None

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._current().contracts))

    def get(self, name: str) -> "Contract":
        """The contract of the skill `name`.

        Raises:
            UnknownContract: there is none.
        """
        contracts = self._current().contracts
        if name not in contracts:
            raise UnknownContract(
                f"There is no contract {name[:64]!r}.",
                allowed=nearest(name, sorted(contracts)),
                next="look at contract://index, or add a file of that name to a contracts folder",
            )
        return contracts[name]

    def find(
        self, capability: str | None = None, input: str | None = None, output: str | None = None
    ) -> tuple["Contract", ...]:
        """The contracts that fit all that is given, higher priority first, then by name."""
        fitting = (
            contract
            for contract in self._current().contracts.values()
            if (capability is None or capability in contract.capabilities)
            and (input is None or any(input == entry.name for entry in contract.inputs))
            and (output is None or any(output == entry.name for entry in contract.outputs))
        )
        return tuple(sorted(fitting, key=_rank))

    def resolve(self, capability: str, skill: str | None = None) -> Route:
        """The skill for `capability`: the one named, whatever it declares, or else the best.

        Raises:
            UnknownContract: the skill named has no contract.
            UnknownCapability: no skill is named and none has the capability.
        """
        holders = self.find(capability)
        if skill is None and not holders:
            raise self._unknown(capability)
        taken = holders[0] if skill is None else self.get(skill)
        others = tuple(holder.name for holder in holders if holder.name != taken.name)
        return Route(taken, others)

    def pipeline(self, capabilities: Iterable[str]) -> tuple["Contract", ...]:
        """The skill for each capability, in the order given.

        Raises:
            UnknownCapability: no skill has one of them.
        """
        return tuple(self.resolve(capability).contract for capability in capabilities)

    def index(self) -> dict[str, tuple[str, ...]]:
        """Capability -> the names of the skills that have it, best first; by capability."""
        holders: dict[str, tuple[str, ...]] = {}
        for contract in self.find():
            for capability in contract.capabilities:
                holders[capability] = (*holders.get(capability, ()), contract.name)
        return dict(sorted(holders.items()))

    def problems(self) -> tuple[Problem, ...]:
        """Every file and folder that gives no contract, in the order of the folders."""
        return self._current().problems

    def _unknown(self, capability: str) -> UnknownCapability:
        known = sorted(self.index())
        return UnknownCapability(
            f"No skill has the capability {capability[:64]!r}.",
            allowed=nearest(capability, known),
            next=f"take one of these, name a `skill`, or see all {len(known)} in contract://index",
        )

    def _current(self) -> _Catalogue:
        listing = _list(self._folders)
        if self._catalogue is None or self._catalogue.listing != listing:
            self._catalogue = self._read(listing)
        return self._catalogue

    def _read(self, listing: _Listing) -> _Catalogue:
        """The catalogue of `listing`; files that did not change are not read again."""
        old = self._catalogue
        read = {
            path: old.read[path]
            if old and old.listing.files.get(path) == stamp
            else self._read_file(Path(path))
            for path, stamp in listing.files.items()
        }
        contracts, problems = _by_name(read.values())
        return _Catalogue(listing, read, contracts, listing.problems + problems)

    def _read_file(self, path: Path) -> "Contract | Problem":
        from relaybook.registry.contract import read_contract

        try:
            return read_contract(path, self._validator)
        except InvalidContract as refusal:
            return Problem(path, refusal.message)

    @cached_property
    def _validator(self) -> "Validator":
        from jsonschema import Draft202012Validator

        schema = json.loads((shipped("contracts") / SCHEMA_FILE).read_text(encoding="utf-8"))
        return Draft202012Validator(schema)


def _rank(contract: "Contract") -> tuple[int, str]:
    return (-contract.priority, contract.name)


def _list(folders: Iterable[Path]) -> _Listing:
    files: dict[str, Stamp] = {}
    problems: list[Problem] = []
    for folder in folders:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            problems.append(Problem(folder, f"the folder cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            if not entry.name.endswith(".json") or entry.name.endswith(".schema.json"):
                continue
            found = _stamp(entry)
            if isinstance(found, str):
                problems.append(Problem(Path(entry.path), found))
            else:
                files[entry.path] = found
    return _Listing(files, tuple(problems))


def _stamp(entry: os.DirEntry[str]) -> Stamp | str:
    """The stamp of a file, or why it is none."""
    try:
        status = entry.stat()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not stat.S_ISREG(status.st_mode):
        return "it is no file"
    return status.st_mtime_ns, status.st_size


def _by_name(
    read: Iterable["Contract | Problem"],
) -> tuple[dict[str, "Contract"], tuple[Problem, ...]]:
    contracts: dict[str, Contract] = {}
    problems: list[Problem] = []
    for found in read:
        if isinstance(found, Problem):
            stays = contracts.get(found.path.stem)
            kept = f"; {stays.path} stays in force" if stays else ""
            problems.append(Problem(found.path, found.reason + kept))
            continue
        older = contracts.get(found.name)
        if older and older.path.parent == found.path.parent:
            reason = f"{older.path.name} in the same folder is named {found.name!r} already"
            problems.append(Problem(found.path, reason))
        else:
            contracts[found.name] = replace(found, shadows=older.path if older else None)
    return contracts, tuple(problems)
