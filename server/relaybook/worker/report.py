"""What a command's end means for its task: the result, or the failure to record instead."""

from collections.abc import Mapping
from typing import Any

from relaybook.errors import BadInput, clip
from relaybook.model import FailureCode
from relaybook.worker.command import Ran

ERROR_LIMIT = 2_000
CODES = frozenset(str(code) for code in FailureCode)


def failure(ran: Ran, limit_seconds: float, refused: BadInput) -> tuple[FailureCode, str]:
    """Code and text of the failure when the output was `refused` as a result.

    A command that was ended, or that says itself that it failed, is believed first: what is
    wrong with its output follows from that.
    """
    if ran.exit_code is None:
        said = f"ended after its time limit of {limit_seconds:g} s"
        return FailureCode.TIMEOUT, _with_tail(said, ran.stderr)
    if ran.exit_code:
        return FailureCode.CRASH, _with_tail(_how(ran.exit_code), ran.stderr)
    code = FailureCode(refused.code) if refused.code in CODES else FailureCode.UNKNOWN
    return code, clip(f"{refused.message}{_problems(refused.data)}", ERROR_LIMIT)


def _how(exit_code: int) -> str:
    if exit_code < 0:
        return f"ended by signal {-exit_code}"
    return f"ended with exit code {exit_code}"


def _with_tail(said: str, stderr: str) -> str:
    """`said`, and as much of the end of `stderr` as fits."""
    tail = stderr.strip()
    return f"{said}: {tail[len(said) + 2 - ERROR_LIMIT :]}" if tail else said


def _problems(data: Mapping[str, Any]) -> str:
    return "".join(
        f"\n{each['path']}: {each['message']}; expected {each['expected']}"
        for each in data.get("problems", ())
    )
