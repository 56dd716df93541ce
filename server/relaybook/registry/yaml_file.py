"""Reading the YAML that people write: bounded, without aliases, every fault with its line."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from relaybook.errors import clip

#: How large a file may be, in bytes.
FILE_LIMIT = 100_000

#: How long a reason may be, in characters.
REASON_LIMIT = 300

#: How deep YAML may nest.
DEPTH_LIMIT = 40

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FileFault(Exception):
    """A file cannot be used; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = clip(reason, REASON_LIMIT)
        super().__init__(self.reason)


def read_text(path: Path) -> str:
    """The text of the file at `path`.

    Raises:
        FileFault: it cannot be read, is too large, or holds what no text holds.
    """
    try:
        raw = path.read_bytes()
        check_size(raw)
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise FileFault(1, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileFault(1, "is not UTF-8 text") from error
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise FileFault(line, f"holds the control character {control[0]!r}")
    return text


def check_size(raw: bytes) -> None:
    """Refuse a file that is too large to be read.

    Raises:
        FileFault: it is.
    """
    if len(raw) > FILE_LIMIT:
        raise FileFault(1, f"is {len(raw)} bytes long; at most {FILE_LIMIT} are read")


def read_mapping(text: str, what: str, first_line: int = 1) -> dict[str, Any]:
    """The fields that `text` holds as YAML; it starts at `first_line` of its file.

    Raises:
        FileFault: it is no YAML, or no mapping of fields; `what` names it.
    """
    try:
        _check_shape(text, what, first_line)
        data = _constructed(text, what, first_line)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        raise FileFault(line + first_line, f"is no YAML here: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise FileFault(first_line, f"{what} is no YAML") from error
    if not isinstance(data, dict):
        raise FileFault(first_line, f"{what} is no mapping of fields")
    return data


def _constructed(text: str, what: str, first_line: int) -> Any:
    """What `text` holds, in which every key stands once."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        _check_keys(node, what, first_line)
        return loader.construct_document(node) if node else None
    finally:
        loader.dispose()


def _check_keys(node: Any, what: str, first_line: int) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + first_line
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise FileFault(line, f"{what} names {key.value[:60]!r} twice")
            seen.add(str(key.value))
            _check_keys(value, what, first_line)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _check_keys(each, what, first_line)


def line_of(field: str, value: str, lines: Iterable[str], first_line: int = 1) -> int:
    """The first line where `field`, with `value`, stands; the first of all if it stands nowhere."""
    pattern = re.compile(rf"[-\s{{]*{re.escape(field)}\s*:\s*[\"']?{re.escape(value)}")
    found = (number for number, line in enumerate(lines, first_line) if pattern.match(line))
    return next(found, first_line)


def _check_shape(text: str, what: str, first_line: int) -> None:
    """Refuse aliases, which can grow or turn in a circle, and depth, which ends the C parser."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + first_line if event.start_mark else first_line
        if isinstance(event, yaml.AliasEvent):
            raise FileFault(line, f"{what} uses an alias")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_LIMIT:
            raise FileFault(line, f"{what} is nested deeper than {DEPTH_LIMIT}")
