"""What an error text says of the failure: a likely code, and a fingerprint to know it again."""

import re

from relaybook.core.text import text_hash
from relaybook.model import FailureCode

#: Words that speak for a code, in the order in which they are looked for.
SIGNALS: tuple[tuple[FailureCode, tuple[str, ...]], ...] = (
    (FailureCode.RATE_LIMIT, ("rate limit", "too many requests", "429", "overloaded", "quota")),
    (FailureCode.TIMEOUT, ("timed out", "timeout", "time limit", "deadline exceeded")),
    (
        FailureCode.LOST_SESSION,
        ("session not found", "session lost", "connection reset", "connection closed", "eof"),
    ),
    (FailureCode.SCHEMA_VIOLATION, ("does not match the schema", "validation error", "schema")),
    (FailureCode.MALFORMED_OUTPUT, ("no <result>", "<result>", "not valid json", "jsondecode")),
    (FailureCode.CRASH, ("traceback", "segmentation fault", "core dumped", "panic", "exit code")),
)
#: How much of an error text is looked at, in characters.
LOOKED_AT = 4_000

_VARYING = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}|\d+")
_SPACES = re.compile(r"\s+")


def suggest_code(error: str) -> FailureCode:
    """The failure code that the words of `error` speak for; `unknown` if none do."""
    text = error[:LOOKED_AT].lower()
    for code, words in SIGNALS:
        if any(word in text for word in words):
            return code
    return FailureCode.UNKNOWN


def fingerprint(code: str, error: str) -> str:
    """A name for an error that stays the same when numbers, addresses and spacing change."""
    text = _VARYING.sub("#", error[:LOOKED_AT].lower())
    return text_hash(f"{code} {_SPACES.sub(' ', text).strip()}")[:16]
