"""A text as a message, or as the error that answers it: nobody is left to wait."""

import json
from typing import Any

from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    jsonrpc_message_adapter,
)


class NotUnderstood(ValueError):
    """A text that is no message, and its answer."""

    def __init__(self, answer: JSONRPCError) -> None:
        super().__init__(answer.error.message)
        self.answer = answer


def message_of(line: str) -> SessionMessage | NotUnderstood:
    """The message in the line of a pipe, or the body of a request."""
    try:
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        return _more_patiently(line)
    if isinstance(message, JSONRPCNotification) and '"id"' in line and "id" in json.loads(line):
        return _refused(None, "the id of a request is a text or an integer")
    return SessionMessage(message)


def _more_patiently(line: str) -> SessionMessage | NotUnderstood:
    """As Python reads JSON, which takes half of a surrogate pair that a host cut off."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError:
        return _unread("it is no JSON")
    except (ValueError, RecursionError):
        return _unread("it is nested too deep, or holds too long a number, to be read")
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_python(value, by_name=False))
    except (ValueError, RecursionError):
        return _refused(value, "send one JSON-RPC 2.0 message at a time, its params an object")


def _unread(why: str) -> NotUnderstood:
    said = ErrorData(code=PARSE_ERROR, message=f"Parse error: {why}")
    return NotUnderstood(JSONRPCError(jsonrpc="2.0", id=None, error=said))


def _refused(value: Any, why: str) -> NotUnderstood:
    name = value.get("id") if isinstance(value, dict) else None
    known = name if isinstance(name, str | int) and not isinstance(name, bool) else None
    said = ErrorData(code=INVALID_REQUEST, message=f"Invalid request: {why}")
    return NotUnderstood(JSONRPCError(jsonrpc="2.0", id=known, error=said))
