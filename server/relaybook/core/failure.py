"""What is known of failures: what each code means and what helps, what the words of an error say."""

import re
from collections.abc import Mapping

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
#: What each code means, and what helps in the next attempt. The first 14 are the modes of MAST
#: (arXiv 2503.13657), the others are the operation's.
MEANINGS: Mapping[FailureCode, tuple[str, str]] = {
    FailureCode.TASK_SPEC_DISOBEYED: ("it broke the task or a limit", "restate the limit it broke"),
    FailureCode.ROLE_DISOBEYED: ("it judged by other criteria", "restrict it to its criteria"),
    FailureCode.STEP_REPETITION: ("it repeated what was done", "name what is done, change the way"),
    FailureCode.HISTORY_LOST: ("it lacked what an earlier step gave", "hand the field on"),
    FailureCode.TERMINATION_UNAWARE: ("it did not stop", "give a stop rule, or a smaller task"),
    FailureCode.CONVERSATION_RESET: ("it began anew half way", "shorten the prompt"),
    FailureCode.CLARIFICATION_NOT_ASKED: ("it guessed missing input", "give it, or let it ask"),
    FailureCode.DERAILED: ("it drifted to other work", "one sentence of task, a don't-touch list"),
    FailureCode.INFORMATION_WITHHELD: ("it left out what it found", "require evidence"),
    FailureCode.INPUT_IGNORED: ("input is not in its result", "list the ids to cover"),
    FailureCode.REASONING_ACTION_MISMATCH: (
        "it claims what the record does not show",
        "hold it against artifacts and tests",
    ),
    FailureCode.PREMATURE_TERMINATION: ("it stopped early", "give a checklist of done criteria"),
    FailureCode.VERIFICATION_MISSING: ("it did not check its work", "require tests"),
    FailureCode.VERIFICATION_INCORRECT: ("its check passed what is wrong", "a second checker"),
    FailureCode.TIMEOUT: ("no result in its time", "a smaller task, if it happens again"),
    FailureCode.CRASH: ("its process ended", "look at the error before you try again"),
    FailureCode.MALFORMED_OUTPUT: ("no readable result block", "show it the problems"),
    FailureCode.SCHEMA_VIOLATION: ("its data is not what was asked", "show it the problems"),
    FailureCode.TIER_VIOLATION: ("it acted above its tier", "let it propose; you act"),
    FailureCode.RATE_LIMIT: ("it was refused for its rate", "wait, or run fewer at once"),
    FailureCode.LOST_SESSION: ("its session ended without a result", "start it again"),
    FailureCode.UPSTREAM_FAILED: ("what it needs failed", "mend that first"),
    FailureCode.UNKNOWN: ("nothing tells", "read the error, then name the code"),
}
assert set(MEANINGS) == set(FailureCode)
#: The classes 1 and 3 of MAST, how the work is laid out and how it is checked: another model
#: mends none of them.
NO_MODEL_MENDS = frozenset(
    {
        FailureCode.TASK_SPEC_DISOBEYED,
        FailureCode.ROLE_DISOBEYED,
        FailureCode.STEP_REPETITION,
        FailureCode.HISTORY_LOST,
        FailureCode.TERMINATION_UNAWARE,
        FailureCode.PREMATURE_TERMINATION,
        FailureCode.VERIFICATION_MISSING,
        FailureCode.VERIFICATION_INCORRECT,
    }
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
