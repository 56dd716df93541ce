"""Texts as the ledger keeps them: one JSON form, one hash, no character that a database refuses."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

#: The deepest nesting of lists and objects in what a caller sends.
MAX_DEPTH = 64
#: The longest integer in it, in bits; parsers of JSON differ beyond a double's range.
MAX_BITS = 1024

#: NUL, which PostgreSQL does not keep, and unpaired surrogates, which have no UTF-8.
_UNKEPT = re.compile("[\0\ud800-\udfff]")
_NO_SLUG = re.compile("[^A-Za-z0-9_]+")
# `json.dumps` makes an encoder for each call that asks for anything special: a third of its time.
_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def is_storable(text: str) -> bool:
    """Whether every database keeps `text` as it is."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()  # fails on a surrogate; a seventh of the time of a search
    except UnicodeEncodeError:
        return False
    return True


def storable(text: str) -> str:
    """`text` with U+FFFD for every character that no database keeps."""
    return text if is_storable(text) else _UNKEPT.sub("\ufffd", text)


def canonical(value: Any) -> str:
    """`value` as compact JSON with sorted keys: equal values give equal texts."""
    return storable(_CANONICAL.encode(value))


def compact(value: Any) -> str:
    """`value` as compact JSON in its own order."""
    return storable(_COMPACT.encode(value))


def is_json(value: Any) -> bool:
    """Whether `value` has a JSON text: plain values, finite numbers, at most 64 levels."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        if not all(map(_is_plain, level)):
            return False
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return True
    return False


def _is_plain(value: Any) -> bool:
    match value:
        case float():
            return math.isfinite(value)
        case int():
            return value.bit_length() <= MAX_BITS
        case Mapping():
            return all(isinstance(key, str) for key in value)
        case _:
            return value is None or isinstance(value, str | list | tuple)


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of members too, the outer ones first."""
    found = [value]
    for each in found:  # grows as it is read
        if isinstance(each, str):
            yield each
        elif isinstance(each, list | tuple):
            found += each
        elif isinstance(each, Mapping):
            found += [*each, *each.values()]


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


@lru_cache(maxsize=8)  # a text is named once where it is told of, once where it is kept
def text_hash(text: str) -> str:
    """40 hexadecimal digits that name `text`; unpaired surrogates count as themselves."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def slug(text: str) -> str:
    """`text` in lower case with every run of other characters than `[a-z0-9_]` as one hyphen."""
    return "-".join(_NO_SLUG.sub(" ", text).lower().split())
