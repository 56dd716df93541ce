"""A host's own file of servers: read, merged with this server, and put back whole.

What cannot be merged, read or written stays as it is, and so does an entry that says otherwise.
"""

import json
import os
import shutil
import tomllib
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from errno import EACCES
from pathlib import Path
from typing import Any

from relaybook.core.members import members_once
from relaybook.errors import Conflict, InvalidArguments

NAME = "relaybook"


def read(path: Path) -> str:
    """The text in the file; "" if there is none.

    Raises:
        InvalidArguments: it cannot be read.
    """
    with _left_alone(path), suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8")
    return ""


def replace(path: Path, text: str) -> None:
    """Put `text` in the place of what the file holds, whole or not at all.

    A link stays a link, and the file keeps its mode and, where that is allowed, its owner.

    Raises:
        InvalidArguments: it cannot be written.
    """
    with _left_alone(path):
        path.parent.mkdir(exist_ok=True)
        target = Path(os.path.realpath(path))
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            _write(beside, text, target)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)


def _write(beside: Path, text: str, target: Path) -> None:
    """Write the file `beside` that is to be `target`, down to the disk."""
    there = target.exists()
    if there and not os.access(target, os.W_OK):
        raise PermissionError(EACCES, os.strerror(EACCES))
    opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if there else 0o666)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(opened)
    if there:
        owner = target.stat()
        with suppress(PermissionError):
            os.chown(beside, owner.st_uid, owner.st_gid)
        shutil.copymode(target, beside)


def merged_json(there: str, key: str, entry: Mapping[str, Any], path: Path) -> str:
    """The text of a file in JSON, with this server among the others under `key`.

    Raises:
        InvalidArguments: `there` cannot take it.
        Conflict: it names this server with other words.
    """
    known = _parsed(there, path) if there.strip() else {}
    servers = known.setdefault(key, {})
    if not isinstance(servers, dict):
        raise _unreadable(path, f"its {key!r} is no object")
    if NAME in servers:
        _same(servers[NAME], entry, path, f"the member {NAME!r} of its {key!r}")
        return there
    servers[NAME] = entry
    return json.dumps(known, indent=2, ensure_ascii=False) + "\n"


def merged_toml(there: str, key: str, entry: Mapping[str, Any], path: Path) -> str:
    """The text of a file in TOML with this server's table at its end, all else word for word.

    Raises: as `merged_json`.
    """
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in entry.items()]
    table = "".join([f"[{key}.{NAME}]\n", *lines])
    text = f"{there.rstrip()}\n\n{table}" if there.strip() else table
    try:
        servers = tomllib.loads(there).get(key, {})
        if NAME not in servers:
            tomllib.loads(text)
            return text
    except (tomllib.TOMLDecodeError, TypeError, RecursionError) as error:
        raise _unreadable(path, f"it cannot take a table: {error}") from error
    _same(servers[NAME], entry, path, f"its table [{key}.{NAME}]")
    return there


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        known = json.loads(text, object_pairs_hook=members_once)
    except RecursionError as error:
        raise _unreadable(path, "it is nested too deep") from error
    except ValueError as error:
        raise _unreadable(path, f"it is no plain JSON: {error}") from error
    if not isinstance(known, dict):
        raise _unreadable(path, "it is no object")
    return known


def _same(own: Any, entry: Mapping[str, Any], path: Path, where: str) -> None:
    if own != entry:
        raise Conflict(
            f"{str(path)!r} names {NAME!r} already, with other words.",
            allowed="a file without it",
            next=f"remove {where} and repeat the command, or leave out --write and compare",
        )


@contextmanager
def _left_alone(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise _unreadable(path, str(error.strerror or error)) from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"it is no UTF-8: byte {error.start} does not fit") from error


def _unreadable(path: Path, why: str) -> InvalidArguments:
    return InvalidArguments(
        f"{str(path)!r} was left as it is: {why}.",
        allowed="a file that the host reads",
        next="correct it, or leave out --write and copy what is printed",
    )
