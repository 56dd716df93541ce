"""read: what stands at an address, whole or in pages."""

from bisect import bisect_right
from typing import Any

from relaybook.core.text import compact
from relaybook.engine.desk import Desk
from relaybook.engine.readables.readable import Content, Readable
from relaybook.engine.readables.table import READABLES, matching, unknown
from relaybook.errors import Forbidden, InvalidArguments
from relaybook.store.cases import find_claim

#: How many bytes of JSON an answer of `read` has at most, and those not of the text itself.
ANSWER_LIMIT, MARGIN = 20_000, 1_000


def read(
    desk: Desk, uri: str, *, cursor: str = "", role: str = "orchestrator", claim: str = ""
) -> dict[str, Any]:
    """One page of the text at `uri`; `cursor` is the one of the page before.

    Raises:
        UnknownResource, UnknownWorkflow, UnknownTask, UnknownTemplate: nothing is there.
        StaleClaim: `claim` is none.
        Forbidden: it is there, but not for this role and claim.
    """
    return page_of(uri, read_text(desk, uri, role=role, claim=claim), cursor)


def page_of(uri: str, found: Content, cursor: str) -> dict[str, Any]:
    """The part of `found` that `cursor` points at, as an answer of bounded size.

    Raises:
        InvalidArguments: the cursor is none of this text.
    """
    first = _first(cursor, len(found.text))
    end = first + fitting(found.text[first : first + ANSWER_LIMIT], ANSWER_LIMIT - MARGIN)
    answer: dict[str, Any] = {
        "uri": uri,
        "mime_type": found.mime_type,
        "text": found.text[first:end],
        "total_chars": len(found.text),
    }
    if end < len(found.text):
        answer["cursor"] = str(end)
    return answer


def read_text(desk: Desk, uri: str, *, role: str = "orchestrator", claim: str = "") -> Content:
    """The whole text at `uri`; the errors are those of `read`."""
    found = matching(uri)
    if found is None:
        raise unknown(uri, role)
    readable, variables = found
    _permit(desk, readable, variables, role, claim)
    return Content(readable.read(desk, **variables), readable.mime_type)


def _permit(
    desk: Desk, readable: Readable, variables: dict[str, str], role: str, claim: str
) -> None:
    if role != "worker" or readable.worker == "all":
        return
    if readable.worker == "own" and claim:
        with desk.store.read() as tx:
            workflow_id, task_id = find_claim(tx, claim)
        if variables == {"id": workflow_id, "task_id": task_id}:
            return
    allowed = [each.uri for each in READABLES if each.worker != "nothing"]
    raise Forbidden(
        "A worker may not read this.",
        allowed=f"{', '.join(allowed)}; of tasks only the one of its claim",
        next="call again with your claim and your own task, or go on without",
    )


def _first(cursor: str, length: int) -> int:
    if not cursor:
        return 0
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 12 and int(cursor) < length:
        return int(cursor)
    raise InvalidArguments(
        f"cursor {cursor[:40]!r} is not one that relaybook gave for this text.",
        allowed=f"a number below {length}, from the answer before",
        next="leave it out to begin again",
    )


def fitting(text: str, room: int) -> int:
    """How many characters of `text`, as JSON in UTF-8, fit into `room` bytes; at least 2."""
    sizes = range(len(text) + 1)
    return bisect_right(sizes, room, key=lambda size: len(compact(text[:size]).encode())) - 1
