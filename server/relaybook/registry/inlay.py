"""How arguments enter a body: short text in line, everything else as data in a fence.

A short string is folded into one line, since the sentence of the task may be made of it.

A fenced text is put in only after the body is rendered. The body sees a mark in its place:
a number between two control characters, which no cleaned text can hold and no filter changes.
So neither a filter nor the data itself can break a fence or the lines around it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from relaybook.core.fence import clean, fence, one_line
from relaybook.core.kept import by_identity
from relaybook.core.schema.notes import without_notes
from relaybook.registry.parameter import Parameter

#: Text up to this many characters, on one line, enters in line.
SHORT = 500
#: Sections up to this many characters are remembered.
_KEPT = 4_000

#: What stands in the fence of a source without content, and labels one that is a path alone.
EMPTY, PATH_LABEL = "(the file is empty)", "path of a file to read"

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
_MARK = re.compile("\x02([0-9]+)\x03")


class Inlay:
    """Turns the values of one prompt into what its body may print; keeps count of what it saw."""

    def __init__(self, nonce: str, datamark: str = "") -> None:
        self._nonce = nonce
        self.datamark = datamark
        self._fences: list[str] = []
        #: The texts that entered, as they were given.
        self.seen: list[str] = []
        #: How many invisible characters were removed.
        self.removed = 0
        #: Sources of which only the path was given.
        self.path_only: list[str] = []

    def value(self, parameter: Parameter, value: Any) -> Any:
        """`value`, already read as the kind of `parameter`, as the body is to see it."""
        name = parameter.name
        match parameter.kind:
            case _ if value is None:
                return None
            case "string" if len(value) <= SHORT:
                return self.line(value)
            case "text":
                return self.data(value, name)
            case "source":
                return self._source(value, name)
            case "sources":
                return Array(value, name, self._source, _lines)
            case "records":
                return Array(value, name, self.plain, lambda _: self._json_lines(value, name))
            case "prior_result":
                return self.data(_json(value["fields"]), f"result of {value['task']}")
            case "schema":
                return self.json(value)
            case _:
                return self.plain(value, name)

    def line(self, text: str) -> str:
        """`text` cleaned and folded into one line."""
        cleaned, removed, _ = _short_line(text) if len(text) <= SHORT else _line(text)
        self._saw(text, removed)
        return cleaned

    def text(self, text: str, source: str) -> str:
        """`text` in line if it is short and has one line, else the mark of its fence."""
        if len(text) <= SHORT:
            cleaned, removed, is_one = _short_line(text)
            if is_one:
                self._saw(text, removed)
                return cleaned
        return self.data(text, source)

    def schema(self, schema: Mapping[str, Any]) -> str:
        """A JSON Schema that nobody may change, on one line, outside a fence."""
        text, cleaned, removed = _schema_line(schema)
        self._saw(text, removed)
        return cleaned

    def json(self, value: Any) -> str:
        """`value` as JSON on one line, outside a fence."""
        text, cleaned, removed = _json_line(value)
        self._saw(text, removed)
        return cleaned

    def data(self, text: str, source: str) -> str:
        """The mark of a fence around `text`; nothing for an empty text."""
        if not text or text.isspace():
            return ""
        fenced = fence(text, nonce=self._nonce, source=source, datamark=self.datamark)
        self._saw(text, fenced.removed)
        self._fences.append(fenced.text)
        return f"\x02{len(self._fences) - 1}\x03"

    def fill(self, rendered: str) -> str:
        """`rendered` with each fence where its mark stands, on lines of its own."""
        if "\x02" not in rendered:
            return (_short_trimmed if len(rendered) <= _KEPT else _trimmed)(rendered)
        lines: list[str] = []
        for line in rendered.split("\n"):
            if "\x02" not in line:
                lines.append(line.rstrip())
                continue
            texts_and_marks = _MARK.split(line)
            for place, part in enumerate(texts_and_marks):
                if place % 2:
                    lines.append(self._fences[int(part)])
                elif part.strip():
                    lines.append(part.rstrip())
        return "\n".join(lines)

    def plain(self, value: Any, name: str) -> Any:
        """A scalar, or an array or object of any depth, as the body is to see it."""
        match value:
            case str():
                return self.text(value, name)
            case list():
                kinds = set(map(type, value))
                if list in kinds or dict in kinds:
                    return Array(value, name, self.plain, lambda _: self._json_lines(value, name))
                return Array(value, name, self.text if kinds == {str} else self.plain, _bullets)
            case dict():
                return Object(value, name, self)
            case _:
                return value

    def _source(self, source: Mapping[str, str | None], _: str) -> "Source":
        path, content = self.line(source["path"] or ""), source["content"]
        if content is None:
            self.path_only.append(path)
            return Source({"path": path, "content": self.data(path, PATH_LABEL)})
        return Source(
            {"path": path, "content": self.data(content if content.strip() else EMPTY, path)}
        )

    def _json_lines(self, values: list[Any], name: str) -> str:
        return self.data("\n".join(_json(value) for value in values), name)

    def _saw(self, text: str, removed: int) -> None:
        self.seen.append(text)
        self.removed += removed


class Array(Sequence[Any]):
    """A list that a body may loop over or print whole; an item is prepared when looked at."""

    def __init__(
        self,
        values: list[Any],
        name: str,
        item: Callable[[Any, str], Any],
        whole: Callable[["Array"], str],
    ) -> None:
        self._values = values
        self._name = name
        self._item = item
        self._whole = whole

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, place: Any) -> Any:
        return self._item(self._values[place], f"{self._name}[{place}]")

    def __iter__(self) -> Iterator[Any]:
        for place, value in enumerate(self._values):
            yield self._item(value, f"{self._name}[{place}]")

    def __str__(self) -> str:
        return self._whole(self)


class Object(Mapping[str, Any]):
    """An object whose fields a body may look up, or print whole as JSON in a fence."""

    def __init__(self, fields: dict[str, Any], name: str, inlay: Inlay) -> None:
        self._fields = fields
        self._name = name
        self._inlay = inlay

    def __len__(self) -> int:
        return len(self._fields)

    def __iter__(self) -> Iterator[str]:
        return (self._inlay.line(name) for name in self._fields)

    def __getitem__(self, name: str) -> Any:
        return self._inlay.plain(self._fields[name], f"{self._name}.{name}")

    def __str__(self) -> str:
        return self._inlay.data(_json(self._fields), self._name)


class Source(dict[str, str]):
    """The path and content of a source; prints as its content."""

    def __str__(self) -> str:
        return self["content"]


def _line(text: str) -> tuple[str, int, bool]:
    """`text` as `one_line` makes it, the characters removed, and whether it was one line before."""
    return *one_line(text), len(text.strip().splitlines()) <= 1


#: The tasks of a plan share many of their lines, and most lines are looked at more than once.
_short_line = lru_cache(maxsize=1024)(_line)


def _json_line(value: Any) -> tuple[str, str, int]:
    """`value` as JSON, the same cleaned, and how many characters were removed."""
    text = _json(value)
    return text, *clean(text)


@by_identity(most=64)  # a schema stands in each prompt of its template
def _schema_line(schema: Mapping[str, Any]) -> tuple[str, str, int]:
    return _json_line(without_notes(schema))


def _trimmed(text: str) -> str:
    """`text` without white space at the ends of its lines."""
    return "\n".join(map(str.rstrip, text.split("\n")))


#: Most sections of a prompt are its template's.
_short_trimmed = lru_cache(maxsize=256)(_trimmed)


def _lines(items: Array) -> str:
    return "\n".join(str(each) for each in items)


def _bullets(items: Array) -> str:
    return "\n".join(f"- {each}" for each in items)


def _json(value: Any) -> str:
    return _ENCODER.encode(value)
