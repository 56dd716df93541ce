"""Makes JSON values shorter, inside, and says what was left out."""

import json
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from relaybook.errors import clip

#: What stands for a value that has no room.
LEFT_OUT = "…"
#: Members of an entry that are useless in part; their length is bounded where they come from.
_WHOLE = frozenset({"task_id", "link"})
#: Steps of shortening: characters of a text, members of a list or object, levels of nesting.
_STEPS = ((600, 20, 6), (240, 10, 4), (120, 6, 3), (60, 4, 2), (20, 3, 1))


def size(value: Any) -> int:
    """Bytes of `value` as compact JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return len(text.encode(errors="surrogatepass"))


def shrink(value: dict[str, Any], limit: int) -> dict[str, Any]:
    """`value` shortened inside until it fits `limit` bytes; it keeps all its own members.

    What names a task or leads to its result stays whole.
    """
    shown = value
    for step in _STEPS:
        shown = {
            name: item if name in _WHOLE else _shorter(item, *step) for name, item in value.items()
        }
        if size(shown) <= limit:
            return shown
    return _emptied(shown, limit)


def _emptied(value: dict[str, Any], limit: int) -> dict[str, Any]:
    """`value` with its largest members left out one by one until it fits, or all are."""
    shown = dict(value)
    names = [name for name in shown if name not in _WHOLE]
    for name in sorted(names, key=lambda name: size(shown[name]), reverse=True):
        shown[name] = LEFT_OUT
        if size(shown) <= limit:
            break
    return shown


def cut(text: str, limit: int) -> str:
    """`text`, or its start and an ellipsis, in at most `limit` bytes as JSON."""
    if size(text) <= limit:
        return text
    lengths = range(1, limit)
    return clip(text, bisect_right(lengths, limit, key=lambda length: size(clip(text, length))))


def cut_list(texts: Sequence[str], each: int, limit: int) -> list[str]:
    """The texts, each cut to `each` bytes, as many as fit `limit`, then how many more there are."""
    kept: list[str] = []
    for text in texts:
        shown = cut(text, each)
        limit -= size(shown) + 1
        if limit < 0:
            return [*kept, f"and {len(texts) - len(kept)} more"]
        kept.append(shown)
    return kept


def shorter(value: Any) -> Any:
    """`value` as long as any answer shows it."""
    return _shorter(value, *_STEPS[0])


def _shorter(value: Any, length: int, members: int, depth: int) -> Any:
    match value:
        case str():
            return clip(value, length)
        case list() | tuple() if depth:
            kept = [_shorter(item, length, members, depth - 1) for item in value[:members]]
            more = len(value) - members
            return [*kept, f"and {more} more"] if more > 0 else kept
        case dict() if depth:
            kept = {
                clip(str(name), length): _shorter(item, length, members, depth - 1)
                for name, item in list(value.items())[:members]
            }
            more = len(value) - members
            return kept | ({LEFT_OUT: f"and {more} more"} if more > 0 else {})
        case list() | tuple() | dict():
            return LEFT_OUT
        case int() if abs(value) >= 10**20:
            return "a whole number of more than 20 digits"
        case _:
            return value
