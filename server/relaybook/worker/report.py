"""What a command's end means for its task: the result, or the failure to record instead."""

from collections.abc import Mapping
from typing import Any

from relaybook.core.failure import suggest_code
from relaybook.errors import BadInput, clip
from relaybook.model import FailureCode
from relaybook.worker.command import Ran

ERROR_LIMIT = 2_000
#: How much of the end of an error may say that a rate was exceeded, in characters.
LAST_WORDS = 300
CODES = frozenset(str(code) for code in FailureCode)


def failure(ran: Ran, limit_seconds: float, refused: BadInput) -> tuple[FailureCode, str]:
    """Code and text of the failure when the output was `refused` as a result.

    A command that was ended, or that says itself that it failed, is believed first: what is
    wrong with its output follows from that. A crash that speaks of a rate limit is one.
    """
    if ran.exit_code is None:
        said = f"ended after its time limit of {limit_seconds:g} s"
        return FailureCode.TIMEOUT, _with_tail(said, ran)
    if ran.exit_code:
        error = _with_tail(_how(ran.exit_code), ran)
        limited = suggest_code(error[-LAST_WORDS:]) is FailureCode.RATE_LIMIT
        return FailureCode.RATE_LIMIT if limited else FailureCode.CRASH, error
    code = FailureCode(refused.code) if refused.code in CODES else FailureCode.UNKNOWN
    return code, clip(f"{refused.message}{_problems(refused.data)}", ERROR_LIMIT)


def _how(exit_code: int) -> str:
    if exit_code < 0:
        return f"ended by signal {-exit_code}"
    return f"ended with exit code {exit_code}"


def _with_tail(said: str, ran: Ran) -> str:
    """`said`, and as much as fits of the end of standard error, or of the output if that is empty."""
    tail = ran.stderr.strip() or ran.output.strip()
    return f"{said}: {tail[len(said) + 2 - ERROR_LIMIT :]}" if tail else said


def _problems(data: Mapping[str, Any]) -> str:
    return "".join(
        f"\n{each['path']}: {each['message']}; expected {each['expected']}"
        for each in data.get("problems", ())
    )
