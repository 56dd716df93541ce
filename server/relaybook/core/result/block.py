"""Find the `<result>` block in a worker's message and read it as strict JSON.

Knows nothing of what the JSON means. A message is hostile: every step is linear in its
length, and whatever it holds, the only refusal is `MalformedOutput`.
"""

import json
import math
import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from relaybook.core.text import MAX_DEPTH
from relaybook.errors import MalformedOutput

#: The longest message that is read, in characters.
MAX_OUTPUT = 200_000
#: How many inline openings are tried, the last ones. A try may cost the whole message
#: (a decoding error counts the lines before it), so their number is bounded.
MAX_TRIES = 100
#: How much text is shown on each side of a syntax error, in characters.
SNIPPET = 20

OPEN, CLOSE = "<result>", "</result>"
NEXT = (
    "send the corrected output under the same claim, or update_task(status='failed', "
    "error_code='malformed_output', output=…), or repeat the call with accept_raw=true"
)

NEXT_FOR_WORKER = (
    "update_task(claim, status='completed', output=<your message with the block corrected>), or "
    "status='failed' with error_code='malformed_output' and error"
)

_INLINE_OPEN = re.compile(OPEN + r'\s*+(?:```\w*+\s*+)?+(?=[\[{"\-0-9tfn])')
_INLINE_CLOSE = re.compile(r"\s*+(?:```\s*+)?+" + CLOSE)
#: An opening that is more than a mention: alone on its line, or before an object or a list.
_BEGUN = re.compile(
    rf"^[ \t]*+{OPEN}[ \t\r]*+$|" + OPEN + r'\s*+(?:```\w*+\s*+)?+(?:\{\s*+"|\[)', re.MULTILINE
)


#: What helps where the output is too long, whoever sends it.
NEXT_SHORTER = (
    "send a shorter output under the same claim, or status='failed' with "
    "error_code='malformed_output' and error"
)


def malformed(message: str, *, allowed: str = "", **data: Any) -> MalformedOutput:
    """The refusal of a worker's output, with the three ways on."""
    return MalformedOutput(message, allowed=allowed, next=NEXT, **data)


def require_size(text: str) -> None:
    """Refuse a message that is too long to be kept.

    Raises:
        MalformedOutput: it has more than `MAX_OUTPUT` characters.
    """
    if len(text) > MAX_OUTPUT:
        raise MalformedOutput(
            f"The output has {len(text)} characters",
            allowed=f"at most {MAX_OUTPUT}; store large work outside and return references",
            next=NEXT_SHORTER,
        )


def find_block(text: str) -> str:
    """What stands between the tags, without the space and the code fence round it.

    The last complete block whose tags stand alone on their lines; failing that the last
    inline block that parses as JSON; failing that the last that does not.

    Raises:
        MalformedOutput: there is no block, or it is empty or too large, or the last one is
            unclosed: what stands before it is a draft.
    """
    require_size(text)
    if CLOSE in text and _BEGUN.search(text, text.rindex(CLOSE)):
        raise _unclosed()
    block = _standing_block(text)
    if block is None:
        block = _inline_block(text)
    if block is None:
        block = _last_span(text)
    block = _without_fence(block.strip())
    if not block:
        raise malformed("The <result> block is empty", allowed="JSON between the tags")
    return block


def parse_block(block: str) -> Any:
    """The JSON value of a block.

    Raises:
        MalformedOutput: it is not JSON, or holds what JSON parsers disagree on: a repeated
            key, NaN, a number out of range, half a surrogate pair, nesting over `MAX_DEPTH`.
    """
    try:
        value = _DECODER.decode(block)
        if block.count("[") + block.count("{") > MAX_DEPTH:  # few blocks hold as many
            _require_shallow(value)
        block.encode()
        if "\\u" in block:  # an escape may hide what the text itself does not hold
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        around = block[max(0, error.pos - SNIPPET) : error.pos + SNIPPET]
        raise malformed(
            f"The <result> block is not JSON: {error.msg} at line {error.lineno}, "
            f"column {error.colno}, near {around!r}"
        ) from None
    except UnicodeEncodeError:
        raise malformed("The <result> block holds half of a surrogate pair") from None
    except RecursionError:
        raise malformed(
            "The <result> block is nested too deep", allowed=f"{MAX_DEPTH} levels"
        ) from None
    return value


def block_values(text: str) -> Iterator[Any]:
    """The JSON values between two tags with none between them; nothing where there is one pair."""
    if text.count(OPEN) < 2:
        return
    for piece in text.split(CLOSE)[:-1]:
        _, opening, block = piece.rpartition(OPEN)
        if not opening:
            continue
        with suppress(MalformedOutput):
            yield parse_block(_without_fence(block.strip()))


def _standing_block(text: str) -> str | None:
    """The last complete block whose tags stand alone on their lines."""
    lines = text.split("\n")
    start, block = None, None
    for number, line in enumerate(lines):
        tag = line.strip()
        if tag == OPEN:
            start = number + 1
        elif tag == CLOSE and start is not None:
            start, block = None, (start, number)
    return None if block is None else "\n".join(lines[slice(*block)])


def _inline_block(text: str) -> str | None:
    """The last JSON value that stands between two tags, of the last `MAX_TRIES` openings."""
    decoder = json.JSONDecoder()
    block, end = None, 0
    for opening in deque(_INLINE_OPEN.finditer(text), maxlen=MAX_TRIES):
        start = opening.end()
        if start < end:
            continue
        try:
            _, stop = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if closing := _INLINE_CLOSE.match(text, stop):
            block, end = text[start:stop], closing.end()
    return block


def _last_span(text: str) -> str:
    """The text between the last two tags, whatever it is: its syntax error is the reason."""
    close = text.rfind(CLOSE)
    start = text.rfind(OPEN)
    if start < 0:
        raise malformed("The output has no <result> block", allowed="<result>JSON</result>")
    if start > close:
        raise _unclosed()
    return text[start + len(OPEN) : close]


def _unclosed() -> MalformedOutput:
    return malformed("The <result> block is unclosed: the output ends without </result>")


def _without_fence(block: str) -> str:
    first, newline, rest = block.partition("\n")
    if newline and first.startswith("```") and rest.endswith("```"):
        return rest.removesuffix("```").strip()
    return block


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise malformed(f"The <result> block holds the number {text[:SNIPPET]!r}, out of range")
    return number


def _integer(text: str) -> int:
    _number(text)
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise malformed(f"The <result> block repeats the key {key[: 2 * SNIPPET]!r}")
        members[key] = value
    return members


def _require_shallow(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [parent for parent in level if isinstance(parent, list | dict)]
        if not level:
            return
        level = [child for parent in level for child in _children(parent)]
    raise RecursionError


def _children(parent: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return parent.values() if isinstance(parent, dict) else parent


_DECODER = json.JSONDecoder(
    parse_constant=_number, parse_float=_number, parse_int=_integer, object_pairs_hook=_object
)
