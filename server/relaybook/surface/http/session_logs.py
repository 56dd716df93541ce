"""The id of a session opens it, so no log holds a whole one."""

import logging
import re

_SESSION = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{24}\b")
#: What writes ids of sessions: the SDK, of those that it refuses and of those that fail.
_LOG = logging.getLogger("mcp.server.streamable_http_manager")


def shorten_session_ids() -> None:
    """Leave the first characters of each, enough to find it again."""
    _LOG.addFilter(_shortened)  # the same one is added only once


def _shortened(record: logging.LogRecord) -> bool:
    record.msg, record.args = _SESSION.sub(r"\1…", record.getMessage()), None
    return True
