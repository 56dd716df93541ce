import anyio
import pytest

from relaybook.errors import BadInput, MalformedOutput, Refusal, StoreBusy
from relaybook.model import FailureCode
from relaybook.worker.command import Ran
from relaybook.worker.ledger import Answer, patiently
from relaybook.worker.report import ERROR_LIMIT, failure

PROBLEM = {"path": "/n", "message": "is 'one'", "expected": "type integer"}
REFUSED = MalformedOutput("No.", problems=[PROBLEM])


LIMITED = "API Error: 429 rate limit exceeded"


def ran(exit_code: int | None, stderr: str = "", output: str = "") -> Ran:
    return Ran(output=output, stderr=stderr, exit_code=exit_code)


@pytest.mark.parametrize(
    ("command", "refused", "expected"),
    [
        (ran(0), REFUSED, ("malformed_output", "No.\n/n: is 'one'; expected type integer")),
        (ran(0), BadInput("No."), ("unknown", "No.")),
        (ran(2), REFUSED, ("crash", "ended with exit code 2")),
        (ran(2, " why\n"), REFUSED, ("crash", "ended with exit code 2: why")),
        (ran(-9), REFUSED, ("crash", "ended by signal 9")),
        (ran(2, " ", "said\n"), REFUSED, ("crash", "ended with exit code 2: said")),
        (ran(2, "why", "said"), REFUSED, ("crash", "ended with exit code 2: why")),
        (ran(1, "", LIMITED), REFUSED, ("rate_limit", f"ended with exit code 1: {LIMITED}")),
        (ran(1, LIMITED, "said"), REFUSED, ("rate_limit", f"ended with exit code 1: {LIMITED}")),
        (ran(None, "", "said"), REFUSED, ("timeout", "ended after its time limit of 90 s: said")),
        (ran(None, "why"), REFUSED, ("timeout", "ended after its time limit of 90 s: why")),
    ],
)
def test_a_failure_is_named_by_how_the_command_ended(
    command: Ran, refused: BadInput, expected: tuple[str, str]
) -> None:
    assert failure(command, 90, refused) == expected


def test_a_long_error_keeps_its_end() -> None:
    code, error = failure(ran(1, "x" * ERROR_LIMIT + "end"), 90, REFUSED)

    assert (code, len(error), error[-4:]) == (FailureCode.CRASH, ERROR_LIMIT, "xend")


def test_work_on_rate_limits_that_crashes_later_is_a_crash() -> None:
    code, _ = failure(ran(1, "", f"{LIMITED}\n{'x' * 300}"), 90, REFUSED)

    assert code is FailureCode.CRASH


class Ledger:
    """Busy for the first `times` calls."""

    def __init__(self, times: int) -> None:
        self.times = times

    async def call(self) -> Answer:
        self.times -= 1
        if self.times >= 0:
            raise StoreBusy("locked")
        return {"recorded": True}


def always(_: Refusal, seconds: float) -> bool:
    return seconds >= 0


def never(_: Refusal, seconds: float) -> bool:
    return seconds < 0


def test_a_call_is_made_again_while_the_ledger_is_busy() -> None:
    assert anyio.run(patiently, Ledger(times=2).call, always) == {"recorded": True}


def test_a_call_is_given_up_when_the_caller_waits_no_longer() -> None:
    with pytest.raises(StoreBusy, match="locked"):
        anyio.run(patiently, Ledger(times=2).call, never)
