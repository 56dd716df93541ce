"""What an option may hold besides a short text: JSON, the content of a file, standard input."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from relaybook.errors import InvalidArguments

#: The most that is read of one file or of standard input, in bytes.
SIZE_LIMIT = 32_000_000

Kind = type[list[Any]] | type[dict[str, Any]]


def text_of(said: str, option: str) -> str:
    """`said`, or for `@file` what the file holds, or for `-` what standard input says.

    Raises:
        InvalidArguments: it cannot be read.
    """
    if said == "-":
        return _decoded(sys.stdin.buffer.read(SIZE_LIMIT + 1), "standard input", option)
    if said.startswith("@"):
        return file_text(Path(said[1:]), option)
    return said


def json_of(said: str, option: str, kind: Kind, *or_kind: Kind) -> Any:
    """The list or object that `said` is in JSON; nothing said is an empty one.

    Raises:
        InvalidArguments: it is no JSON, or of a kind not asked for.
    """
    if not said:
        return kind()
    text = text_of(said, option)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _no_json(option, kind, f"{error.msg} at {where}") from None
    except (ValueError, RecursionError):
        raise _no_json(option, kind, "too long a number or too deep") from None
    if not isinstance(value, (kind, *or_kind)):
        raise _no_json(option, kind, f"it is of the kind {type(value).__name__!r}")
    return value


def file_text(path: Path, option: str) -> str:
    """The text in a file.

    Raises:
        InvalidArguments: it cannot be read, is too long, or is no UTF-8.
    """
    try:
        with path.expanduser().open("rb") as file:
            return _decoded(file.read(SIZE_LIMIT + 1), repr(str(path)), option)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise InvalidArguments(
            f"{option}: {str(path)!r} cannot be read: {reason}.",
            next="correct the path; - reads standard input",
        ) from None


def sources(paths: Iterable[Path], option: str) -> list[dict[str, str]]:
    """Each file as a source: its path as it was given, and its content."""
    return [{"path": str(path), "content": file_text(path, option)} for path in paths]


def pairs(said: Iterable[str], option: str) -> dict[str, str]:
    """Each `name=value` under its name.

    Raises:
        InvalidArguments: one has no name.
    """
    found: dict[str, str] = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise InvalidArguments(
                f"{option} is {each[:60]!r}.", allowed="name=value", next="correct it"
            )
        found[name] = text_of(value, option)
    return found


def _decoded(content: bytes, what: str, option: str) -> str:
    if len(content) > SIZE_LIMIT:
        raise InvalidArguments(
            f"{option}: {what} is too long.", allowed=f"{SIZE_LIMIT} bytes", next="send less"
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidArguments(
            f"{option}: {what} is no UTF-8 text: byte {error.start} does not fit.",
            next="convert it, or name a text file",
        ) from None


def _no_json(option: str, kind: type, reason: str) -> InvalidArguments:
    wanted = "a list" if kind is list else "an object"
    return InvalidArguments(
        f"{option} is not {wanted} in JSON: {reason}.",
        allowed="JSON itself, @file, or - for standard input",
        next="correct it and call again; nothing was recorded",
    )
